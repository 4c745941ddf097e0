import assert from "node:assert/strict";
import { repair } from "../src/repair.ts";
import { type ExchangeReport, onEnd } from "../src/wire/watcher.ts";
import { fold } from "../src/wire/fold.ts";
import { test } from "./_test.ts";
import {
  type Act,
  chat,
  chunk,
  chunks,
  cut,
  data,
  DONE,
  events,
  type Loose,
  readTool,
  upstream,
} from "./_upstream.ts";

const encoder = new TextEncoder();
const call = (more: unknown) => chunk({ tool_calls: [more] });
const CALL = [
  chunk({ role: "assistant", content: null }),
  call({ index: 0, id: "call_1", type: "function", function: { name: "read", arguments: "" } }),
  call({ index: 0, function: { arguments: '{"path":' } }),
  call({ index: 0, function: { arguments: '"é😀"}' } }),
  chunk({}, "tool_calls"),
  chunk({}, null, { choices: [], usage: { total_tokens: 9 } }),
];
const TEXT = [
  chunk({ role: "assistant", content: "" }),
  chunk({ content: "Hé " }),
  chunk({ content: "😀" }),
  chunk({}, "stop"),
];
const CLEAN = `: hello\n\n${data(...CALL)}${DONE}`;

async function answer(acts: readonly Act[], body: Record<string, unknown> = {}, options: Loose = {}) {
  const { config = {}, ...rest } = options;
  const state = upstream(acts, rest);
  const reports: ExchangeReport[] = [];
  const response = await repair(state.next, config, onEnd((exchange) => reports.push(exchange)))(chat(body));
  const text = await response.text();
  return { ...state, response, text, report: reports[0]!, reports, state };
}

const finishes = (text: string) =>
  chunks(text).flatMap((c) => c.choices.map((choice: Loose) => choice.finish_reason))
    .filter((reason) => reason !== null && reason !== undefined);

/** What a turn comes to; made-up ids and times aside. */
function turn(text: string): Loose {
  const all = chunks(text);
  assert.equal(events(text).filter((text) => text === "[DONE]").length, 1);
  assert.equal(events(text).at(-1), "[DONE]");
  return { ...fold(all), id: "", created: 0 };
}

test("rule 2: a stream that keeps the protocol passes byte for byte, at every cut", async () => {
  for (const text of [CLEAN, CLEAN.replaceAll("\n", "\r\n"), `\uFEFF${data(...TEXT)}${DONE}`]) {
    const bytes = encoder.encode(text);
    for (const body of [{}, { tools: [] }, { tool_choice: "none" }, { tools: undefined }]) {
      for (let at = 0; at < bytes.length; at += 3) {
        const { response, report } = await answer2(cut(bytes, at), body);
        assert.deepEqual(new Uint8Array(await response.arrayBuffer()), bytes, `${at}`);
        assert.deepEqual(report(), []);
      }
    }
  }
});

async function answer2(acts: readonly Act[], body: Record<string, unknown>) {
  const problems: string[] = [];
  const fetch = repair(
    upstream(acts).next,
    {},
    onEnd((e) => problems.push(...e.problems.map(({ code }) => code))),
  );
  const response = await fetch(chat(body));
  return { response, report: () => problems };
}

const FAULTY = `: c\r\n\r\n` + data(
  '{"id":"c1","choices":[{"delta":{"content":"Hé"}}]}',
  '{"id":"c1","choices":[{"delta":{"content":"😀","tool_calls":[]}}]}',
  '{"id":"c1","choices":[{"delta":{"tool_calls":[{"function":{"name":"READ","arguments":{"path":"é"}}}]}}]}',
  '{"id":"c1","choices":[{"delta":{"tool_calls":[{"id":"b","function":{"name":"read","arguments":"{\\"path\\":\\"1\\"}{\\"path\\":\\"2\\"}"}}]}}]}',
  '{"id":"c1","choices":[{"delta":{},"finish_reason":"tool_use"}]}',
  '{"id":"c1","choices":null,"usage":{"total_tokens":3}}',
);

test("rules 13, 15, 16, 17: a faulty stream gives the same mended turn at every cut", async () => {
  const strip = (turn: Loose) => {
    for (const call of turn.choices[0].message.tool_calls) if (call.id !== "b") call.id = "new";
    return turn;
  };
  const whole = strip(turn((await answer([FAULTY])).text));
  assert.deepEqual(whole, {
    id: "",
    object: "chat.completion",
    created: 0,
    model: "m",
    choices: [{
      index: 0,
      message: {
        role: "assistant",
        content: "Hé😀",
        tool_calls: [["new", "é"], ["b", "1"], ["new", "2"]].map(([id, path]) => ({
          id,
          type: "function",
          function: { name: "read", arguments: JSON.stringify({ path }) },
        })),
      },
      finish_reason: "tool_calls",
    }],
    usage: { total_tokens: 3 },
  });
  const bytes = encoder.encode(FAULTY);
  for (let at = 0; at < bytes.length; at++) {
    const { text } = await answer(cut(bytes, at));
    assert.deepEqual(strip(turn(text)), whole, `cut at ${at}`);
  }
  const { text } = await answer([...bytes].map((byte) => Uint8Array.of(byte)));
  assert.deepEqual(strip(turn(text)), whole);
  assert.equal(chunks(text)[0].choices[0].delta.role, "assistant");
  for (const { id, object, created, model, choices } of chunks(text)) {
    assert.deepEqual([id, object, typeof created, model], ["c1", "chat.completion.chunk", "number", "m"]);
    assert.ok(Array.isArray(choices));
  }
});

