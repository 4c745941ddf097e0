/** The modes: what is asked, when it is asked again, and what the client sees of it. */
import assert from "node:assert/strict";
import { repair } from "../src/repair.ts";
import type { RepairConfig } from "../src/repair_config.ts";
import { type ExchangeReport, onEnd } from "../src/wire/watcher.ts";
import { fold } from "../src/wire/fold.ts";
import { ask, errorOf, httpUpstream, proxyTo } from "./_servers.ts";
import { test } from "./_test.ts";
import {
  type Act,
  chat,
  chunk,
  chunks,
  data,
  DONE,
  events,
  type Loose,
  readTool,
  upstream,
} from "./_upstream.ts";

/** One answer of the upstream. */
interface Answer {
  readonly acts: readonly Act[];
  readonly status?: number;
  readonly type?: string;
}

const stream = (...acts: Act[]): Answer => ({ acts });
const json = (value: unknown, status = 200): Answer => ({
  acts: [JSON.stringify(value)],
  status,
  type: "application/json",
});

/** What a model says, as a stream of small pieces. */
const says = (text: string, finish: string | null = "stop"): Answer =>
  stream(
    data(chunk({ role: "assistant", content: "" })),
    ...Array.from(text.match(/[^]{1,5}/gu) ?? [], (content) => data(chunk({ content }))),
    ...(finish === null ? [] : [data(chunk({}, finish))]),
    data(chunk({}, null, { choices: [], usage: { total_tokens: 9 } })),
    DONE,
  );

const whole = (message: unknown, finish_reason = "stop") =>
  json({
    id: "c1",
    object: "chat.completion",
    created: 1,
    model: "m",
    choices: [{ index: 0, message, finish_reason }],
    usage: { total_tokens: 9 },
  });

/** Answers the nth request with the nth answer, and keeps what it was asked. */
function sequence(answers: readonly Answer[]) {
  const asked: Loose[] = [];
  const headers: Headers[] = [];
  const next = async (request: Request): Promise<Response> => {
    const { acts, ...options } = answers[asked.length] ?? assert.fail("asked too often");
    headers.push(request.headers);
    asked.push(await request.json());
    return upstream(acts, options).next(request);
  };
  return { next, asked, headers };
}

async function exchange(
  answers: readonly Answer[],
  config: Partial<RepairConfig> = { mode: "bridge" },
  body: Loose = {},
) {
  const { next, asked, headers } = sequence(answers);
  const reports: ExchangeReport[] = [];
  const fetch = repair(next, { peekMs: 50, ...config }, onEnd((report) => reports.push(report)));
  const response = await fetch(chat(body));
  const text = await response.text();
  return { response, text, asked, headers, report: reports[0]!, reports };
}

function turn(text: string): Loose {
  assert.equal(events(text).filter((event) => event === "[DONE]").length, 1);
  const all = chunks(text);
  assert.equal(all[0].choices[0].delta.role, "assistant");
  assert.equal(all.filter(({ choices }) => choices[0]?.delta.role !== undefined).length, 1, "one role");
  assert.equal(new Set(all.map(({ id }) => id)).size, 1, "one id");
  const { message, finish_reason } = (fold(all) as Loose).choices[0];
  return {
    content: message.content || null,
    reasoning: message.reasoning_content,
    calls: (message.tool_calls ?? []).map(({ function: { name, arguments: given } }: Loose) => [name, given]),
    finish: finish_reason,
  };
}

const CALL =
  '[[OPENCODE_TOOL]]\n[[CALL]]\n{"name": "read", "arguments": {"path": "a"}}\n[[/CALL]]\n[[/OPENCODE_TOOL]]';
const called = {
  content: null,
  reasoning: undefined,
  calls: [["read", '{"path":"a"}']],
  finish: "tool_calls",
};
const NOTHING = says("");
const codes = ({ problems }: ExchangeReport) => problems.map(({ code }) => code);

