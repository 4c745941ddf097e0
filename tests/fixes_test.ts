/** Fixes one by one, where an exchange shows too little: other bodies, other forms of them, other targets. */
import assert from "node:assert/strict";
import { fixes } from "../src/fixes/mod.ts";
import { isCodex, isGemini3, isOpenAi, isOpus47, isReasoner } from "../src/fixes/models.ts";
import { matching } from "../src/fixes/plan.ts";
import { schemaSubset } from "../src/fixes/schema_subset.ts";
import { repair } from "../src/repair.ts";
import { type ExchangeReport, onEnd } from "../src/wire/watcher.ts";
import { parseExact } from "../src/wire/exact_json.ts";
import type { Json } from "../src/wire/openai.ts";
import { symptoms } from "../src/doctor/symptoms.ts";
import { contextOf, fixed, fixOf, planned } from "./_fixes.ts";
import { test } from "./_test.ts";
import { chat, chunk, chunks, data, DONE, type Loose, upstream } from "./_upstream.ts";

const OK = [data(chunk({ role: "assistant", content: "x" }), chunk({}, "stop")) + DONE];
const call = (id: string, name = "read", args: unknown = "{}") => ({
  id,
  type: "function",
  function: { name, arguments: args },
});

async function run(body: Json, options: Loose = {}) {
  const { acts = OK, config = {}, ...init } = options;
  const state = upstream(acts, init);
  let report: ExchangeReport | undefined;
  const response = await repair(state.next, config, onEnd((each) => report = each))(chat(body));
  const text = await response.text();
  const sent = await state.requests[0]!.text();
  return { response, text, sent, report: report!, requests: state.requests };
}

test("the registry: ids are unique and say the vendor, each fix does something and says why", () => {
  const ids = fixes.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
  for (const { id, why, ref, symptoms, request, response, after, send, finish } of fixes) {
    assert.match(id, /^[a-z]+\/[a-z0-9.-]+$/);
    assert.ok(request || response || after || send || finish, id);
    assert.ok(why.endsWith(".") && ref !== "", id);
    for (const symptom of symptoms) assert.match(symptom, /^[A-E]\d+$/, id);
  }
});

test("the README's symptoms: every row has its number once, and every fix its rows", () => {
  const numbers = symptoms.map(({ number }) => number);
  assert.equal(new Set(numbers).size, numbers.length);
  for (const { id, symptoms } of fixes) {
    for (const number of symptoms) assert.ok(numbers.includes(number), `${id}: ${number}`);
  }
  for (const { number, by, left } of symptoms) {
    assert.ok(
      by ?? left ?? fixes.some((fix) => fix.symptoms.includes(number)),
      `${number} is mended, or says why not`,
    );
  }
  for (const [letter, count] of [["B", 8], ["C", 31], ["D", 18], ["E", 10]] as const) {
    assert.deepEqual(numbers.filter((number) => number.startsWith(letter)).length, count);
  }
});

test("rule 2: a request that no fix changes goes up byte for byte, and no header is added", async () => {
  const text =
    '{ "model":"claude-x",\n "n" : 1.0, "stream":true, "big": 12345678901234567890, "messages":[{"content":"\\u00e9","role":"user"}] }';
  const state = upstream(OK);
  const request = new Request("http://h/v1/chat/completions", { method: "POST", body: text });
  const response = await repair(state.next)(request);
  assert.equal(await state.requests[0]!.text(), text);
  assert.equal(response.headers.get("x-callmend-fixes"), null);
});

test("a request that is changed keeps the digits of large numbers, and loses its old length", async () => {
  const body =
    '{"model":"m","seed":9223372036854775807,"stream":true,"messages":[{"role":"developer","content":""}]}';
  const state = upstream(OK);
  const headers = { "content-length": String(body.length), authorization: "Bearer x" };
  await repair(state.next)(new Request("http://h/v1/chat/completions", { method: "POST", body, headers }));
  const [sent] = state.requests;
  assert.match(await sent!.text(), /"seed":9223372036854775807,.*"role":"system"/);
  assert.equal(sent!.headers.get("content-length"), null);
  assert.equal(sent!.headers.get("authorization"), "Bearer x");
});