test("rule 15: finish reasons of a turn with and without calls", async () => {
  for (
    const [word, withCall, without] of [
      ["stop", "tool_calls", "stop"],
      ["STOP", "tool_calls", "stop"],
      ["tool_use", "tool_calls", "stop"],
      ["tool_calls", "tool_calls", "stop"],
      ["end_turn", "tool_calls", "stop"],
      ["max_tokens", "tool_calls", "length"],
      ["SAFETY", "tool_calls", "content_filter"],
      ["whatever", "tool_calls", "stop"],
    ] as const
  ) {
    const called = (await answer([data(...CALL.slice(0, 4), chunk({}, word)) + DONE])).text;
    assert.deepEqual(finishes(called), [withCall]);
    const said = (await answer([data(...TEXT.slice(0, 3), chunk({}, word)) + DONE])).text;
    assert.deepEqual(finishes(said), [without]);
    const plain = (await answer([data(...TEXT.slice(0, 3), chunk({}, word)) + DONE], { tools: [] })).text;
    assert.deepEqual(finishes(plain), [without]);
  }
  for (const word of ["", "null"]) {
    const text = data(
      ...TEXT.slice(0, 3).map((c) => c.replace('"finish_reason":null', `"finish_reason":"${word}"`)),
    );
    for (const tools of [[readTool], []]) {
      const { text: out } = await answer([text + data(TEXT[3]!) + DONE], { tools });
      assert.deepEqual(finishes(out), ["stop"]);
    }
  }
});

test("rule 15: an answer goes on until its finish says that it ends, in whatever words", async () => {
  const markup = '<tool_call>{"name":"read","arguments":{"path":"a"}}</tool_call>';
  const fenced = '```json\n{"name":"read","arguments":{"path":"a"}}\n```';
  const going = (delta: unknown, word: unknown) =>
    chunk(delta).replace('"finish_reason":null', `"finish_reason":${JSON.stringify(word)}`);
  for (const said of [markup, fenced]) {
    for (const word of ["none", "None", "undefined", " ", "NULL", false]) {
      const { text } = await answer([
        data(
          going({ role: "assistant", content: "" }, word),
          going({ content: said }, word),
          chunk({}, "stop"),
        ) + DONE,
      ]);
      assert.equal(turn(text).choices[0].message.tool_calls.length, 1, `${word}: ${text}`);
      assert.deepEqual(finishes(text), ["tool_calls"]);
    }
    for (const word of [1, true, {}]) {
      const { text } = await answer([
        data(chunk({ role: "assistant", content: said }), going({}, word)) + DONE,
      ]);
      assert.equal(turn(text).choices[0].message.tool_calls.length, 1, text);
      assert.equal(chunks(text).at(-1)!.choices[0].finish_reason, "tool_calls", text);
    }
  }
});

test("rule 11: the role goes out once, whatever chunk of the upstream has it", async () => {
  const markup = '<tool_call>{"name":"read","arguments":{"path":"a"}}</tool_call>';
  for (
    const said of [
      [chunk({ role: "assistant", content: markup }, "stop")],
      [chunk({ role: "assistant", content: markup }), chunk({}, "stop")],
      [chunk({ role: "assistant", content: `Hi.\n${markup}` }), chunk({ role: "assistant" }, "stop")],
      [
        chunk({ role: "assistant", content: "<tool" }),
        chunk({ content: markup.slice(5) }),
        chunk({}, "stop"),
      ],
      [chunk({ role: "assistant", content: "```json\n" }), chunk({ content: "x\n```" }), chunk({}, "stop")],
      [chunk({ content: "Hi " }), chunk({ role: "assistant", content: "there" }), chunk({}, "stop")],
    ]
  ) {
    const { text, report } = await answer([data(...said) + DONE]);
    const bearsRole = said[0]!.includes("assistant");
    assert.equal(report.problems.some(({ code }) => code === "role-missing"), !bearsRole, text);
    const roles = chunks(text).map((each) => each.choices[0].delta.role);
    assert.deepEqual(roles, ["assistant", ...roles.slice(1).map(() => undefined)], text);
  }
});

