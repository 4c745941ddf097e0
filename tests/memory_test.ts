/** What is remembered between requests: how much, for how long, and of whom. */
import assert from "node:assert/strict";
import { Memory, scopeOf } from "../src/fixes/memory.ts";
import { repair } from "../src/repair.ts";
import { test } from "./_test.ts";
import { chat, chunk, data, DONE, type Loose, upstream } from "./_upstream.ts";

const key = (id: string, name = "read", text = "{}") => ({ id, name, arguments: text });

test("memory: bounded by entries and by bytes, the one that was used last goes last", () => {
  const memory = new Memory({ entries: 2, bytes: 100, ms: 10, now: () => 0 });
  memory.put("a", "1");
  memory.put("b", "2");
  memory.get("a");
  memory.put("c", "3");
  assert.deepEqual(["a", "b", "c"].map((key) => memory.get(key)), ["1", undefined, "3"]);
  memory.put("d", "x".repeat(48));
  assert.deepEqual([memory.size, memory.bytes, memory.get("c")], [1, 98, undefined]);
  memory.put("e", "x".repeat(50));
  assert.deepEqual([memory.get("e"), memory.size], [undefined, 1], "larger than all of it");
  memory.put("d", "");
  assert.equal(memory.bytes, 2);
  const none = new Memory({ entries: 0, bytes: 100, ms: 10, now: () => 0 });
  none.put("a", "1");
  assert.equal(none.get("a"), undefined);
});

test("memory: an entry expires", () => {
  let now = 0;
  const memory = new Memory({ entries: 9, bytes: 999, ms: 10, now: () => now });
  memory.put("a", "1");
  now = 9;
  assert.equal(memory.get("a"), "1");
  now = 10;
  assert.equal(memory.get("a"), undefined);
  assert.deepEqual([memory.size, memory.bytes], [0, 0]);
});

test("memory: a scope is a client, an upstream and a model; ids that are counted need more", async () => {
  const memory = new Memory({ entries: 99, bytes: 9999, ms: 10, now: () => 0 });
  const of = async (authorization: string | undefined, host = "h", model = "m") =>
    memory.of(await scopeOf(new Headers(authorization === undefined ? {} : { authorization }), host, model));
  const mine = await of("Bearer a");
  const long = "call_AbCdEf0123456789";
  mine.put("kind", key(long), "1");
  for (
    const other of [
      await of("Bearer b"),
      await of(undefined),
      await of("Bearer a", "g"),
      await of("Bearer a", "h", "n"),
    ]
  ) {
    assert.equal(other.get("kind", key(long)), undefined);
  }
  assert.equal((await of("Bearer a")).get("kind", key(long, "other", "x")), "1");
  assert.equal(mine.get("other", key(long)), undefined);
  mine.put("kind", key("functions.read:0", "read", '{"a": 1}'), "2");
  assert.equal(mine.get("kind", key("functions.read:0", "read", '{"a":1}')), "2", "written anew");
  assert.equal(
    mine.get("kind", key("functions.read:0", "read", '{"a":2}')),
    undefined,
    "another conversation's",
  );
  const nobody = await of(undefined);
  nobody.put("kind", key("call_0"), "3");
  assert.equal(nobody.get("kind", key("call_0")), undefined, "nothing tells two of them apart");
  assert.ok(
    !JSON.stringify(await scopeOf(new Headers({ authorization: "Bearer secret" }), "h", "m")).includes(
      "secret",
    ),
  );
});

const ID = "call_00_AbCdEf0123456789";
const ANSWER = data(
  chunk({ role: "assistant", reasoning_content: "because" }),
  chunk({
    tool_calls: [{ index: 0, id: ID, type: "function", function: { name: "read", arguments: "{}" } }],
  }),
  chunk({}, "tool_calls"),
) + DONE;
const HISTORY = [
  { role: "user", content: "q" },
  {
    role: "assistant",
    content: "",
    tool_calls: [{ id: ID, type: "function", function: { name: "read", arguments: "{}" } }],
  },
  { role: "tool", tool_call_id: ID, content: "r" },
];

/** The reasoning that the second turn sends up, for a first and a second client. */
async function recalled(
  first: string,
  second: string,
  options: Loose = {},
  body: Loose = {},
): Promise<unknown> {
  const { wait = 0, acts = [ANSWER], ...init } = options;
  let now = 0;
  const state = upstream(acts, init);
  const memory = { entries: 10, bytes: 10_000, ms: 100, now: () => now };
  const fetch = repair(state.next, { memory });
  const headers = (authorization: string) => ({ headers: { authorization } });
  const asked = { model: "deepseek-chat", ...body };
  await (await fetch(chat(asked, headers(first)))).text();
  now = wait;
  await (await fetch(chat({ ...asked, messages: HISTORY }, headers(second)))).text();
  return JSON.parse(await state.requests[1]!.text()).messages[1].reasoning_content;
}

test("reasoning comes back to the client whose it was, in a stream and in JSON, until it expires", async () => {
  assert.equal(await recalled("a", "a"), "because");
  assert.equal(await recalled("a", "b"), undefined);
  assert.equal(await recalled("a", "a", { wait: 100 }), undefined);
  const message = {
    role: "assistant",
    content: null,
    reasoning_content: "because",
    tool_calls: HISTORY[1]!.tool_calls,
  };
  const completion = {
    id: "1",
    created: 1,
    model: "m",
    object: "chat.completion",
    choices: [{ index: 0, message, finish_reason: "tool_calls" }],
  };
  const json = { acts: [JSON.stringify(completion)], type: "application/json" };
  assert.equal(await recalled("a", "a", json, { stream: false }), "because");
});

test("reasoning that nobody has: a blank when the model thinks, nothing when it does not", async () => {
  assert.equal(await recalled("a", "b", {}, { model: "deepseek-v4" }), " ");
  assert.equal(
    await recalled("a", "b", {}, { model: "deepseek-v4", thinking: { type: "disabled" } }),
    undefined,
  );
  assert.equal(await recalled("a", "b", {}, { thinking: { type: "enabled" } }), " ");
});

test("reasoning goes by the id that the client got, when it is a new one", async () => {
  const acts = [
    data(
      chunk({ role: "assistant", reasoning_content: "because" }),
      chunk({ content: '<tool_call>{"name":"read","arguments":{}}</tool_call>' }),
      chunk({}, "stop"),
    ) + DONE,
  ];
  const state = upstream(acts);
  const fetch = repair(state.next);
  const text = await (await fetch(chat({ model: "kimi-k2-thinking" }))).text();
  const id = /call_[A-Za-z0-9]{24}/.exec(text)![0];
  const messages = JSON.parse(JSON.stringify(HISTORY).replaceAll(ID, id));
  await (await fetch(chat({ model: "kimi-k2-thinking", messages }))).text();
  const [, assistant] = JSON.parse(await state.requests[1]!.text()).messages;
  assert.deepEqual([assistant.reasoning_content, assistant.tool_calls[0].id], [
    "because",
    "functions.read:0",
  ]);
});