test("the header and the report name the fixes that changed something, in streams and in JSON", async () => {
  const asked = { model: "gemini-2.5-pro", thinking: { budgetTokens: 5 }, messages: [] };
  const blocks = data(
    chunk({ role: "assistant", content_blocks: [{ delta: { thinking: "hm" } }] }),
    chunk({ content: "x" }),
    chunk({}, "STOP"),
  );
  const streamed = await run(asked, { acts: [blocks + DONE] });
  assert.equal(
    streamed.response.headers.get("x-callmend-fixes"),
    "gemini/budget-tokens, gemini/thinking-blocks, gemini/finish-stop",
  );
  assert.deepEqual(streamed.report.fixes, [
    "gemini/budget-tokens",
    "gemini/thinking-blocks",
    "gemini/finish-stop",
  ]);
  const message = { role: "assistant", content: "x", content_blocks: [{ thinking: "hm" }] };
  const completion = {
    id: "1",
    created: 1,
    model: "g",
    object: "chat.completion",
    choices: [{ index: 0, message, finish_reason: "stop" }],
  };
  const json = await run({ ...asked, stream: false }, {
    acts: [JSON.stringify(completion)],
    type: "application/json",
  });
  assert.equal(json.response.headers.get("x-callmend-fixes"), "gemini/budget-tokens, gemini/thinking-blocks");
  assert.equal(JSON.parse(json.text).choices[0].message.reasoning_content, "hm");
  const refused = await run(asked, { acts: ["no"], type: "text/plain", status: 400 });
  assert.deepEqual([refused.response.status, refused.text], [400, "no"]);
  assert.equal(refused.response.headers.get("x-callmend-fixes"), "gemini/budget-tokens");
});

test("a fix that throws is logged and skipped, on the way up and on the way back", () => {
  const bad = (part: Json) =>
    ({ id: "bad/x", why: "", ref: "", symptoms: [], applies: () => true, ...part }) as Loose;
  const explode = () => {
    throw new TypeError("boom");
  };
  const item = { chunk: { choices: [] } };
  const all = [
    bad({ request: explode }),
    fixOf("any/developer-role"),
    bad({ response: () => ({ chunk: explode, end: explode }) }),
    bad({ applies: explode }),
  ];
  const { body, applied, problems, plan } = planned(
    { model: "m", messages: [{ role: "developer" }] },
    "h",
    all,
  );
  assert.deepEqual(body["messages"], [{ role: "system" }]);
  assert.deepEqual(applied, ["any/developer-role"]);
  const { before } = plan.stages(body, body, []);
  assert.equal(before[0]!.chunk(item)[0], item);
  assert.equal(before[0]!.chunk(item)[0], item);
  assert.deepEqual(before[0]!.end(), []);
  assert.deepEqual(problems, Array(3).fill("fix-failed: bad/x: TypeError: boom"));
});

test("a fix that throws on its way to the upstream: what was asked goes up, what was answered comes back", async () => {
  const request = new Request("http://h/x", { method: "POST", body: "asked" });
  const next = async (request: Request) => new Response(`answer to ${await request.text()}`);
  const explode = () => {
    throw new TypeError("boom");
  };
  for (
    const send of [() => explode, (next: Loose) => async (request: Request) => {
      await next(request);
      explode();
    }] as Loose[]
  ) {
    const all = [{ id: "bad/x", why: "", ref: "", symptoms: [], applies: () => true, send }];
    const { plan, problems, applied } = planned({ model: "m" }, "h", all);
    const response = await plan.send(next, {})(request.clone());
    assert.equal(await response.text(), "answer to asked");
    assert.deepEqual([problems, applied], [["fix-failed: bad/x: TypeError: boom"], []]);
  }
  const refused = planned({ model: "m" }, "h", [fixOf("codex/responses")]).plan.send(
    () => Promise.reject(new Error("gone")),
    {},
  );
  await assert.rejects(refused(request), /gone/);
});