test("rules 13, 15: custom calls pass, count, and have places of their own", async () => {
  const tools = [readTool, { type: "custom", custom: { name: "apply" } }];
  const custom = (index: number, more: Loose) => call({ index, ...more });
  const alone = [
    chunk({ role: "assistant", content: null }),
    custom(0, { id: "c1", type: "custom", custom: { name: "apply", input: "q" } }),
    custom(0, { custom: { input: "r" } }),
    chunk({}, "tool_calls"),
  ];
  const { text } = await answer([data(...alone) + DONE], { tools });
  assert.equal(text, data(...alone) + DONE);
  const both = [
    ...alone.slice(0, 3),
    call({ index: 1, id: "c2", type: "function", function: { name: "read", arguments: '{"path":"a"}' } }),
    alone[3]!,
  ];
  const mixed = await answer([data(...both) + DONE], { tools });
  assert.equal(mixed.text, data(...both) + DONE);
  const all = chunks(
    (await answer([
      data(
        both[0]!,
        both[3]!.replace('"index":1', '"index":0'),
        both[1]!.replace('"index":0,"id"', '"index":1,"id"'),
        both[4]!,
      ) + DONE,
    ], { tools })).text,
  );
  assert.deepEqual(
    all.flatMap((each) => each.choices[0].delta.tool_calls ?? []).map(({ index }: Loose) => index),
    [0, 1],
  );
});

test("rule 13: an id that the text leaves empty is made up", async () => {
  for (const id of ["", " "]) {
    const content =
      `<cofl:tool_calls><cofl:tool_call id="${id}" name="read"><path>a</path></cofl:tool_call>` +
      "</cofl:tool_calls>";
    const { text } = await answer([data(chunk({ role: "assistant", content }), chunk({}, "stop")) + DONE]);
    assert.match(turn(text).choices[0].message.tool_calls[0].id, /^call_\w{24}$/);
  }
});

test("symptom A3: an opener that is left over in front of a native call goes, with its line break", async () => {
  for (
    const opener of ["<｜DSML｜function_calls>", "<tool_call>", "<minimax:tool_call>", "<function_calls>"]
  ) {
    for (const behind of ["", "\n", " \n\n"]) {
      const said = chunk({ role: "assistant", content: `Look. ${opener}${behind}` });
      const { text } = await answer([data(said, ...CALL.slice(1)) + DONE]);
      assert.equal(turn(text).choices[0].message.content, "Look. ", JSON.stringify(opener + behind));
    }
  }
});

test("symptom B2: a native call that stands in the text as well is delivered once", async () => {
  const said = (...args: string[]) =>
    chunk({
      role: "assistant",
      content: args.map((path) => `<tool_call>{"name":"read","arguments":{"path":"${path}"}}</tool_call>`)
        .join(""),
    });
  for (const mode of ["stream", "whole"] as const) {
    const paths = async (...chunks: string[]) => {
      const { text, report } = await answer([data(...chunks) + DONE], {}, { config: { arguments: mode } });
      const [{ message, finish_reason: finish }] = turn(text).choices;
      assert.equal(finish, "tool_calls");
      const calls = message.tool_calls.map((call: Loose) => JSON.parse(call.function.arguments).path);
      return [calls, report.problems.some(({ code }) => code === "call-twice")];
    };
    assert.deepEqual(await paths(said("é😀"), ...CALL.slice(1)), [["é😀"], true]);
    assert.deepEqual(await paths(said("a"), ...CALL.slice(1)), [["a", "é😀"], false]);
    // Each call of the text stands for one native call only.
    const again = call({
      index: 1,
      id: "call_2",
      type: "function",
      function: { name: "read", arguments: '{"path":"é😀"}' },
    });
    assert.deepEqual(await paths(said("é😀"), ...CALL.slice(1, 4), again, ...CALL.slice(4)), [
      ["é😀", "é😀"],
      true,
    ]);
  }
});

test("rule 15: exactly one finish and one [DONE], whatever the upstream leaves out or repeats", async () => {
  const usage = chunk({}, "stop", { usage: { total_tokens: 1 } });
  const table: [string, string, string][] = [
    ["no finish", data(...TEXT.slice(0, 3)) + DONE, "stop"],
    ["neither", data(...TEXT.slice(0, 3)), "stop"],
    ["no [DONE]", data(...TEXT), "stop"],
    ["no blank line", data(...TEXT).trimEnd(), "stop"],
    ["two finishes", data(...TEXT, usage) + DONE, "stop"],
    ["two [DONE]", data(...TEXT) + DONE + DONE, "stop"],
    ["more behind [DONE]", data(...TEXT) + DONE + data(TEXT[1]!), "stop"],
    ["call, no finish", data(...CALL.slice(0, 4)) + DONE, "tool_calls"],
    ["cut call, no finish", data(...CALL.slice(0, 3)) + DONE, "length"],
    ["cut call, wrong finish", data(...CALL.slice(0, 3), CALL[4]!) + DONE, "length"],
    ["cut before its arguments", data(...CALL.slice(0, 2), chunk({}, "length")) + DONE, "length"],
    ["cut before its arguments, no finish", data(...CALL.slice(0, 2)) + DONE, "length"],
    ["only a role", data(TEXT[0]!) + DONE, "stop"],
    ["a broken last event", data(...TEXT) + 'data: {"id":', "stop"],
  ];
  for (const [why, text, finish] of table) {
    for (const tools of finish === "stop" ? [[readTool], []] : [[readTool]]) {
      const { text: out } = await answer([text], { tools });
      assert.deepEqual(finishes(out), [finish], why);
      assert.equal(turn(out).choices[0].finish_reason, finish, why);
      if (why === "two finishes") assert.deepEqual(turn(out).usage, { total_tokens: 1 });
    }
  }
});

