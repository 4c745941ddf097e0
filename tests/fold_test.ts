import assert from "node:assert/strict";
import fc from "fast-check";
import { finishReason, isProtocolFinish } from "../src/wire/finish.ts";
import { fold, toChunks } from "../src/wire/fold.ts";
import type { Json } from "../src/wire/openai.ts";
import { test } from "./_test.ts";
import type { Loose } from "./_upstream.ts";

const completion = (message: Json, more: Json = {}): Json => ({
  id: "x",
  object: "chat.completion",
  created: 5,
  model: "m",
  choices: [{ index: 0, message: { role: "assistant", ...message }, logprobs: null, finish_reason: "stop" }],
  usage: { total_tokens: 3, prompt_tokens_details: { cached_tokens: 1 } },
  ...more,
});
const call = (id: string, more: Json = {}) => ({
  id,
  type: "function",
  function: { name: "read", arguments: '{"a":1}' },
  ...more,
});

const answers: Json[] = [
  completion({ content: "Hello" }),
  completion({ content: "" }),
  completion({ content: null, refusal: "no" }),
  completion({ content: null, tool_calls: [call("1"), call("2", { extra_content: { google: { s: 1 } } })] }),
  completion({
    content: "text",
    tool_calls: [call("1")],
    annotations: [{ type: "url" }],
    audio: { id: "a" },
  }),
  completion({
    content: "text",
    reasoning_content: "why",
    reasoning: "hm",
    reasoning_details: [{ t: 1 }, { t: 2 }],
  }),
  completion({ content: "x", provider_specific_fields: null, function_call: null }),
  completion({ content: "x" }, {
    system_fingerprint: "f",
    service_tier: null,
    citations: ["a"],
    timings: { a: 1 },
  }),
  completion({}, {
    choices: [0, 1].map((index) => ({
      index,
      message: { role: "assistant", content: `c${index}` },
      logprobs: { content: [{ token: "c", logprob: -1 }], refusal: null },
      finish_reason: index === 0 ? "length" : "content_filter",
      stop_reason: 7,
    })),
  }),
];
answers.forEach((answer, n) => {
  test(`rule 18: JSON and stream fold to the same message (${n})`, () => {
    assert.deepEqual(fold(toChunks(answer)), answer);
    for (const chunk of toChunks(answer)) assert.equal(chunk.object, "chat.completion.chunk");
  });
});

test("rule 18: any message folds back", () => {
  const text = fc.string();
  const message = fc.record({
    content: fc.oneof(text, fc.constant(null)),
    reasoning_content: text,
    refusal: fc.oneof(text, fc.constant(null)),
    tool_calls: fc.array(
      fc.record({
        id: text,
        type: fc.constant("function"),
        function: fc.record({ name: text, arguments: text }),
      }),
      {
        minLength: 1,
      },
    ),
    vendor: fc.oneof(fc.integer(), text, fc.constant({ a: [1] })),
  }, { requiredKeys: ["content"] });
  fc.assert(fc.property(message, (message) => {
    const answer: Json = JSON.parse(JSON.stringify(completion(message as Json)));
    assert.deepEqual(fold(toChunks(answer)), answer);
  }));
});

test("rule 18: a stream folds to a message", () => {
  const chunk = (delta: Json, finish: string | null = null, more: Json = {}) => ({
    id: "x",
    object: "chat.completion.chunk",
    created: 5,
    model: "m",
    choices: [{ index: 0, delta, finish_reason: finish }],
    ...more,
  });
  const answer: Loose = fold([
    chunk({ role: "assistant", content: "" }),
    chunk({ reasoning: "be" }),
    chunk({ reasoning: "cause", reasoning_details: [{ n: 1 }] }),
    chunk({ content: "a", reasoning_details: [{ n: 2 }] }),
    chunk({ content: "b" }),
    chunk({ tool_calls: [{ index: 0, id: "1", type: "function", function: { name: "f", arguments: "" } }] }),
    chunk({ tool_calls: [{ index: 0, function: { arguments: "{" } }] }),
    chunk({
      tool_calls: [{ index: 1, id: "2", type: "function", function: { name: "g", arguments: "{}" } }],
    }),
    chunk({ tool_calls: [{ index: 0, function: { arguments: "}" } }] }),
    chunk({}, "tool_calls"),
    { id: "x", choices: [], usage: { total_tokens: 1 } },
  ]);
  assert.deepEqual(answer, {
    id: "x",
    object: "chat.completion",
    created: 5,
    model: "m",
    choices: [{
      index: 0,
      message: {
        role: "assistant",
        content: "ab",
        reasoning: "because",
        reasoning_details: [{ n: 1 }, { n: 2 }],
        tool_calls: [
          { id: "1", type: "function", function: { name: "f", arguments: "{}" } },
          { id: "2", type: "function", function: { name: "g", arguments: "{}" } },
        ],
      },
      finish_reason: "tool_calls",
    }],
    usage: { total_tokens: 1 },
  });
  const bare: Loose = fold([{ choices: [{ delta: { content: "a" } }] }] as Loose);
  assert.match(bare.id, /^chatcmpl-/);
  assert.deepEqual([bare.object, typeof bare.created, typeof bare.model], [
    "chat.completion",
    "number",
    "string",
  ]);
});

test("rule 15: finish reasons", () => {
  const table: Record<string, string[]> = {
    stop: [
      "stop",
      "STOP",
      "end_turn",
      "stop_sequence",
      "eos",
      "end",
      "cancel",
      "cancelled",
      "whatever",
      "endTurn",
    ],
    tool_calls: ["tool_calls", "tool_use", "tool_call", "TOOL_CALLS", "toolUse"],
    function_call: ["function_call"],
    length: ["length", "max_tokens", "MAX_TOKENS", "model_length"],
    content_filter: ["content_filter", "SAFETY", "RECITATION", "content-filter"],
  };
  for (const [reason, words] of Object.entries(table)) {
    for (const word of words) assert.equal(finishReason(word), reason, word);
  }
  for (const word of ["", "null", null, undefined, "None"]) assert.equal(finishReason(word), null);
  assert.equal(finishReason("__proto__"), "stop");
  assert.ok(
    isProtocolFinish("stop") && isProtocolFinish(null) && !isProtocolFinish("") && !isProtocolFinish("STOP"),
  );
});