test("models are known by their names, with prefixes, spaces and dots", () => {
  const is = (match: (target: Loose) => boolean, model: string, host = "h") => match({ model, host });
  for (
    const model of [
      "gpt-5",
      "openai/gpt-4.1",
      "GPT 5.2",
      "o3-mini",
      "chatgpt-4o-latest",
      "gpt-oss-120b",
      "codex-mini-latest",
      "gpt4o",
    ]
  ) {
    assert.ok(is(isOpenAi, model), model);
  }
  for (const model of ["glm-5", "deepseek-r1", "llama-3", "qwen3-coder", "kimi-k2", "foo3", "gemini-3"]) {
    assert.ok(!is(isOpenAi, model), model);
  }
  assert.ok(
    is(isOpenAi, "my-deployment", "x.openai.azure.com") && !is(isOpenAi, "my-deployment", "notopenai.com"),
  );
  for (const model of ["gemini-3-pro", "Gemini 3 Flash Preview", "google/gemini-3.1-pro"]) {
    assert.ok(is(isGemini3, model), model);
  }
  for (const model of ["gemini-2.5-pro", "gemini-1.5-pro", "gemini-pro"]) {
    assert.ok(!is(isGemini3, model), model);
  }
  for (const model of ["gpt-5-codex", "gpt-5.1-codex-mini", "codex-mini-latest", "GPT 5.3 Codex"]) {
    assert.ok(is(isCodex, model), model);
  }
  for (const model of ["codestral", "gpt-5", "mycodexmodel"]) assert.ok(!is(isCodex, model), model);
  for (const model of ["claude-opus-4-7", "Claude Opus 4.7", "anthropic/claude-opus-4.7-fast"]) {
    assert.ok(is(isOpus47, model), model);
  }
  for (const model of ["claude-opus-4-6", "claude-opus-4-70"]) assert.ok(!is(isOpus47, model), model);
  for (const model of ["o1", "o4-mini", "gpt-5", "gpt-5-mini-2025-08-07", "GPT 5"]) {
    assert.ok(is(isReasoner, model), model);
  }
  for (const model of ["gpt-5.1", "gpt-5-chat-latest", "gpt-4o", "gpt-51"]) {
    assert.ok(!is(isReasoner, model), model);
  }
});

const schemas: readonly (readonly [why: string, schema: Json, wanted: Json])[] = [
  ["properties may be called like keywords", {
    properties: { $ref: { type: "string" }, not: {}, if: { not: {} } },
    required: ["not"],
  }, { properties: { $ref: { type: "string" }, not: {}, if: {} }, required: ["not"] }],
  ["data is no schema", { enum: ["$ref"], default: { $ref: "#/x", not: 1 }, const: { not: 1 } }, {
    enum: ["$ref"],
    default: { $ref: "#/x", not: 1 },
    const: { not: 1 },
  }],
  ["bounds: the stricter one, and draft 4", {
    minimum: 1,
    exclusiveMinimum: 5,
    maximum: 3,
    exclusiveMaximum: true,
  }, { minimum: 5, maximum: 3 }],
  ["a reference to nothing", { properties: { a: { $ref: "https://x/y.json", description: "d" } } }, {
    properties: { a: { description: "d" } },
  }],
  ["a pointer into the schema, escaped", {
    properties: { "a/b": { type: "string" }, c: { $ref: "#/properties/a~1b" } },
  }, { properties: { "a/b": { type: "string" }, c: { type: "string" } } }],
  ["a schema of itself", { type: "object", properties: { child: { $ref: "#" } } }, {
    type: "object",
    properties: { child: { type: "object", properties: { child: { type: "object" } } } },
  }],
  ["definitions, in a list", {
    definitions: { A: { anyOf: [{ type: "null" }, { const: 1 }] } },
    items: [{ $ref: "#/definitions/A" }],
  }, { items: [{ anyOf: [{ type: "null" }, { const: 1 }] }] }],
  ["OpenCode's names of schemas", { properties: { a: { ref: "Option", type: "object" } } }, {
    properties: { a: { type: "object" } },
  }],
];

test("gemini/schema: what is refused goes, what is data stays", () => {
  for (const [why, schema, wanted] of schemas) assert.deepEqual(schemaSubset(schema), wanted, why);
  const good = {
    type: "object",
    properties: { a: { anyOf: [{ type: "string" }, { enum: [1] }] } },
    additionalProperties: false,
  };
  assert.equal(schemaSubset(good), good);
});