test("rule 15: several choices are handled each on its own", async () => {
  const two = (index: number, delta: unknown, finish: string | null = null) =>
    chunk({}, null, { choices: [{ index, delta, finish_reason: finish }] });
  const read = { id: "a", type: "function", function: { name: "read", arguments: '{"path":"1"}' } };
  const text = data(
    two(1, { content: "x" }),
    two(0, { tool_calls: [read] }),
    two(1, { content: "y" }, "tool_calls"),
    two(0, {}, "stop"),
    two(2, { content: "z" }),
  );
  const { text: out } = await answer([text], { n: 3 });
  assert.deepEqual(turn(out).choices.map((c: Loose) => c.finish_reason), ["tool_calls", "stop", "stop"]);
  const roles = [0, 1, 2].map((index) =>
    chunks(out).flatMap((c) => c.choices).find((c) => c.index === index).delta.role
  );
  assert.deepEqual(roles, ["assistant", "assistant", "assistant"]);
  const plain = await answer([text], { n: 3, tools: [] });
  assert.equal(turn(plain.text).choices.length, 3);
  assert.equal(finishes(plain.text).length, 3);
});

test("rule 1: what is no chat completion goes through untouched", async () => {
  const state = upstream(["x"], { type: "application/octet-stream", status: 201 });
  const fetch = repair(state.next);
  for (
    const request of [
      new Request("http://h/v1/models"),
      new Request("http://h/v1/chat/completions"),
      new Request("http://h/v1/completions", { method: "POST", body: "{}" }),
    ]
  ) {
    const response = await fetch(request);
    assert.equal(state.requests.at(-1), request);
    assert.deepEqual([response.status, await response.text()], [201, "x"]);
  }
  for (const body of ["no json", "[1]", "", '"x"']) {
    const request = new Request("http://h/v1/chat/completions/?a=b", {
      method: "POST",
      body,
      headers: { a: "b" },
    });
    assert.equal((await fetch(request)).status, 201);
    const sent = state.requests.at(-1)!;
    assert.deepEqual([await sent.text(), sent.headers.get("a"), sent.url, sent.method], [
      body,
      "b",
      "http://h/v1/chat/completions/?a=b",
      "POST",
    ]);
  }
});

test("rule 2: the request's bytes and headers pass unchanged", async () => {
  const body = '{ "model": "m",  "n": 1.0, "x": 12345678901234567890, "é": "\\u00e9" }';
  const state = upstream([DONE]);
  const request = new Request("http://h/v1/chat/completions", {
    method: "POST",
    body,
    headers: { authorization: "k" },
  });
  await (await repair(state.next)(request)).text();
  assert.equal(await state.requests[0]!.text(), body);
  assert.equal(state.requests[0]!.headers.get("authorization"), "k");
});

test("errors: a request body over the limit is refused", async () => {
  const state = upstream([DONE]);
  const fetch = repair(state.next, { requestBytes: 10 });
  for (const body of ["x".repeat(11), new Blob(["x".repeat(6), "y".repeat(6)]).stream()]) {
    const response = await fetch(
      new Request("http://h/v1/chat/completions", { method: "POST", body, duplex: "half" } as RequestInit),
    );
    const { error } = await response.json();
    assert.deepEqual([response.status, error.code, error.param], [413, "request_too_large", null]);
    assert.match(error.message, /10 bytes.*--max-request \(MAX_REQUEST_MB\)/);
  }
  assert.equal(state.requests.length, 0);
});

test("rule 3: what cannot be read passes as it is", async () => {
  const text = data("no json", "[1]", '"x"', "{", "") + ": c\n\nid: 3\n\n" + data(...TEXT) + DONE;
  assert.equal((await answer([text])).text, text);
  for (
    const [status, type] of [[500, "application/json"], [429, "text/event-stream"], [
      200,
      "text/html",
    ]] as const
  ) {
    const { response, text } = await answer(["anything"], {}, {
      status,
      type,
      headers: { "retry-after": "3" },
    });
    assert.deepEqual([response.status, text, response.headers.get("retry-after")], [status, "anything", "3"]);
  }
  assert.equal((await answer(["no json"], {}, { type: "application/json" })).text, "no json");
  assert.equal((await answer(["some text"], {}, { type: "text/plain" })).text, "some text");
});

test("rule 5: headers of a stream", async () => {
  const headers = { "content-length": "999", "content-encoding": "gzip", "x-request-id": "r" };
  const { response } = await answer([CLEAN], {}, { headers });
  const get = (name: string) => response.headers.get(name);
  assert.deepEqual([get("content-length"), get("content-encoding"), get("x-request-id")], [null, null, "r"]);
  assert.deepEqual([get("cache-control"), get("x-accel-buffering")], ["no-cache, no-transform", "no"]);
  assert.match(get("content-type")!, /^text\/event-stream/);
});

