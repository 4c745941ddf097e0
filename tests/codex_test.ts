/** Codex models on `/responses`: what goes up, and what comes of every kind of answer. */
import assert from "node:assert/strict";
import { toResponses } from "../src/fixes/responses_request.ts";
import { repair } from "../src/repair.ts";
import { fold } from "../src/wire/fold.ts";
import { test } from "./_test.ts";
import { type Act, chat, chunk, chunks, cut, data, DONE, type Loose, upstream } from "./_upstream.ts";

const event = (type: string, more: Loose = {}) =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
const envelope = { id: "resp_1", object: "response", created_at: 5, model: "gpt-5-codex" };
const created = event("response.created", { response: { ...envelope, status: "in_progress", output: [] } });
const item = {
  type: "function_call",
  id: "fc_1",
  call_id: "call_1",
  name: "read",
  arguments: '{"path":"é"}',
};
const message = {
  type: "message",
  id: "m_1",
  role: "assistant",
  content: [{ type: "output_text", text: "Hé" }],
};
const done = (more: Loose = {}) =>
  event("response.completed", { response: { ...envelope, status: "completed", output: [], ...more } });

async function run(acts: readonly Act[], body: Loose = {}, options: Loose = {}) {
  const state = upstream(acts, options);
  const response = await repair(state.next)(chat({ model: "gpt-5-codex", ...body }));
  return { state, response, text: await response.text() };
}

const turn = (text: string): Loose => (fold(chunks(text)) as Loose).choices[0];

test("codex: the request goes to /responses of the same API, with its headers and its own length", async () => {
  const state = upstream([created + done()]);
  const request = new Request("http://h/api/v1/chat/completions?x=1", {
    method: "POST",
    headers: { authorization: "Bearer k", "content-length": "7", "x-title": "t" },
    body: JSON.stringify({
      model: "openai/gpt-5.1-codex-mini",
      stream: true,
      messages: [{ role: "user", content: "q" }],
    }),
  });
  const response = await repair(state.next)(request);
  await response.text();
  const [sent] = state.requests;
  assert.equal(sent!.url, "http://h/api/v1/responses?x=1");
  assert.deepEqual([
    sent!.headers.get("authorization"),
    sent!.headers.get("content-length"),
    sent!.headers.get("x-title"),
  ], ["Bearer k", null, "t"]);
  assert.equal(response.headers.get("x-callmend-fixes"), "codex/responses");
});

test("codex: every form of a message has its item", () => {
  const { input, instructions } = toResponses({
    model: "gpt-5-codex",
    messages: [
      { role: "developer", content: [{ type: "text", text: "a" }] },
      { role: "system", content: "b" },
      { role: "user", content: [{ type: "text", text: "q" }, { type: "file", file: { file_id: "f" } }] },
      {
        role: "assistant",
        content: "",
        tool_calls: [{ id: "1", function: { name: "x", arguments: { a: 1 } } }, {
          id: "2",
          type: "custom",
          custom: { name: "y", input: "z" },
        }],
      },
      { role: "tool", tool_call_id: "1", content: [{ type: "text", text: "r" }] },
      { role: "tool", tool_call_id: "2", content: [{ type: "image_url", image_url: { url: "u" } }] },
      { role: "system", content: "late" },
      { role: "assistant", content: [{ type: "text", text: "t" }], refusal: null },
    ],
  });
  assert.equal(instructions, "a\n\nb");
  assert.deepEqual(input, [
    {
      type: "message",
      role: "user",
      content: [{ type: "input_text", text: "q" }, { type: "input_file", file_id: "f" }],
    },
    { type: "function_call", call_id: "1", name: "x", arguments: '{"a":1}' },
    { type: "custom_tool_call", call_id: "2", name: "y", input: "z" },
    { type: "function_call_output", call_id: "1", output: "r" },
    {
      type: "custom_tool_call_output",
      call_id: "2",
      output: [{ type: "input_image", image_url: "u", detail: "auto" }],
    },
    { type: "message", role: "developer", content: "late" },
    { type: "message", role: "assistant", content: [{ type: "output_text", text: "t" }] },
  ]);
});