test("gemini/schema: bounds that no double holds keep their digits", () => {
  const bounded = (text: string) =>
    JSON.stringify(schemaSubset(parseExact(text) as Json)).replace(/"type":"integer",?/, "");
  for (
    const [given, meant] of [
      ['"exclusiveMaximum":9007199254740993', '"maximum":9007199254740993'],
      ['"minimum":9007199254740993,"exclusiveMinimum":0', '"minimum":9007199254740993'],
      ['"maximum":-9223372036854775808,"exclusiveMaximum":5', '"maximum":-9223372036854775808'],
      ['"minimum":3,"exclusiveMinimum":9007199254740993', '"minimum":9007199254740993'],
    ]
  ) assert.equal(bounded(`{"type":"integer",${given}}`), `{${meant}}`);
});

test("gemini/schema: references that double with each level end soon", () => {
  const $defs: Json = { d0: { type: "string" } };
  for (let n = 1; n < 40; n++) {
    $defs[`d${n}`] = { properties: { a: { $ref: `#/$defs/d${n - 1}` }, b: { $ref: `#/$defs/d${n - 1}` } } };
  }
  const text = JSON.stringify(schemaSubset({ $defs, properties: { x: { $ref: "#/$defs/d39" } } }));
  assert.ok(text.length < 1_000_000 && !text.includes("$ref"));
});

test("gemini/thought-signatures: only calls without a signature become text, in every form of content", () => {
  const google = { extra_content: { google: { thought_signature: "s" } } };
  const image = { type: "image_url", image_url: { url: "x" } };
  const body = {
    model: "gemini-3-pro",
    messages: [
      { role: "user", content: "q" },
      { role: "assistant", content: "Look.", tool_calls: [{ ...call("a"), ...google }, call("b")] },
      { role: "tool", tool_call_id: "a", content: "1" },
      { role: "tool", tool_call_id: "b", content: "2" },
      {
        role: "assistant",
        content: [{ type: "text", text: "Again." }],
        tool_calls: [call("c", "read", '{"p":1}')],
      },
      { role: "tool", tool_call_id: "c", content: [{ type: "text", text: "3" }, image] },
    ],
  };
  const { messages } = fixed("gemini/thought-signatures", body) as Loose;
  assert.deepEqual(messages.slice(0, 4), body.messages.slice(0, 4));
  assert.deepEqual(messages[4], {
    role: "assistant",
    content: [{ type: "text", text: "Again." }, { type: "text", text: "Used tools: read" }],
  });
  assert.deepEqual(messages[5], {
    role: "user",
    content: [{ type: "text", text: 'Result of read with {"p":1}:' }, { type: "text", text: "3" }, image],
  });
  assert.equal(
    fixed("gemini/thought-signatures", { ...body, model: "gemini-2.5-pro" })["messages"],
    body.messages,
  );
  const elsewhere = [
    { role: "assistant", tool_calls: [call("call_1__thought__c2ln")] }, // LiteLLM
    { role: "assistant", reasoning_details: [{ data: "x" }], tool_calls: [call("a")] }, // OpenRouter
  ];
  for (const message of elsewhere) {
    const signed = { ...body, messages: [message] };
    assert.equal(fixed("gemini/thought-signatures", signed), signed);
  }
  const stripped = fixed("gemini/thought-signatures", body, { host: "api.nexos.ai" }) as Loose;
  assert.ok(!JSON.stringify(stripped).includes("tool_call"), "what a gateway strips cannot be sent");
});

test("claude/cache-control: the client's own marks stay alone, wherever they are; a parameter of that name is none", () => {
  const mark = { cache_control: { type: "ephemeral" } };
  const messages = [{ role: "system", content: "s" }, { role: "user", content: "u" }];
  const tool = (more: object = {}, parameters: object = {}) => ({
    type: "function",
    function: { name: "f", parameters, ...more },
  });
  const body = { model: "claude-opus-4.5", messages, tools: [tool()] };
  const marked: readonly Json[] = [
    { ...body, ...mark }, // Anthropic marks the last block by itself then, which counts as one of four
    { ...body, messages: [{ role: "system", content: [{ type: "text", text: "s", ...mark }] }, messages[1]] },
    { ...body, messages: [{ ...messages[0], ...mark }, messages[1]] },
    { ...body, tools: [tool(mark)] },
    { ...body, tools: [{ ...tool(), ...mark }] },
  ];
  for (const own of marked) assert.equal(fixed("claude/cache-control", own), own, JSON.stringify(own));
  const named = { ...body, tools: [tool({}, { properties: { cache_control: { type: "string" } } })] };
  for (const plain of [body, named, { ...body, cache_control: null }]) {
    const text = JSON.stringify(fixed("claude/cache-control", plain));
    assert.equal(text.split('"cache_control":{"type":"ephemeral"}').length - 1, 3, text);
  }
});