test("rule 18: a stream whose type is missing or plain text", async () => {
  for (const type of ["", "text/plain; charset=utf-8", "application/json"]) {
    const { text, response } = await answer([CLEAN], {}, { type });
    assert.equal(text, CLEAN);
    assert.match(response.headers.get("content-type")!, /event-stream/);
  }
});

const JSON_ANSWER = {
  id: "c1",
  object: "chat.completion",
  created: 1,
  model: "m",
  choices: [{
    index: 0,
    message: {
      role: "assistant",
      content: null,
      tool_calls: [{ id: "call_1", type: "function", function: { name: "read", arguments: '{"path":"é"}' } }],
    },
    logprobs: null,
    finish_reason: "tool_calls",
  }],
  usage: { total_tokens: 9 },
};

test("rule 2: JSON that keeps the protocol passes byte for byte", async () => {
  const text = JSON.stringify(JSON_ANSWER, null, 3);
  for (const tools of [[readTool], []]) {
    const { text: out, response } = await answer([text], { stream: false, tools }, {
      type: "application/json",
    });
    assert.equal(out, text);
    assert.match(response.headers.get("content-type")!, /json/);
  }
});

test("rules 15, 16: JSON is mended as a stream is", async () => {
  const bad: Loose = structuredClone(JSON_ANSWER);
  bad.choices[0].message.tool_calls = [
    { id: "", function: { name: "Read", arguments: { path: "é" } } },
    { id: "z", type: "function", function: { name: "read", arguments: '{"path":"1"}{"path":"2"}' } },
  ];
  bad.choices[0].finish_reason = "stop";
  const { text } = await answer([JSON.stringify(bad)], { stream: false }, {
    type: "application/json; charset=utf-8",
  });
  const out = JSON.parse(text);
  assert.equal(out.choices[0].finish_reason, "tool_calls");
  assert.deepEqual(out.choices[0].message.tool_calls.map((c: Loose) => [c.type, c.function]), [
    ["function", { name: "read", arguments: '{"path":"é"}' }],
    ["function", { name: "read", arguments: '{"path":"1"}' }],
    ["function", { name: "read", arguments: '{"path":"2"}' }],
  ]);
  assert.deepEqual(out.usage, bad.usage);
});

test("rule 18: JSON for a client that streams, a stream for one that does not", async () => {
  const { text, response } = await answer([JSON.stringify(JSON_ANSWER)], {}, { type: "application/json" });
  assert.match(response.headers.get("content-type")!, /event-stream/);
  assert.deepEqual(turn(text), { ...JSON_ANSWER, id: "", created: 0 });
  const folded = await answer([CLEAN], { stream: false });
  assert.match(folded.response.headers.get("content-type")!, /json/);
  const { choices } = JSON.parse(folded.text);
  assert.equal(choices[0].message.tool_calls[0].function.arguments, '{"path":"é😀"}');
  const plain = await answer([data(...TEXT)], { stream: false, tools: [] });
  assert.equal(JSON.parse(plain.text).choices[0].message.content, "Hé 😀");
});

test("rule 18: a stream whose only event is a whole answer", async () => {
  for (const tools of [[readTool], []]) {
    const { text } = await answer([data(JSON.stringify(JSON_ANSWER)) + DONE], { tools });
    assert.deepEqual(turn(text), { ...JSON_ANSWER, id: "", created: 0 });
    for (const { choices } of chunks(text)) for (const { delta } of choices) assert.ok(delta);
  }
});

const LIMITED = '{"error":{"message":"slow down","code":429,"metadata":{"a":1}}}';

test("errors: an error before any content gets its HTTP status", async () => {
  const role = chunk({ role: "assistant", content: "" });
  const table: [string, number][] = [
    [LIMITED, 429],
    ['{"error":{"message":"x","type":"rate_limit_exceeded"}}', 429],
    ['{"error":{"message":"x","code":"invalid_api_key"}}', 401],
    ['{"error":{"message":"x","type":"permission_error"}}', 403],
    ['{"error":{"message":"x","type":"not_found_error"}}', 404],
    ['{"error":{"message":"x","code":"context_length_exceeded"}}', 400],
    ['{"error":{"message":"x","type":"overloaded_error"}}', 503],
    ['{"error":{"message":"x","type":"timeout"}}', 504],
    ['{"error":{"message":"x","code":"503"}}', 503],
    ['{"error":"broken"}', 502],
    ['{"object":"error","message":"x","code":400}', 400],
  ];
  for (const [error, status] of table) {
    const starts = [
      data(error),
      `: c\n\n${data(role, error)}${DONE}`,
      `event: error\n${data(error)}`,
      `data: ${error}`,
      error,
    ];
    for (const start of starts) {
      for (const body of [{}, { stream: false }, { tools: [] }]) {
        const { response, text } = await answer([start], body, { headers: { "retry-after": "7" } });
        assert.equal(response.status, status, start);
        const { message, type, code, param } = JSON.parse(text).error;
        assert.ok(
          typeof message === "string" && typeof type === "string" && code !== undefined && param === null,
        );
        assert.equal(response.headers.get("retry-after"), "7");
        assert.match(response.headers.get("content-type")!, /^application\/json/);
      }
    }
    const json = await answer([error], { stream: false }, { type: "application/json" });
    assert.equal(json.response.status, status);
  }
  assert.deepEqual(JSON.parse((await answer([data(LIMITED)])).text).error.metadata, { a: 1 });
});