test("bridge: the model is asked in text, and what it writes becomes a call", async () => {
  const { text, asked, report, headers } = await exchange([says(CALL)], { mode: "bridge" });
  assert.deepEqual(turn(text), called);
  assert.equal(asked[0].tools, undefined);
  assert.match(asked[0].messages[0].content, /### read/);
  assert.equal(report.finish, "tool_calls");
  assert.equal(report.calls, 1);
  assert.deepEqual(report.dialects, ["bridge-markers"]);
  assert.equal(headers[0]!.get("content-length"), null);
  assert.equal(headers[0]!.get("authorization"), "Bearer key");
});

test("bridge: JSON and streams, in each protocol and both directions", async () => {
  const texts = {
    markers: CALL,
    object: '{"v":1,"mode":"tool","message":"","tool_calls":[{"name":"read","arguments":{"path":"a"}}]}',
    xml: "<read>\n<path>a</path>\n</read>",
  };
  for (const [bridgeProtocol, text] of Object.entries(texts)) {
    const config = { mode: "bridge", bridgeProtocol } as Partial<RepairConfig>;
    for (const answer of [says(text), whole({ role: "assistant", content: text })]) {
      assert.deepEqual(turn((await exchange([answer], config)).text), called);
      const { text: folded } = await exchange([answer], config, { stream: false });
      const { choices, usage } = JSON.parse(folded);
      assert.equal(choices[0].finish_reason, "tool_calls");
      assert.equal(choices[0].message.tool_calls[0].function.arguments, '{"path":"a"}');
      assert.equal(usage.total_tokens, 9);
    }
  }
});

test("bridge: requests without tools pass untouched, both ways", async () => {
  for (const body of [{ tools: undefined }, { tool_choice: "none" }, { tool_choice: { type: "none" } }]) {
    const answer = says(CALL);
    const { text, asked } = await exchange([answer], { mode: "bridge" }, body);
    assert.equal(text, answer.acts.join(""));
    const sent = { model: "m", stream: true, tools: [readTool], messages: [], ...body };
    assert.deepEqual(asked[0], JSON.parse(JSON.stringify(sent)));
  }
});

test("bridge: vendor fixes work there too, on what is asked and on what comes", async () => {
  const messages = [
    { role: "developer", content: "Be brief." },
    { role: "user", content: "Read it." },
    { role: "system", content: "Be kind." },
    { role: "assistant", content: null, tool_calls: [] },
  ];
  const answer = says(CALL, "end_turn");
  const { text, asked, reports } = await exchange([answer], { mode: "bridge" }, { model: "qwen3", messages });
  assert.equal(asked[0]!.tools, undefined);
  const roles = asked[0]!.messages.map(({ role }: Loose) => role);
  assert.deepEqual(roles.filter((role: string) => role !== "user" && role !== "assistant"), ["system"]);
  assert.match(asked[0]!.messages[0].content, /Be brief\.[^]*Be kind\.[^]*\[\[CALL\]\]/);
  assert.deepEqual(turn(text), called);
  assert.deepEqual(
    ["any/developer-role", "any/empty-tool-calls", "qwen/one-system"].filter((id) =>
      !reports[0]!.fixes.includes(id)
    ),
    [],
  );
});

test("bridge: what fixes do to calls of the protocol is not done to the bridge's text", async () => {
  const messages = [
    { role: "user", content: "Read it." },
    {
      role: "assistant",
      content: null,
      tool_calls: [{ id: "call_1", type: "function", function: { name: "read", arguments: '{"path":"a"}' } }],
    },
    { role: "tool", tool_call_id: "call_1", content: "A" },
    { role: "user", content: "Go on." },
  ];
  const refused = json({ error: { message: "tools not supported" } }, 400);
  for (const model of ["gemini-3-pro", "mistral-large", "deepseek-reasoner"]) {
    for (const [mode, answers] of [["bridge", [says(CALL)]], ["fallback", [refused, says(CALL)]]] as const) {
      const body = { model, messages, tool_choice: "required" };
      const { asked, report } = await exchange(answers, { mode }, body);
      const [system, , past, last] = asked.at(-1)!.messages;
      assert.match(system.content, /must call at least one tool/);
      assert.match(past.content, /^\[\[OPENCODE_TOOL]]/);
      assert.equal(last.content, "[[OPENCODE_RESULT]] read\nA\n[[/OPENCODE_RESULT]]\n\nGo on.");
      assert.equal(asked.at(-1)!.messages.length, 4);
      const native = ["gemini/thought-signatures", "mistral/after-tool", "deepseek/tool-choice"];
      assert.equal(report.fixes.some((id) => native.includes(id)), mode === "fallback", model);
    }
  }
});

test("bridge: a result whose call was compacted away is told too, in one message with what the user says", async () => {
  const messages = [
    { role: "user", content: "What was it?" },
    { role: "tool", tool_call_id: "call_9", content: "42" },
    { role: "user", content: "Well?" },
  ];
  const { asked } = await exchange([says(CALL)], { mode: "bridge" }, { messages });
  assert.equal(asked[0].messages.length, 2);
  assert.equal(
    asked[0].messages[1].content,
    "What was it?\n\n[[OPENCODE_RESULT]] tool\n42\n[[/OPENCODE_RESULT]]\n\nWell?",
  );
});

test("bridge: images of results do not make two messages of the user in a row", async () => {
  const image = { type: "image_url", image_url: { url: "data:image/png;base64,AA==" } };
  const messages = [
    { role: "user", content: "Look." },
    {
      role: "assistant",
      content: null,
      tool_calls: [{ id: "call_1", type: "function", function: { name: "read", arguments: "{}" } }],
    },
    { role: "tool", tool_call_id: "call_1", content: [{ type: "text", text: "A" }, image] },
    { role: "user", content: "And?" },
  ];
  const { asked } = await exchange([says(CALL)], { mode: "bridge" }, { messages });
  const roles = asked[0].messages.map(({ role }: Loose) => role);
  assert.deepEqual(roles, ["system", "user", "assistant", "user"]);
  assert.deepEqual(asked[0].messages[3].content.filter(({ type }: Loose) => type !== "text"), [image]);
});

test("bridge: reasoning and text stream live", async () => {
  const config = { mode: "bridge" } as const;
  const pieces = ["[[OPENCODE_FINAL]]\n", "One ", "two ", "three"];
  const acts: Act[] = [data(chunk({ role: "assistant", reasoning_content: "hm" }))];
  for (const content of pieces) acts.push(10, data(chunk({ content })));
  const { next } = sequence([
    stream(...acts, 10, data(chunk({ content: "\n[[/OPENCODE_FINAL]]" }, "stop")), DONE),
  ]);
  const response = await repair(next, config)(chat());
  const seen: string[] = [];
  const decoder = new TextDecoder();
  for await (const bytes of response.body!) {
    const deltas = chunks(decoder.decode(bytes)).flatMap(({ choices }) => choices[0].delta);
    seen.push(deltas.map(({ content, reasoning_content }) => content ?? `(${reasoning_content})`).join(""));
  }
  assert.deepEqual(seen.slice(0, 4), ["(hm)", "One ", "two ", "three"]);
});

test("bridge: an empty turn is retried once, with the reason", async () => {
  const empties: Answer[] = [
    NOTHING,
    says("[[OPENCODE_FINAL]]\n[[/OPENCODE_FINAL]]"),
    says(" \n", null),
    stream(DONE),
    stream(),
    json({ id: "c1", object: "chat.completion", choices: [] }),
    stream(": hello\n\n", data(chunk({ role: "assistant" })), DONE),
    whole({ role: "assistant", content: "" }),
    whole({ role: "assistant", content: null, reasoning_content: "hm" }),
  ];
  for (const empty of empties) {
    for (const body of [{}, { stream: false }]) {
      const { text, asked, report } = await exchange([empty, says(CALL)], { mode: "bridge" }, body);
      if (body.stream === undefined) assert.deepEqual(turn(text), called);
      else assert.equal(JSON.parse(text).choices[0].message.tool_calls.length, 1);
      assert.equal(asked.length, 2);
      assert.match(asked[1].messages.at(-1).content, /Your last answer was empty/);
      assert.deepEqual(asked[1].messages.slice(0, -1), asked[0].messages);
      assert.deepEqual(codes(report).filter((code) => code === "turn-empty"), ["turn-empty"]);
      assert.equal(report.outcome, "done");
      assert.equal(report.calls, 1);
    }
  }
});

test("bridge: the second empty turn is 502 empty_turn", async () => {
  for (const body of [{}, { stream: false }]) {
    for (
      const [first, second] of [[NOTHING, NOTHING], [whole({ content: "" }), NOTHING], [
        NOTHING,
        whole({ content: null }),
      ]]
    ) {
      const { response, text, report, reports } = await exchange([first!, second!], { mode: "bridge" }, body);
      assert.equal(response.status, 502);
      assert.equal(JSON.parse(text).error.code, "empty_turn");
      assert.equal(report.outcome, "error");
      assert.equal(report.status, 502);
      assert.equal(reports.length, 1);
    }
  }
});

test("bridge: an empty turn behind keep-alives is retried in the same stream, and fails in it", async () => {
  const slow = stream(
    data(chunk({ role: "assistant", content: "" }, null, { id: "slow" })),
    120,
    data(chunk({}, "stop")),
    DONE,
  );
  const config = { mode: "bridge", keepAliveMs: 30, peekMs: 5 } as const;
  const good = await exchange([slow, says(CALL)], config);
  assert.deepEqual(turn(good.text), called);
  assert.ok(chunks(good.text).length > 4, "keep-alives have gone out");
  const bad = await exchange([slow, NOTHING], config);
  assert.equal(bad.response.status, 200);
  assert.equal(JSON.parse(events(bad.text).at(-1)!).error.code, "empty_turn");
  assert.ok(!bad.text.includes("[DONE]"));
  assert.equal(bad.report.outcome, "error");
});

test("bridge: an error of the second attempt behind keep-alives is an event", async () => {
  const slow = stream(data(chunk({ role: "assistant" })), 80, data(chunk({}, "stop")), DONE);
  const limited = json({ error: { message: "slow down", code: "rate_limit" } }, 429);
  const { response, text, report } = await exchange([slow, limited], {
    mode: "bridge",
    keepAliveMs: 30,
    peekMs: 5,
  });
  assert.equal(response.status, 200);
  assert.equal(JSON.parse(events(text).at(-1)!).error.message, "slow down");
  assert.ok(!text.includes("[DONE]"));
  assert.equal(report.status, 429);
});

test("bridge: several choices are empty only together", async () => {
  const choices = (...all: unknown[]) => data(chunk(undefined, null, { choices: all }));
  const one = (index: number, delta: unknown, finish_reason: string | null = null) => ({
    index,
    delta,
    finish_reason,
  });
  const text = choices(one(0, { role: "assistant" }), one(1, { role: "assistant" })) +
    choices(one(0, {}, "stop"), one(1, { content: "Hi" })) + choices(one(1, {}, "stop")) + DONE;
  const made = await exchange([stream(text)], { mode: "bridge" }, { n: 2 });
  assert.equal(made.asked.length, 1);
  const { choices: folded } = fold(chunks(made.text)) as Loose;
  assert.deepEqual(folded.map((choice: Loose) => [choice.message.content, choice.finish_reason]), [
    ["", "stop"],
    ["Hi", "stop"],
  ]);
});

test("bridge: a turn of reasoning alone is empty too; the next answer goes on behind the reasoning", async () => {
  const thinks = stream(data(chunk({ role: "assistant", reasoning_content: "hm" }), chunk({}, "stop")), DONE);
  const { text, asked } = await exchange([thinks, says(CALL)]);
  assert.deepEqual(turn(text), { ...called, reasoning: "hm" });
  assert.equal(asked.length, 2);
  const again = await exchange([thinks, thinks]);
  assert.equal(JSON.parse(events(again.text).at(-1)!).error.code, "empty_turn");
});

test("bridge: what an empty turn has said goes out the same, in one piece and in many", async () => {
  for (const mode of ["bridge", "fallback"] as const) {
    for (const delta of [{ reasoning_content: "one" }, { content: "<think>one</think>" }]) {
      const events = [data(chunk({ role: "assistant", ...delta })), data(chunk({}, "stop")), DONE];
      const turns = [];
      for (const first of [stream(events.join("")), stream(...events)]) {
        const { text } = await exchange([first, says(CALL)], { mode });
        turns.push(turn(text));
      }
      assert.deepEqual(turns[0], { ...called, reasoning: "one" });
      assert.deepEqual(turns[1], turns[0]);
    }
  }
});

test("bridge: while the second answer is waited for, keep-alives go out", async () => {
  const late = stream(150, ...says(CALL).acts);
  const { text } = await exchange([NOTHING, late], { mode: "bridge", keepAliveMs: 20 });
  assert.deepEqual(turn(text), called);
  assert.ok(chunks(text).filter(({ choices }) => Object.keys(choices[0].delta).length === 0).length > 2);
});

test("bridge: an answer that was cut off or filtered is not empty", async () => {
  for (
    const [answer, finish] of [
      [says("", "length"), "length"],
      [says("", "content_filter"), "content_filter"],
      [says('[[OPENCODE_TOOL]]\n[[CALL]]\n{"name": "read", "arguments": {"path": "ha'), "length"],
    ] as const
  ) {
    const { text, asked } = await exchange([answer]);
    assert.equal(asked.length, 1);
    const finishes = chunks(text).map(({ choices }) => choices[0].finish_reason).filter((reason) =>
      reason !== null
    );
    assert.deepEqual(finishes, [finish]);
  }
});

test("bridge: errors of the upstream pass, also those of the second attempt", async () => {
  for (const status of [400, 401, 403, 429, 500, 503]) {
    const error = json({ error: { message: `tools are not supported ${status}` } }, status);
    for (const answers of [[error], [NOTHING, error]]) {
      for (const body of [{}, { stream: false }]) {
        const { response, text, asked } = await exchange(answers, { mode: "bridge" }, body);
        assert.equal(response.status, status);
        assert.equal(text, error.acts[0]);
        assert.equal(asked.length, answers.length);
      }
    }
  }
});

test("bridge: no more calls than allowed, and the loss is logged", async () => {
  const one = (n: number) => `[[CALL]]\n{"name": "read", "arguments": {"path": "${n}"}}\n[[/CALL]]\n`;
  const text = `[[OPENCODE_TOOL]]\n${[1, 2, 3, 4, 5, 6, 7].map(one).join("")}[[/OPENCODE_TOOL]]`;
  for (
    const [config, body, count] of [
      [{}, {}, 5],
      [{ bridgeMaxCalls: 2 }, {}, 2],
      [{ bridgeMaxCalls: 2 }, { parallel_tool_calls: false }, 1],
    ] as const
  ) {
    for (const how of [{}, { stream: false }]) {
      const made = await exchange([says(text)], { mode: "bridge", ...config }, { ...body, ...how });
      const calls = "stream" in how
        ? JSON.parse(made.text).choices[0].message.tool_calls
        : turn(made.text).calls;
      assert.equal(calls.length, count);
      assert.equal(codes(made.report).filter((code) => code === "call-limit").length, 7 - count);
      assert.equal(made.report.finish, "tool_calls");
    }
  }
});

test("bridge: a call that is cut off behind the limit takes nothing from those before it", async () => {
  const one = '[[CALL]]\n{"name": "read", "arguments": {"path": "a"}}\n[[/CALL]]\n';
  const cut = `[[OPENCODE_TOOL]]\n${one}[[CALL]]\n{"name": "read", "arguments": {"path": "ha`;
  const { text } = await exchange([says(cut)], { mode: "bridge", bridgeMaxCalls: 1 });
  assert.deepEqual(turn(text), called);
});

test("usage: asked for upstream, sent on only if the client asked", async () => {
  const usages = (text: string) => chunks(text).filter(({ usage }) => usage != null).length;
  const unasked = await exchange([says(CALL)]);
  assert.deepEqual(unasked.asked[0].stream_options, { include_usage: true });
  assert.equal(usages(unasked.text), 0);
  const asked = await exchange([says(CALL)], { mode: "bridge" }, { stream_options: { include_usage: true } });
  assert.equal(usages(asked.text), 1);
  const native = await exchange([says(CALL)], { mode: "native" });
  assert.equal(native.asked[0].stream_options, undefined);
});

// ---------------------------------------------------------------- fallback

const NATIVE = stream(
  data(
    chunk({ role: "assistant", content: null }),
    chunk({
      tool_calls: [{
        index: 0,
        id: "c",
        type: "function",
        function: { name: "read", arguments: '{"path":"a"}' },
      }],
    }),
    chunk({}, "tool_calls"),
  ),
  DONE,
);
const ABOUT_TOOLS: Answer[] = [
  json({
    object: "error",
    message: '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
    type: "BadRequestError",
    code: 400,
  }, 400),
  json({
    error: { message: "Failed to parse input at pos 12: no call in here", code: 500, type: "server_error" },
  }, 500),
  json(
    { error: { message: "The model produced output that does not match the expected peg-native format" } },
    500,
  ),
  json({ error: { message: "registry.ollama.ai/library/gemma3 does not support tools" } }, 400),
  json({ error: { message: "No endpoints found that support tool use", code: 404 } }, 404),
  json({ error: "tools not supported" }, 501),
  json({ detail: "Unrecognized request argument supplied: tools" }, 422),
  { acts: ["tools param requires --jinja flag"], status: 500, type: "text/plain" },
  json({
    error: {
      message: "Provider returned error", // OpenRouter: hotovo/aider-desk#86
      code: 400,
      metadata: {
        raw: '{"code":400, "message":"model features function calling not support"}',
        provider_name: "N",
      },
    },
  }, 400),
  json({ success: false, errors: [{ code: 5006, message: "AiError: tools are not supported" }] }, 400),
  json({ error: { message: "tools are not supported by this model", code: 400 } }),
  // Groq: anomalyco/opencode#1018
  stream(`event: error\n${
    data(JSON.stringify({
      error: {
        message:
          "Failed to call a function. Please adjust your prompt. See 'failed_generation' for more details.",
        code: "tool_use_failed",
        failed_generation: "read it",
        status_code: 400,
      },
    }))
  }`),
  stream(data(JSON.stringify({ error: { message: "Tool calling is not supported", code: 400 } }))),
  stream(
    data(chunk({ role: "assistant" })),
    90,
    data('{"error":{"message":"tools not supported","code":400}}'),
  ),
  NOTHING,
  whole({ role: "assistant", content: "" }),
  says("", "tool_calls"),
];

test("fallback: a native answer that is of use streams at once, and nothing else is asked", async () => {
  const { text, asked } = await exchange([NATIVE], { mode: "fallback" });
  assert.equal(text, NATIVE.acts.join(""));
  assert.deepEqual(asked[0].tools, [readTool]);
  const leaked = '<tool_call>\n{"name": "read", "arguments": {"path": "a"}}\n</tool_call>';
  assert.deepEqual(turn((await exchange([says(leaked)], { mode: "fallback" })).text), called);
  const { next } = sequence([stream(data(chunk({ role: "assistant", content: "Hi" })), 60_000, DONE)]);
  const reader = (await repair(next, { mode: "fallback" })(chat())).body!.getReader();
  const begin = Date.now();
  assert.match(new TextDecoder().decode((await reader.read()).value), /Hi/);
  assert.ok(Date.now() - begin < 30_000);
  await reader.cancel();
});

test("fallback: errors about tools, empty turns and calls that never came lead to the bridge", async () => {
  for (const answer of ABOUT_TOOLS) {
    for (const body of [{}, { stream: false }]) {
      const { response, text, asked, report } = await exchange(
        [answer, says(CALL)],
        { mode: "fallback" },
        body,
      );
      const shown = String(answer.acts[0]);
      assert.equal(response.status, 200, shown);
      assert.equal(asked.length, 2, shown);
      assert.deepEqual(asked[0].tools, [readTool]);
      assert.equal(asked[1].tools, undefined);
      assert.ok(!JSON.stringify(asked[1].messages).includes("last answer was empty"));
      if (body.stream === undefined) assert.deepEqual(turn(text), called, shown);
      else assert.equal(JSON.parse(text).choices[0].message.tool_calls.length, 1);
      assert.ok(codes(report).includes("fell-back"));
    }
  }
});

test("fallback: text with finish_reason tool_calls and no call: JSON is asked again, a stream is bridged next time", async () => {
  const claims = says("I will read it.", "tool_calls");
  const { asked } = await exchange([claims, says(CALL)], { mode: "fallback" }, { stream: false });
  assert.equal(asked.length, 2);
  const made = sequence([claims, says(CALL)]);
  const fetch = repair(made.next, { mode: "fallback" });
  assert.equal(turn(await (await fetch(chat())).text()).finish, "stop");
  assert.deepEqual(turn(await (await fetch(chat())).text()), called);
  assert.equal(made.asked[1].tools, undefined);
});

test("fallback: other errors pass", async () => {
  for (
    const answer of [
      json({ error: { message: "tools not supported for this key" } }, 401),
      json({ error: { message: "tools not supported" } }, 403),
      json({ error: { message: "tools are not available: too many requests" } }, 429),
      json(
        { error: { message: "maximum context length exceeded: 9000 in the messages, 100 in the tools" } },
        400,
      ),
      json({ error: { message: "overloaded" } }, 503),
      json({ error: { message: "Provider returned error", metadata: { raw: "image not supported" } } }, 400),
      { acts: ["<html>502</html>"], status: 502, type: "text/html" },
    ]
  ) {
    for (const body of [{}, { stream: false }]) {
      const { response, text, asked } = await exchange([answer], { mode: "fallback" }, body);
      assert.equal(response.status, answer.status);
      assert.equal(text, answer.acts[0]);
      assert.equal(asked.length, 1);
    }
  }
});

test("fallback: a model that has tools in its name says nothing of them", async () => {
  const model = "hhao/qwen2.5-coder-tools";
  const thinking = `registry.ollama.ai/${model}:latest does not support thinking`;
  const other = await exchange([json({ error: { message: thinking } }, 400)], { mode: "fallback" }, {
    model,
  });
  assert.equal(other.response.status, 400);
  const refused = json({ error: { message: `${model} does not support tools` } }, 400);
  assert.equal((await exchange([refused, says(CALL)], { mode: "fallback" }, { model })).asked.length, 2);
});

test("fallback: a model that fell back is bridged at once, for as long as is set; others are not", async () => {
  const made = sequence([ABOUT_TOOLS[0]!, says(CALL), says(CALL), NATIVE, ABOUT_TOOLS[0]!, says(CALL)]);
  const fetch = repair(made.next, { mode: "fallback", fallbackMs: 80 });
  const send = async (body: Loose = {}) => void await (await fetch(chat(body))).text();
  await send();
  await send();
  await send({ model: "other" });
  await new Promise((resolve) => setTimeout(resolve, 120));
  await send();
  const natives = made.asked.map(({ model, tools }) =>
    `${model} ${tools === undefined ? "bridge" : "native"}`
  );
  assert.deepEqual(natives, ["m native", "m bridge", "m bridge", "other native", "m native", "m bridge"]);
});

test("fallback: of many made-up models only the last ones are remembered", async () => {
  const asked: string[] = [];
  const fetch = repair(async (request) => {
    const { model, tools } = await request.clone().json() as Loose;
    asked.push(`${model} ${tools === undefined ? "bridge" : "native"}`);
    const { acts, ...options } = tools === undefined ? says(CALL) : ABOUT_TOOLS[0]!;
    return await upstream(acts, options).next(request);
  }, { mode: "fallback" });
  const send = async (model: string) => void await (await fetch(chat({ model }))).text();
  await send("first");
  for (let n = 0; n < 200; n++) await send(`m${n}`);
  asked.length = 0;
  await send("first");
  await send("m199");
  assert.deepEqual(asked[0], "first native");
  assert.deepEqual(asked.at(-1), "m199 bridge");
});

test("fallback: the bridge's empty turn is retried once as well", async () => {
  const good = await exchange([NOTHING, NOTHING, says(CALL)], { mode: "fallback" });
  assert.deepEqual(turn(good.text), called);
  const bad = await exchange([NOTHING, NOTHING, NOTHING], { mode: "fallback" });
  assert.equal(bad.response.status, 502);
  assert.equal(JSON.parse(bad.text).error.code, "empty_turn");
});

test("BRIDGE_MODELS: listed ones bridge at once, all others fall back; empty: all fall back", async () => {
  for (
    const [bridgeModels, mode, expected] of [
      [undefined, "native", "native"],
      [undefined, "bridge", "bridge"],
      [["M", "x"], "native", "bridge"],
      [["M*"], "native", "bridge"],
      [["*x", "m-*"], "native", "fallback"],
      [["x"], "bridge", "fallback"],
      [[], "bridge", "fallback"],
    ] as const
  ) {
    const { asked } = await exchange([says(CALL)], { mode, bridgeModels });
    assert.equal(asked[0].tools === undefined, expected === "bridge", expected);
    if (expected === "fallback") {
      assert.equal((await exchange([NOTHING, says(CALL)], { mode, bridgeModels })).asked.length, 2);
    }
  }
});

test("native: an empty turn is the model's own business", async () => {
  assert.equal((await exchange([NOTHING], { mode: "native" })).text, NOTHING.acts.join(""));
});

// ---------------------------------------------------------------- salvage

const CALL_OWN = '<tool_call>\n{"name": "read", "arguments": {"path": "a"}}\n</tool_call>';
const SALVAGEABLE = [
  json({
    error: {
      code: 500,
      message:
        'Failed to parse input at pos 0: <tool_call>\n{"name": "read", "arguments": {"path": "a"}}\n</tool_call>',
      type: "server_error",
    },
  }, 500),
  stream(data(JSON.stringify({
    error: {
      code: 500,
      message:
        "Failed to parse input at pos 31: <tool_call>\n<function=read>\n<parameter=path>\na\n</parameter>\n</function>\n</tool_call>",
    },
  }))),
];

test("salvage: llama.cpp's error carries the call, in every mode", async () => {
  for (const answer of SALVAGEABLE) {
    for (const mode of ["native", "bridge", "fallback"] as const) {
      const { response, text, asked, report } = await exchange([answer], { mode });
      assert.equal(response.status, 200);
      assert.match(response.headers.get("content-type")!, /event-stream/);
      assert.deepEqual(turn(text), called);
      assert.equal(asked.length, 1);
      assert.ok(codes(report).includes("call-salvaged"));
      const folded = await exchange([answer], { mode }, { stream: false });
      assert.equal(JSON.parse(folded.text).choices[0].finish_reason, "tool_calls");
    }
  }
});

test("salvage: also behind text and reasoning that have gone out already", async () => {
  const error = JSON.stringify({
    error: { code: 500, message: `Failed to parse input at pos 9: ${CALL_OWN}` },
  });
  const begun = data(
    chunk({ role: "assistant", reasoning_content: "hm" }),
    chunk({ content: "I will read." }),
  );
  for (const mode of ["native", "bridge", "fallback"] as const) {
    const { text } = await exchange([stream(begun, 80, data(error))], { mode });
    assert.deepEqual(turn(text), { ...called, content: "I will read.", reasoning: "hm" });
    const late = stream(data(chunk({ role: "assistant" })), 80, data(error), DONE);
    assert.deepEqual(turn((await exchange([late], { mode })).text), called);
  }
  const { text } = await exchange([stream(begun, data(error))], { mode: "native" }, { stream: false });
  assert.equal(JSON.parse(text).choices[0].message.tool_calls.length, 1);
});

test("salvage: without a whole call of a known tool, the error passes as it is", async () => {
  for (const text of ["Just words.", '<tool_call>\n{"name": "read", "arguments": {"path": "a', ""]) {
    const error = json({ error: { code: 500, message: `Failed to parse input at pos 3: ${text}` } }, 500);
    const { response, text: passed } = await exchange([error], { mode: "native" });
    assert.equal(response.status, 500);
    assert.equal(passed, error.acts[0]);
  }
});

// ---------------------------------------------------------------- over a real socket

test("over HTTP: bridged, retried and failed, by flag", async () => {
  const asked: string[] = [];
  const answers = [
    NOTHING,
    says(CALL),
    NOTHING,
    NOTHING,
    json({ error: { message: "tools not supported" } }, 400),
    says(CALL),
  ];
  await using server = await httpUpstream((request, response) => {
    let body = "";
    request.on("data", (bytes) => body += bytes).on("end", () => {
      const { acts, status = 200, type = "text/event-stream" } = answers[asked.push(body) - 1]!;
      response.writeHead(status, { "content-type": type });
      response.end(acts.join(""));
    });
  });
  const body = JSON.stringify({ model: "m", stream: true, messages: [], tools: [readTool] });
  const headers = { "content-type": "application/json" };
  {
    await using proxy = proxyTo(server, { mode: "bridge" });
    const good = await ask(proxy.port, "/v1/chat/completions", { headers, body });
    assert.deepEqual(turn(good.body.toString()), called);
    errorOf(await ask(proxy.port, "/v1/chat/completions", { headers, body }), 502, "empty_turn");
  }
  await using proxy = proxyTo(server, { mode: "fallback" });
  assert.deepEqual(
    turn((await ask(proxy.port, "/v1/chat/completions", { headers, body })).body.toString()),
    called,
  );
  assert.deepEqual(asked.map((text) => JSON.parse(text).tools === undefined), [
    true,
    true,
    true,
    true,
    false,
    true,
  ]);
});

test("rule 20: the client goes away while the model is asked again", async () => {
  const controller = new AbortController();
  const seen: Request[] = [];
  const next = (request: Request): Promise<Response> => {
    seen.push(request);
    if (seen.length === 1) return upstream(NOTHING.acts).next(request);
    setTimeout(() => controller.abort(), 10);
    return new Promise((_, reject) =>
      request.signal.addEventListener("abort", () => reject(request.signal.reason))
    );
  };
  await assert.rejects(repair(next, { mode: "bridge" })(chat({}, { signal: controller.signal })));
  assert.equal(seen.length, 2);
  assert.equal(seen[1]!.signal.aborted, true);
});