test("claude/cached-tokens: added only where they are not in the prompt's yet", () => {
  const stage = fixOf("claude/cached-tokens").response!({ ...contextOf(), asked: {}, sent: {}, tools: [] })!;
  const usage = (prompt: number, cached: number, total: number) => {
    const given = {
      prompt_tokens: prompt,
      completion_tokens: 5,
      total_tokens: total,
      prompt_tokens_details: { cached_tokens: cached },
    };
    const [item] = stage.chunk({ chunk: { choices: [], usage: given } });
    const now = item!.chunk["usage"] as Loose;
    return [now.prompt_tokens, now.total_tokens];
  };
  assert.deepEqual(usage(10, 100, 115), [110, 115]);
  assert.deepEqual(usage(10, 100, 15), [110, 115]);
  assert.deepEqual(usage(110, 100, 115), [110, 115], "the protocol's way");
  assert.deepEqual(usage(10, 0, 15), [10, 15]);
});

test("mistral/parameters: Mistral's models, wherever they are asked", () => {
  const body = (model: string, host = "h") =>
    planned({ model, max_completion_tokens: 9, store: true, messages: [] }, host).body;
  assert.deepEqual(body("codestral-2508"), { model: "codestral-2508", messages: [], max_tokens: 9 });
  assert.deepEqual(body("x", "api.mistral.ai"), { model: "x", messages: [], max_tokens: 9 });
  assert.ok("store" in body("gpt-4.1"));
});

test("chatgpt: which models refuse what", () => {
  const none = (model: string, host = "h") =>
    planned({ model, reasoning_effort: "none", messages: [] }, host).body;
  for (const model of ["gpt-5", "o3", "gpt-4.1", "gpt-5.2-pro", "gpt-5.1-codex"]) {
    assert.ok(!("reasoning_effort" in none(model)), model);
  }
  assert.ok("reasoning_effort" in none("gpt-5.1") && "reasoning_effort" in none("deepseek-v3"));
  assert.ok(!("reasoning_effort" in none("gpt-5.2", "api.nexos.ai")));
  assert.ok(!("reasoning_effort" in none("GPT 5.2"))); // as nexos.ai calls it
  const limit = (model: string) => Object.keys(planned({ model, max_tokens: 9, messages: [] }).body);
  for (const model of ["o3-mini", "openai/gpt-5.2"]) {
    assert.deepEqual(limit(model), ["model", "messages", "max_completion_tokens"], model);
  }
  for (const model of ["gpt-4.1", "gpt-oss-120b"]) assert.ok(limit(model).includes("max_tokens"), model);
  const temperature = (model: string, temperature: unknown) =>
    "temperature" in planned({ model, temperature, messages: [] }).body;
  assert.deepEqual([
    temperature("gpt-5", 0.2),
    temperature("gpt-5", 1),
    temperature("gpt-4.1", 0.2),
    temperature("m", false),
  ], [false, true, true, false]);
});