test("errors: a later error passes, and nothing is made up behind it", async () => {
  for (const tools of [[readTool], []]) {
    const text = data(...TEXT.slice(0, 2), LIMITED);
    assert.equal((await answer([text], { tools })).text, text);
    assert.equal((await answer([text + DONE], { tools })).text, text + DONE);
    assert.equal((await answer([text], { stream: false, tools })).response.status, 429);
  }
});

test("errors: one that clients would pass over becomes an event that they do not (symptoms C20)", async () => {
  const start = data(...TEXT.slice(0, 2));
  const table: [string, number, string][] = [
    ['data: {"object":"error","message":"x","code":400}\n\n', 400, "x"],
    ['data: {"error":"x"}\n\n', 502, "x"],
    ['event: error\ndata: {"message":"x","code":429}\n\n', 429, "x"],
    ["event: error\ndata: out of memory\n\n", 502, "out of memory"],
    ['{"error":{"message":"x","code":503}}\n\n', 503, "x"],
    ['{\n  "error": {\n    "message": "x",\n    "code": 503\n  }\n}\n', 503, "x"],
    ['{"error":{"message":"x","code":503}}', 503, "x"],
    ['error: {"code":500,"message":"x","type":"server_error"}\n\n', 500, "x"],
    ['error: {"error":{"message":"x","code":500}}\r\n\r\n', 500, "x"],
  ];
  for (const [error, status, message] of table) {
    for (const tools of [[readTool], []]) {
      for (const at of [0, 1, 20, error.length]) {
        const { text, report } = await answer([start, error.slice(0, at), error.slice(at)], { tools });
        const said = JSON.parse(events(text).at(-1)!).error;
        assert.equal(text, start + data(JSON.stringify({ error: said })), error);
        assert.equal(said.message, message);
        assert.equal(report.outcome, "error");
      }
      const first = await answer([error], { tools });
      const folded = await answer([start + error], { tools, stream: false });
      assert.deepEqual([first.response.status, folded.response.status], [status, status], error);
      assert.equal(JSON.parse(folded.text).error.message, message);
    }
  }
  const comment = ': {"error":{"message":"x"}}\n\n';
  const clean = data(TEXT[0]!) + comment + data(...TEXT.slice(1)) + DONE;
  assert.equal((await answer([clean])).text, clean);
});

test("errors: an answer without a choice is one (symptoms C20, C21)", async () => {
  const none = chunk({}, null, { choices: [], usage: { total_tokens: 1 } });
  const empty = [
    DONE,
    "",
    ": c\n\n",
    `: c\n\n${DONE}`,
    data(none),
    data(none) + DONE,
    data(none.replace("[]", "null")),
  ];
  for (const text of empty) {
    for (const body of [{}, { tools: [] }, { stream: false }]) {
      const { response, text: said, report } = await answer([text], body);
      assert.deepEqual([response.status, JSON.parse(said).error.code], [502, "empty_answer"], text);
      assert.deepEqual(report.problems.map(({ code }) => code).slice(-1), ["answer-empty"]);
    }
  }
  const late = await answer([": c\n\n", 60, DONE], {}, { config: { peekMs: 20 } });
  assert.equal(late.response.status, 200);
  assert.equal(JSON.parse(events(late.text).at(-1)!).error.code, "empty_answer");
  assert.equal(late.report.outcome, "error");

  const options = { type: "application/json" };
  for (const choices of ['"choices":[]', '"choices":null', '"created":1']) {
    const text = `{"id":"c","object":"chat.completion",${choices}}`;
    for (const body of [{}, { stream: false }, { tools: [] }]) {
      const { response, text: said } = await answer([text], body, options);
      assert.deepEqual([response.status, JSON.parse(said).error.code], [502, "empty_answer"], text);
    }
    assert.equal((await answer([text], { tools: [], stream: false }, options)).text, text); // rule 2
  }
  for (const body of [{}, { stream: false }, { tools: [] }]) {
    const { response, text: said } = await answer(["\n"], body, options);
    assert.deepEqual([response.status, JSON.parse(said).error.code], [502, "empty_answer"]);
  }

  // What is not the protocol's is not for Callmend to judge (rule 3).
  for (const text of ['{"response":"Hi"}', '"Hi"', "Hi"]) {
    assert.ok((await answer([data(text)])).text.startsWith(data(text)));
  }
  assert.equal((await answer(['{"response":"Hi"}'], {}, options)).text, '{"response":"Hi"}');
  // Azure's first chunk has no choice; those behind it count.
  const azure = data(none, chunk({ content: "Hi" }, null, { usage: null })) + data(chunk({ content: "!" }));
  assert.equal(
    turn((await answer([data(none), azure], { tools: [] })).text).choices[0].message.content,
    "Hi!",
  );
});

