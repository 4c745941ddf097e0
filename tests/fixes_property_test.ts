/** What holds for every fix in the registry, and for one that is still to be written. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { fixes } from "../src/fixes/mod.ts";
import type { Json } from "../src/wire/openai.ts";
import { contextOf, frozen, planned } from "./_fixes.ts";
import { test } from "./_test.ts";

const MODELS = [
  ..."gemini-2.5-flash|Gemini 3 Pro Preview|google/gemini-3.1-pro|claude-sonnet-4-5|Claude Opus 4.7".split(
    "|",
  ),
  ..."Claude Sonnet 4.6|GPT 5|gpt-5.2-pro|o3|gpt-4.1|gpt-oss-120b|gpt-5-codex|codestral-2508|ministral-8b"
    .split("|"),
  ..."kimi-k2-thinking|kimi-k2.5|glm-4.6|deepseek-v4-flash|qwen3.6-27b|llama-3.3-70b|".split("|"),
];
const HOSTS = [
  "upstream.test",
  "api.openai.com",
  "api.nexos.ai",
  "nano-gpt.com",
  "api.mistral.ai",
  "dashscope.aliyuncs.com",
];

const text = fc.constantFrom("", "a", "b\n", '{"$ref": "#/x"}', '{"a": {"$defs": {}}}', "é😀");
const part = fc.oneof(
  fc.record({ type: fc.constant("text"), text }),
  fc.record({ type: fc.constant("image_url"), image_url: fc.record({ url: text }) }),
  fc.constantFrom<unknown>("x", null, { type: "refusal", refusal: "no" }, { type: "input_audio" }),
);
const content = fc.oneof(text, fc.constantFrom(null, undefined, 1), fc.array(part, { maxLength: 3 }));
const id = fc.constantFrom(
  "call_1",
  "call_2",
  "D681PevKs",
  "functions.read:0",
  "functions.read:1",
  "",
  undefined,
  7,
);
const name = fc.constantFrom("read", "files.read", "files_read", "a b", "x".repeat(80), "");
const args = fc.constantFrom<unknown>('{"a":1}', "", null, undefined, { a: 1 }, [], '{"a":', 3);
const call = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      id,
      type: fc.constant("function"),
      function: fc.record({ name, arguments: args }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom<unknown>(null, "x", { id: "call_1" }, { custom: { name: "x", input: "" } }),
  },
);
const message = fc.oneof(
  fc.record({ role: fc.constantFrom("system", "developer", "user", "assistant", "other"), content }),
  fc.record({
    role: fc.constant("assistant"),
    content,
    tool_calls: fc.oneof(fc.array(call, { maxLength: 3 }), fc.constant(null)),
  }),
  fc.record({
    role: fc.constant("assistant"),
    content,
    reasoning_content: text,
    tool_calls: fc.array(call, { maxLength: 2 }),
  }),
  fc.record({ role: fc.constant("tool"), tool_call_id: id, name, content }),
  fc.constantFrom<unknown>(null, "x", {}),
);
const schema = fc.letrec((tie) => ({
  node: fc.oneof(
    { maxDepth: 3 },
    fc.record({
      type: fc.constantFrom<unknown>("object", "string", "integer", undefined),
      $ref: fc.constantFrom<unknown>(
        undefined,
        "#",
        "#/$defs/A",
        "#/$defs/B",
        "#/gone",
        "A",
        "https://x/y",
        3,
      ),
      description: fc.constantFrom<unknown>(undefined, "d"),
      exclusiveMinimum: fc.constantFrom<unknown>(undefined, 0, true),
      minimum: fc.constantFrom<unknown>(undefined, 3),
      not: fc.constantFrom<unknown>(undefined, {}),
      properties: fc.oneof(
        fc.constant(undefined),
        fc.dictionary(fc.constantFrom("a", "not", "$ref", "__proto__"), tie("node"), { maxKeys: 2 }),
      ),
      anyOf: fc.oneof(fc.constant(undefined), fc.array(tie("node"), { maxLength: 2 })),
    }),
    fc.constantFrom<unknown>({}, true, null, "x", []),
  ),
})).node;
const parameters = fc.record({
  type: fc.constant("object"),
  $defs: fc.record({ A: schema, B: schema }),
  properties: fc.record({ a: schema, b: schema }),
});
const tool = fc.oneof(
  fc.record({
    type: fc.constant("function"),
    function: fc.record({ name, parameters, strict: fc.constantFrom(null, undefined, true) }),
  }),
  fc.constantFrom<unknown>(null, { type: "web_search" }, { type: "function", function: {} }),
);
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 2 });
const thinking = fc.record({
  type: fc.constantFrom("enabled", "disabled", undefined),
  budgetTokens: optional(fc.constantFrom(1000, 32000, "x")),
  budget_tokens: optional(fc.constantFrom(2000, 64000)),
});
const body: fc.Arbitrary<Json> = fc.record({
  model: fc.constantFrom(...MODELS),
  messages: fc.oneof({ weight: 9, arbitrary: fc.array(message, { maxLength: 7 }) }, {
    weight: 1,
    arbitrary: fc.constantFrom<unknown>(null, "x"),
  }),
  tools: optional(fc.oneof(fc.array(tool, { maxLength: 3 }), fc.constant(null))),
  tool_choice: optional(
    fc.constantFrom<unknown>("auto", "none", "required", {
      type: "function",
      function: { name: "files.read" },
    }),
  ),
  stream: optional(fc.boolean()),
  stream_options: optional(
    fc.constantFrom<unknown>(null, {}, { include_usage: true }, { include_usage: false }),
  ),
  thinking: optional(fc.oneof(thinking, fc.constant(true))),
  temperature: optional(fc.constantFrom<unknown>(false, 0.2, 1)),
  max_tokens: optional(fc.constantFrom(100, 32000)),
  max_completion_tokens: optional(fc.constantFrom(100)),
  reasoning_effort: optional(fc.constantFrom("none", "low")),
  parallel_tool_calls: optional(fc.boolean()),
  store: optional(fc.boolean()),
  enable_thinking: optional(fc.boolean()),
}).map((made) => JSON.parse(JSON.stringify(made)) as Json); // as it comes over the wire
const host = fc.constantFrom(...HOSTS);

for (const fix of fixes.filter(({ request }) => request !== undefined)) {
  test(`fix ${fix.id}: twice is as good as once, what is good stays the same object, nothing is edited`, () => {
    fc.assert(
      fc.property(body, host, (given, host) => {
        const context = contextOf({ model: String(given["model"]), host });
        const once = fix.request!(frozen(given), context);
        if (JSON.stringify(once) === JSON.stringify(given)) assert.equal(once, given);
        const twice = fix.request!(frozen(once), context);
        assert.equal(twice, once, `${JSON.stringify(once)}\n${JSON.stringify(twice)}`);
      }),
      { numRuns: 300 },
    );
  });
}

test("all fixes together: twice is as good as once, and none throws", () => {
  fc.assert(
    fc.property(body, host, (given, host) => {
      const once = planned(frozen(given), host);
      assert.deepEqual(once.problems, []);
      const twice = planned(frozen(once.body), host);
      assert.deepEqual(twice.body, once.body);
    }),
    { numRuns: 2000 },
  );
});