test("deepseek/tool-choice: forced becomes auto while thinking, and nothing else does", () => {
  const choice = (body: Json, host?: string) =>
    planned({
      tool_choice: "required",
      tools: [{}],
      messages: [{ role: "user", content: [{ type: "text", text: "q" }] }],
      ...body,
    }, host).body as Loose;
  for (
    const body of [{ model: "deepseek-v4" }, { model: "deepseek-chat", thinking: { type: "enabled" } }, {
      model: "kimi-k2.5",
    }, { model: "qwen3-max", enable_thinking: true }]
  ) {
    const { tool_choice, messages } = choice(body);
    assert.equal(tool_choice, "auto", body.model);
    assert.match(messages[0].content[1].text, /call of one of the tools/);
  }
  for (
    const body of [
      { model: "deepseek-v4", thinking: { type: "disabled" } },
      { model: "deepseek-chat" },
      { model: "qwen3.6-27b" },
      { model: "gpt-5" },
      { model: "kimi-k2-instruct" },
    ]
  ) {
    assert.equal(choice(body).tool_choice, "required", body.model);
  }
  assert.equal(choice({ model: "qwen3.6-plus" }, "dashscope.aliyuncs.com").tool_choice, "auto");
  assert.equal(choice({ model: "qwen/qwen3.8-flash" }, "gateway.test").tool_choice, "auto");
  assert.equal(choice({ model: "qwen/qwen3.8-flash", enable_thinking: false }).tool_choice, "required");
  assert.equal(choice({ model: "deepseek-v4", tool_choice: "none" }).tool_choice, "none");
  for (const mode of ["required", "auto"]) {
    const allowed = { type: "allowed_tools", allowed_tools: { mode, tools: [] } };
    const { tool_choice } = choice({ model: "deepseek-v4", tool_choice: allowed });
    assert.deepEqual(tool_choice, mode === "required" ? "auto" : allowed);
  }
  const among = (...names: string[]) => {
    const tools = names.map((name) => ({ type: "function", function: { name } }));
    const allowed = { type: "allowed_tools", allowed_tools: { mode: "required", tools } };
    return choice({ model: "deepseek-v4", tool_choice: allowed }).messages[0].content[1].text;
  };
  assert.match(among("a"), /the tool a\./);
  assert.match(among("a", "b"), /one of the tools a, b\./);
  const after = choice({
    model: "deepseek-v4",
    messages: [{ role: "user", content: "q" }, { role: "assistant", tool_calls: [call("a")] }, {
      role: "tool",
      tool_call_id: "a",
      content: "r",
    }],
  });
  assert.equal(after.messages.at(-1).role, "user");
});

test("qwen/one-system: one system message at the front stays as it is, also in parts", () => {
  const one = {
    model: "qwen3",
    messages: [{ role: "system", content: [{ type: "text", text: "a" }] }, { role: "user", content: "q" }],
  };
  assert.equal(fixed("qwen/one-system", one), one);
  const late = fixed("qwen/one-system", {
    model: "qwen3",
    messages: [{ role: "user", content: "q" }, { role: "system", content: "a" }],
  });
  assert.deepEqual((late as Loose).messages.map(({ role }: Json) => role), ["system", "user"]);
  const image = { type: "image_url", image_url: { url: "x" } };
  const mixed = fixed("qwen/one-system", {
    messages: [{ role: "system", content: "a" }, { role: "system", content: [image] }],
  }) as Loose;
  assert.deepEqual(mixed.messages, [{ role: "system", content: [{ type: "text", text: "a" }, image] }]);
});

test("mistral/call-ids: the same id each time, no two alike, and back in the answer", async () => {
  const ids = Array.from({ length: 500 }, (_, n) => `call_${n}`);
  const messages = ids.flatMap((
    id,
  ) => [{ role: "assistant", tool_calls: [call(id)] }, { role: "tool", tool_call_id: id, content: "r" }]);
  const sent = fixed("mistral/call-ids", { messages })["messages"] as Loose[];
  const mapped = sent.filter(({ role }) => role === "assistant").map(({ tool_calls }) => tool_calls[0].id);
  assert.equal(new Set(mapped).size, ids.length);
  for (const id of mapped) assert.match(id, /^[a-zA-Z0-9]{9}$/);
  assert.deepEqual(
    sent.filter(({ role }) => role === "tool").map(({ tool_call_id }) => tool_call_id),
    mapped,
  );
  assert.deepEqual(
    fixed("mistral/call-ids", { messages: messages.slice(0, 2) })["messages"],
    sent.slice(0, 2),
  );
  const echo = chunk({
    role: "assistant",
    tool_calls: [{ index: 0, ...call(mapped[0], "read", '{"path":"x"}') }],
  }, "tool_calls");
  const { text } = await run({ model: "mistral-large", messages: messages.slice(0, 2) }, {
    acts: [data(echo) + DONE],
  });
  assert.equal(chunks(text)[0].choices[0].delta.tool_calls[0].id, "call_0");
});