test("errors: a connection that breaks in mid-stream", async () => {
  const timeout = Object.assign(new Error("silent for 10 s"), { name: "UpstreamTimeout" });
  for (
    const [error, code] of [[new Error("reset"), "upstream_disconnected"], [
      timeout,
      "upstream_timeout",
    ]] as const
  ) {
    for (const tools of [[readTool], []]) {
      const start = data(...TEXT.slice(0, 2));
      const { text, report } = await answer([start, 'data: {"ha', error], { tools });
      assert.ok(text.startsWith(start));
      assert.equal(JSON.parse(events(text).at(-1)!).error.code, code);
      assert.deepEqual(Object.keys(JSON.parse(events(text).at(-1)!).error), [
        "message",
        "type",
        "code",
        "param",
      ]);
      assert.equal(events(text).length, 3);
      assert.equal(report.outcome, "broken");
      const folded = await answer([start, error], { tools, stream: false });
      assert.equal(folded.response.status, code === "upstream_timeout" ? 504 : 502);
    }
  }
});

test("errors: the upstream cannot be reached", async () => {
  const named = (name: string) => Object.assign(new Error("Cannot reach http://x"), { name });
  const table = [
    [named("UpstreamUnreachable"), 502, "upstream_unreachable"],
    [named("UpstreamTimeout"), 504, "upstream_timeout"],
    [new TypeError("fetch failed"), 502, "upstream_unreachable"],
  ] as const;
  for (const [error, status, code] of table) {
    for (const request of [chat(), new Request("http://h/v1/models")]) {
      const response = await repair(() => Promise.reject(error))(request);
      const body = await response.json();
      assert.deepEqual([response.status, body.error.code], [status, code]);
      assert.ok(body.error.message.includes(error.message));
    }
  }
});

test("symptom C24: a client does not time out while the upstream has not begun to write", async () => {
  const config = { keepAliveMs: 20 };
  const { text, report } = await answer([90, data(...CALL) + DONE], {}, { config });
  const quiet = chunks(text).filter(({ choices }) =>
    choices?.[0]?.finish_reason === null && !choices[0].delta.tool_calls
  );
  assert.ok(quiet.length >= 2, text);
  assert.equal(turn(text).choices[0].message.tool_calls[0].function.arguments, '{"path":"é😀"}');
  assert.equal(text.match(/"role"/g)!.length, 1);
  assert.equal(report.outcome, "done");
  for (const late of [data(LIMITED), `${JSON.stringify({ error: { message: "late", code: 500 } })}\n`]) {
    const broken = await answer([60, late], {}, { config });
    assert.equal(broken.response.status, 200);
    assert.ok("error" in JSON.parse(events(broken.text).at(-1)!), broken.text);
  }
  // Without tools nothing is put in, nor where the answer is to be JSON.
  assert.equal(
    (await answer([60, data(...TEXT) + DONE], { tools: [] }, { config })).text,
    data(...TEXT) + DONE,
  );
  const json = await answer([60, data(...TEXT) + DONE], { stream: false }, { config });
  assert.equal(JSON.parse(json.text).choices[0].message.content, "Hé 😀");
  const failed = await answer([60, data(LIMITED)], { stream: false }, { config });
  assert.equal(failed.response.status, 429);
});

test("errors: the first events are held for peekMs at most", async () => {
  const role = data(TEXT[0]!);
  const begin = Date.now();
  const { text } = await answer([role, 150, data(LIMITED)], {}, { config: { peekMs: 30 } });
  assert.equal(text, role + data(LIMITED));
  const held = await answer([role, 50, data(LIMITED)], {}, { config: { peekMs: 60_000 } });
  assert.equal(held.response.status, 429);
  assert.ok(Date.now() - begin < 30_000);
});

test("rule 15: an upstream that finished but stays open is closed (C6)", async () => {
  for (const text of [data(...TEXT), data(...TEXT) + DONE, data(...CALL.slice(0, 5))]) {
    for (const tools of [[readTool], []]) {
      const result = await answer([text], { tools }, { open: true, config: { finishGraceMs: 40 } });
      assert.equal(events(result.text).filter((text) => text === "[DONE]").length, 1);
      assert.equal(finishes(result.text).length, 1);
      await new Promise((resolve) => setTimeout(resolve, 80));
      assert.equal(result.state.cancelled, true);
    }
  }
});

test("rule 15: comments behind the finish do not keep an answer open, streamed or not (C6)", async () => {
  for (const stream of [true, false]) {
    let cancelled = false;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(encoder.encode(data(...TEXT))),
      async pull(controller) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        if (!cancelled) controller.enqueue(encoder.encode(": ping\n\n"));
      },
      cancel: () => void (cancelled = true),
    }, { highWaterMark: 0 });
    const next = () =>
      Promise.resolve(new Response(body, { headers: { "content-type": "text/event-stream" } }));
    const response = await repair(next, { finishGraceMs: 100 })(chat({ stream }));
    assert.match(await response.text(), /"finish_reason":"stop"/);
    assert.equal(cancelled, true);
  }
});