test("codex: parameters have their other names, and what has none is left out", () => {
  const { input: _, ...body } = toResponses({
    model: "m",
    messages: [],
    n: 2,
    stop: ["x"],
    seed: 1,
    max_tokens: 5,
    max_completion_tokens: 6,
    temperature: 0.5,
    reasoning_effort: "none",
    reasoning: { summary: "auto" },
    verbosity: "low",
    response_format: { type: "json_object" },
    tool_choice: {
      type: "allowed_tools",
      allowed_tools: { mode: "auto", tools: [{ type: "function", function: { name: "x" } }] },
    },
    tools: [{ type: "function", function: { name: "x", strict: true } }, { type: "web_search" }],
    stream_options: { include_usage: true },
  });
  assert.deepEqual(body, {
    model: "m",
    temperature: 0.5,
    max_output_tokens: 6,
    stream: false,
    store: false,
    reasoning: { summary: "auto" },
    text: { format: { type: "json_object" }, verbosity: "low" },
    tool_choice: { type: "allowed_tools", mode: "auto", tools: [{ type: "function", name: "x" }] },
    tools: [{ type: "function", name: "x", parameters: { type: "object", properties: {} }, strict: true }, {
      type: "web_search",
    }],
  });
});

const ARGUMENTS = ['{"path"', ':"é"}'].map((delta) =>
  event("response.function_call_arguments.delta", { item_id: "fc_1", output_index: 0, delta })
);
const ADDED = event("response.output_item.added", { output_index: 0, item: { ...item, arguments: "" } });
const FINISHED = event("response.output_item.done", { output_index: 0, item });
const streams: readonly (readonly [why: string, stream: string])[] = [
  ["as OpenAI sends it", created + ADDED + ARGUMENTS.join("") + FINISHED + done({ output: [item] })],
  ["the item only when it is whole", created + FINISHED + done({ output: [item] })],
  ["nothing but the end", done({ output: [item] })],
  ["without deltas", created + ADDED + FINISHED + done({ output: [item] })],
  ["the last delta lost", created + ADDED + ARGUMENTS[0] + FINISHED + done()],
  [
    "without places",
    (created + ADDED + ARGUMENTS.join("") + FINISHED).replaceAll('"output_index":0,', "") +
    done({ output: [item] }),
  ],
  [
    "without event names, with CRLF and comments",
    `: x\n\n${created + ADDED + ARGUMENTS.join("") + done()}`.replace(/event: .*\n/g, "").replaceAll(
      "\n",
      "\r\n",
    ),
  ],
  ["nothing behind it", created + ADDED + ARGUMENTS.join("") + done() + DONE],
];

test("codex: a call comes once and whole, however the server sends it, at every cut", async () => {
  for (const [why, stream] of streams) {
    const bytes = new TextEncoder().encode(stream);
    for (let at = 0; at < bytes.length; at += 11) {
      const { text } = await run(cut(bytes, at));
      const { message, finish_reason } = turn(text);
      assert.deepEqual(message.tool_calls, [{
        id: "call_1",
        type: "function",
        function: { name: "read", arguments: '{"path":"é"}' },
      }], why);
      assert.equal(finish_reason, "tool_calls");
      assert.equal(text.split("[DONE]").length, 2);
    }
  }
});

test("codex: text, refusals and reasoning", async () => {
  const summary = (summary_index: number, delta: string) =>
    event("response.reasoning_summary_text.delta", { output_index: 0, summary_index, delta });
  const text = (delta: string) => event("response.output_text.delta", { output_index: 1, delta });
  const full = await run([
    created + summary(0, "a") + summary(0, "b") + summary(1, "c") + text("H") + text("é") +
    event("response.output_item.done", { output_index: 1, item: message }) +
    done({ output: [{ type: "reasoning" }, message] }),
  ]);
  assert.deepEqual([turn(full.text).message.content, turn(full.text).message.reasoning_content], [
    "Hé",
    "ab\n\nc",
  ]);
  const late = await run([
    created + done({ output: [{ type: "reasoning", summary: [{ text: "a" }, { text: "b" }] }, message] }),
  ]);
  assert.deepEqual([turn(late.text).message.content, turn(late.text).message.reasoning_content], [
    "Hé",
    "a\n\nb",
  ]);
  const refused = await run([
    created + event("response.refusal.delta", { output_index: 0, delta: "No." }) + done(),
  ]);
  assert.equal(turn(refused.text).message.refusal, "No.");
});

test("codex: usage comes when it was asked for", async () => {
  const usage = { input_tokens: 3, output_tokens: 4, total_tokens: 7 };
  const asked = await run([created + done({ output: [message], usage })], {
    stream_options: { include_usage: true },
  });
  assert.equal((fold(chunks(asked.text)) as Loose).usage.total_tokens, 7);
  const not = await run([created + done({ output: [message], usage })]);
  assert.ok(!not.text.includes("usage"));
});