test("any/tool-names: two names that become alike stay two, long ones are cut, and the answer has the client's", async () => {
  const names = ["a.b", "a b", "a_b", "n".repeat(70), "n".repeat(69) + "m"];
  const tools = names.map((name) => ({
    type: "function",
    function: { name, parameters: { type: "object", properties: {} } },
  }));
  const { body } = planned({
    model: "m",
    tools,
    messages: [{ role: "assistant", tool_calls: [call("1", "gone.tool")] }],
  });
  const sent = (body as Loose).tools.map((tool: Loose) => tool.function.name) as string[];
  assert.equal(new Set(sent).size, names.length);
  assert.equal(sent[2], "a_b");
  for (const name of sent) assert.match(name, /^[\w-]{1,64}$/);
  assert.equal((body as Loose).messages[0].tool_calls[0].function.name, "gone_tool");
  for (const [n, name] of sent.entries()) {
    const asText = `<tool_call>{"name":"${name}","arguments":{}}</tool_call>`;
    for (const delta of [{ content: asText }, { tool_calls: [{ index: 0, ...call("c9", name) }] }]) {
      const { text } = await run({ tools }, {
        acts: [data(chunk({ role: "assistant", ...delta }), chunk({}, "stop")) + DONE],
      });
      const [called] = chunks(text).flatMap((each) => each.choices[0]?.delta.tool_calls ?? []);
      assert.equal(called.function.name, names[n]);
    }
  }
});

test("claude/empty-text: a turn of the assistant that says nothing goes, however it says so", () => {
  const user = { role: "user", content: "q" };
  const left = (message: Json) =>
    fixed("claude/empty-text", { model: "claude-x", messages: [user, message, user] }).messages as Json[];
  for (const content of ["", null, undefined, [], [{ type: "text", text: "" }]]) {
    assert.deepEqual(left({ role: "assistant", content }), [user, user]);
  }
  const kept = [
    { role: "assistant", content: null, tool_calls: [call("1")] },
    { role: "assistant", content: null, refusal: "no" },
    { role: "assistant", content: "a" },
  ];
  for (const message of kept) assert.equal(left(message)[1], message);
});

test("any/tool-names: a model that knows the client's own name may use it as well (rule 6)", async () => {
  const parameters = {
    type: "object",
    properties: { query: { type: "string" }, limit: { type: "integer" } },
  };
  const tools = [{ type: "function", function: { name: "browser.search", parameters } }];
  for (
    const content of [
      '<|channel|>analysis to=browser.search code<|message|>{"query":"x","limit":1}<|call|>',
      "<browser.search>\n<query>x</query>\n<limit>1</limit>\n</browser.search>\nLet me see.",
      '[browser.search(query="x", limit=1)]',
    ]
  ) {
    const { text } = await run({ tools }, {
      acts: [data(chunk({ role: "assistant", content }), chunk({}, "stop")) + DONE],
    });
    const calls = chunks(text).flatMap((each) => each.choices[0]?.delta.tool_calls ?? []);
    assert.equal(calls[0]?.function.name, "browser.search", content);
    const made = calls.map((each: Loose) => each.function.arguments).join("");
    assert.deepEqual(JSON.parse(made), { query: "x", limit: 1 });
  }
});

test("any/tool-result-text: text parts become text but for OpenAI, other parts stay", () => {
  const content = [{ type: "text", text: "a" }, { type: "input_audio" }];
  const body = (model: string, content: unknown) => ({
    model,
    messages: [{ role: "assistant", tool_calls: [call("1")] }, { role: "tool", tool_call_id: "1", content }],
  });
  const contentOf = (body: Json) => (planned(body).body as Loose).messages[1].content;
  assert.equal(contentOf(body("m", content)), content);
  assert.equal(contentOf(body("m", [{ type: "text", text: "a" }, "b"])), "a\nb");
  const parts = [{ type: "text", text: "a" }];
  assert.equal(contentOf(body("gpt-5", parts)), parts);
  assert.equal(contentOf(body("claude-x", parts)), parts);
  assert.equal(contentOf(body("m", [])), "");
});

test("any/parallel-wrapper: what cannot be read stays one call, and one that was cut is not whole", async () => {
  const wrapper = (args: string, finish = "tool_calls") =>
    run({}, {
      acts: [
        data(
          chunk({
            role: "assistant",
            tool_calls: [{ index: 0, ...call("c", "multi_tool_use.parallel", args) }],
          }),
          chunk({}, finish),
        ) + DONE,
      ],
    });
  const uses = '{"tool_uses":[{"recipient_name":"functions.read","parameters":{"path":"a"}}]}';
  const names = ({ text }: { text: string }) =>
    chunks(text).flatMap((each) =>
      (each.choices[0].delta.tool_calls ?? []).map((call: Loose) => call.function.name ?? "")
    );
  assert.deepEqual(names(await wrapper(uses)), ["read"]);
  const piece = (args: string, name?: string) =>
    chunk({
      tool_calls: [{
        index: 0,
        ...(name && { id: "c" }),
        function: { ...(name && { name }), arguments: args },
      }],
    }, "null");
  const pieces = [
    piece(uses.slice(0, 30), "functions.multi_tool_use.parallel"),
    piece(uses.slice(30)),
    chunk({}, "stop"),
  ];
  assert.deepEqual(names(await run({}, { acts: [data(...pieces)] })), ["read"]);
  assert.deepEqual(names(await wrapper('{"x":1}')), ["multi_tool_use.parallel"]);
  const cut = await wrapper(uses.slice(0, 40), "length");
  assert.equal(chunks(cut.text).at(-1).choices[0].finish_reason, "length");
});