test("rule 20: the client goes away", async () => {
  const state = upstream([data(...TEXT.slice(0, 2))], { open: true });
  const reports: ExchangeReport[] = [];
  const response = await repair(state.next, {}, onEnd((report) => reports.push(report)))(chat());
  const reader = response.body!.getReader();
  await reader.read();
  await reader.cancel();
  assert.equal(state.cancelled, true);
  assert.equal(reports[0]!.outcome, "cancelled");
});

test("rule 20: the client's request is aborted", async () => {
  for (const acts of [[data(...TEXT.slice(0, 2))], [data(TEXT[0]!)], []]) {
    const state = upstream(acts, { open: true });
    const controller = new AbortController();
    const answered = repair(state.next, { peekMs: 10_000 })(chat({}, { signal: controller.signal }));
    setTimeout(() => controller.abort(), 20);
    await assert.rejects(async () => {
      await (await answered).text();
    });
    assert.equal(state.requests[0]!.signal.aborted, true);
    assert.equal(state.cancelled, true);
  }
  const abort = new DOMException("gone", "AbortError");
  const controller = new AbortController();
  controller.abort(abort);
  const request = new Request("http://h/v1/models", { signal: controller.signal });
  await assert.rejects(repair(() => Promise.reject(abort))(request), { name: "AbortError" });
});

test("rule 20: a slow client slows the upstream down", async () => {
  const state = upstream(Array.from({ length: 100 }, () => data(TEXT[1]!)));
  const response = await repair(state.next)(chat());
  const reader = response.body!.getReader();
  await reader.read();
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.ok(state.pulled <= 3, String(state.pulled));
  await reader.cancel();
});

test("observe: one report for each exchange", async () => {
  const { reports } = await answer([FAULTY]);
  assert.equal(reports.length, 1);
  const { model, stream, tools, calls, finish, outcome, status, problems } = reports[0]!;
  assert.deepEqual([model, stream, tools, calls, finish, outcome, status], [
    "m",
    true,
    1,
    3,
    "tool_calls",
    "done",
    200,
  ]);
  assert.ok(problems.some(({ code }) => code === "calls-run-together"));
});

test("dialects may be pinned by model; a prompt may have opened the reasoning", async () => {
  const hermes = '<tool_call>{"name": "read", "arguments": {"path": "a"}}</tool_call>';
  const glm = "<tool_call>read<arg_key>path</arg_key><arg_value>a</arg_value></tool_call>";
  const parameters = { type: "object", properties: { path: { type: "string" } } };
  const message = async (model: string, content: string, config: Parameters<typeof repair>[1]) => {
    const answer = {
      choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }],
    };
    const fetch = repair(() => Promise.resolve(Response.json(answer)), config);
    const body = JSON.stringify({
      model,
      messages: [],
      tools: [{ type: "function", function: { name: "read", parameters } }],
    });
    const response = await fetch(new Request("http://h/v1/chat/completions", { method: "POST", body }));
    return (await response.json()).choices[0].message;
  };
  const config = {
    dialects: [{ models: "GLM-*", dialects: ["dsml", "qwen3-coder"] }, {
      models: "x/*-y",
      dialects: ["hermes"],
    }],
  };
  assert.equal((await message("glm-4.6", hermes, config)).content, hermes, "only these are looked for");
  const coder = "<tool_call><function=read><parameter=path>a</parameter></function></tool_call>";
  assert.equal((await message("glm-4.6", coder, config)).tool_calls.length, 1);
  assert.equal((await message("x/model-y", hermes, config)).tool_calls.length, 1);
  assert.equal((await message("x/model-y", glm, config)).content, glm);
  assert.equal((await message("other", glm, config)).tool_calls.length, 1, "no rule: all are looked for");

  const open = await message("m", `I should read it.</think>\n\n${hermes}`, { reasoning: "open" });
  assert.equal(open.reasoning_content, "I should read it.");
  assert.equal(open.tool_calls.length, 1);
});

test("an event named error is one, even when its data is like the chunks before it", async () => {
  const said = [
    chunk({ role: "assistant", content: "Hi" }),
    chunk({ content: " you" }),
    chunk({ content: " all" }),
  ];
  const named = `event: error\ndata: ${chunk({ content: " out" })}\n\n`;
  const codes: string[] = [];
  const watch = onEnd(({ problems }) => codes.push(...problems.map(({ code }) => code)));
  const response = await repair(upstream([data(...said) + named]).next, {}, watch)(chat());
  const text = await response.text();
  assert.match(JSON.parse(events(text).at(-1)!).error.message, /an error without a message/);
  assert.equal(events(text).length, said.length + 1);
  assert.deepEqual(codes, ["upstream-error"]);
});