test("codex: how a response can end", async () => {
  const ended = async (stream: string) => turn((await run([created + stream])).text).finish_reason;
  const incomplete = (reason: string) =>
    event("response.incomplete", {
      response: { ...envelope, status: "incomplete", incomplete_details: { reason }, output: [message] },
    });
  assert.equal(await ended(incomplete("max_output_tokens")), "length");
  assert.equal(await ended(incomplete("content_filter")), "content_filter");
  assert.equal(await ended(event("response.output_text.delta", { output_index: 0, delta: "x" })), "stop");
  const error = { code: "rate_limit_exceeded", message: "slow down" };
  for (
    const stream of [
      event("response.failed", { response: { ...envelope, status: "failed", error } }),
      event("error", error),
      event("error", { error }),
    ]
  ) {
    const { response, text } = await run([created + stream]);
    assert.deepEqual([response.status, JSON.parse(text).error.message], [429, "slow down"]);
  }
  const late = await run([
    created + event("response.output_text.delta", { output_index: 0, delta: "x" }),
    event("response.failed", { response: { status: "failed", error } }),
  ]);
  assert.ok(late.text.includes("slow down") && !late.text.includes("[DONE]"));
  const broken = await run([
    created + event("response.output_text.delta", { output_index: 0, delta: "x" }),
    new Error("gone"),
  ]);
  assert.ok(broken.text.includes("upstream_disconnected"));
});

test("codex: JSON and streams, whichever was asked for and whichever came", async () => {
  const json = JSON.stringify({
    ...envelope,
    status: "completed",
    output: [message, item],
    usage: { input_tokens: 1, output_tokens: 2 },
  });
  for (
    const [acts, type] of [[[json], "application/json"], [
      [created + done({ output: [message, item] })],
      "text/event-stream",
    ]] as const
  ) {
    const whole = JSON.parse((await run(acts, { stream: false }, { type })).text);
    assert.equal(whole.object, "chat.completion");
    const streamed = fold(chunks((await run(acts, {}, { type })).text)) as Loose;
    for (const { choices } of [whole, streamed]) {
      assert.equal(choices[0].message.content, "Hé");
      assert.equal(choices[0].message.tool_calls[0].function.arguments, '{"path":"é"}');
      assert.equal(choices[0].finish_reason, "tool_calls");
    }
  }
  const failed = await run(
    [JSON.stringify({ ...envelope, status: "failed", error: { message: "no", code: "server_error" } })],
    { stream: false },
    { type: "application/json" },
  );
  assert.equal(JSON.parse(failed.text).error.message, "no");
});

test("codex: errors of the upstream pass as they are; one without /responses is asked as before", async () => {
  const error = '{"error":{"message":"bad"}}';
  const refused = await run([error], {}, { status: 400, type: "application/json" });
  assert.deepEqual([refused.response.status, refused.text, refused.state.requests.length], [400, error, 1]);
  const urls: string[] = [];
  const fetch = repair(async (request) => {
    urls.push(new URL(request.url).pathname);
    if (request.url.endsWith("/responses")) return new Response("no such route", { status: 404 });
    const { messages } = await request.json();
    const stream = data(chunk({ role: "assistant", content: messages[0].content }), chunk({}, "stop")) + DONE;
    return new Response(stream, { headers: { "content-type": "text/event-stream" } });
  });
  const text = await (await fetch(chat({ model: "codex-7b", messages: [{ role: "user", content: "echo" }] })))
    .text();
  assert.equal(turn(text).message.content, "echo");
  assert.deepEqual(urls, ["/v1/responses", "/v1/chat/completions"]);
});

test("codex: a client that goes away ends the upstream's answer", async () => {
  const state = upstream([created + event("response.output_text.delta", { output_index: 0, delta: "x" })], {
    open: true,
  });
  const response = await repair(state.next)(chat({ model: "gpt-5-codex" }));
  const reader = response.body!.getReader();
  await reader.read();
  await reader.cancel();
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.equal(state.cancelled, true);
});

test("request: a custom tool's grammar stands in its format", () => {
  const grammar = { syntax: "lark", definition: "start: X" };
  const custom = { name: "apply", format: { type: "grammar", grammar } };
  const { tools } = toResponses({ model: "m", messages: [], tools: [{ type: "custom", custom }] });
  assert.deepEqual(tools, [{ type: "custom", name: "apply", format: { type: "grammar", ...grammar } }]);
});