test("finish reasons are mended in JSON for requests without tools as well", async () => {
  for (const [model, word] of [["claude-sonnet-4-5", "end_turn"], ["gemini-2.5-pro", "STOP"]] as const) {
    for (const disabledFixes of [[], ["gemini/thinking-blocks"]]) {
      const said = { role: "assistant", content: "hi" };
      const completion = {
        id: "c",
        object: "chat.completion",
        created: 1,
        model,
        choices: [{ index: 0, message: said, finish_reason: word }],
      };
      const next = () => Promise.resolve(Response.json(completion));
      const response = await repair(next, { disabledFixes })(
        chat({ model, stream: false, tools: undefined }),
      );
      assert.deepEqual(await response.json(), {
        ...completion,
        choices: [{ ...completion.choices[0], finish_reason: "stop" }],
      });
    }
  }
});

test("any/tool-names: every form of tool_choice has the new names", () => {
  const named = { type: "function", function: { name: "mcp.read" } };
  const body = (tool_choice: unknown) => ({ model: "gpt-4o", tools: [named], messages: [], tool_choice });
  const allowed = (tool: unknown) => ({
    type: "allowed_tools",
    allowed_tools: { mode: "auto", tools: [tool] },
  });
  const plain = { type: "function", function: { name: "mcp_read" } };
  const flat = (name: string) => ({
    type: "allowed_tools",
    mode: "auto",
    tools: [{ type: "function", name }],
  });
  for (
    const [given, meant] of [
      [named, plain],
      [{ type: "function", name: "mcp.read" }, { type: "function", name: "mcp_read" }],
      [allowed(named), allowed(plain)],
      [allowed({ type: "function", name: "mcp.read" }), allowed({ type: "function", name: "mcp_read" })],
      [flat("mcp.read"), flat("mcp_read")],
      ["auto", "auto"],
    ]
  ) assert.deepEqual((fixed("any/tool-names", body(given)) as Loose).tool_choice, meant);
});

test("claude/end-turn switched off: the word goes on as it is", async () => {
  const acts = [data(chunk({ role: "assistant", content: "x" }), chunk({}, "end_turn")) + DONE];
  const finish = async (config: Json) =>
    chunks((await run({ model: "claude-x" }, { acts, config })).text).at(-1).choices[0].finish_reason;
  assert.equal(await finish({}), "stop");
  assert.equal(await finish({ disabledFixes: ["claude/end-turn"] }), "end_turn");
});

test("usage is asked for where the client does not say, and never against its word", () => {
  const asked = (stream_options: object | undefined) =>
    planned({ model: "m" }, "nano-gpt.com", [fixOf("nanogpt/usage")]).plan.request({
      stream: true,
      ...(stream_options && { stream_options }),
    });
  assert.deepEqual(asked(undefined).stream_options, { include_usage: true });
  assert.deepEqual(asked({ x: 1 }).stream_options, { x: 1, include_usage: true });
  assert.deepEqual(asked({ include_usage: false }).stream_options, { include_usage: false });
});

test("which fixes apply to a model is found once; a name without end is not kept", () => {
  const found = (model: string) => matching({ model, host: "h" }, { problem: () => {} });
  assert.ok(found("gemini-2.5-pro").some(({ id }) => id === "gemini/thought-signatures"));
  assert.equal(found("gemini-2.5-pro"), found("gemini-2.5-pro"));
  const long = `gemini-${"x".repeat(10_000)}`;
  assert.notEqual(found(long), found(long));
  assert.deepEqual(found(long), found(long));
});
