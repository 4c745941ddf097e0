import assert from "node:assert/strict";
import { Answer } from "../src/wire/answer.ts";
import { answerStream } from "../src/wire/answer_stream.ts";
import { protocolStage } from "../src/wire/protocol_stage.ts";
import type { Item } from "../src/wire/stage.ts";
import { failOpen } from "../src/wire/stages.ts";
import type { TurnStage } from "../src/wire/turn_stage.ts";
import { UpstreamBody } from "../src/wire/upstream_body.ts";
import { test } from "./_test.ts";
import { type Act, chunk, chunks, data, DONE, events, upstream } from "./_upstream.ts";

/** A turn stage that holds all it gets until `open` says so. */
function holder(more: Partial<TurnStage> = {}): TurnStage {
  let held: Item[] = [];
  return {
    get holding() {
      return held.length > 0;
    },
    outcome: () => "none",
    chunk(item) {
      held.push(item);
      if (item.chunk.choices?.[0]?.finish_reason !== "stop") return [];
      const all = held;
      held = [];
      return all;
    },
    end: () => held,
    flush: () => [],
    callsByDialect: {},
    written: () => false,
    apart: false,
    look: (_text, at) => ({ at, starts: false }),
    pass: () => {},
    ...more,
  };
}

async function run(acts: readonly Act[], turn: TurnStage) {
  const problems: string[] = [];
  const problem = (code: string) => problems.push(code);
  const protocol = protocolStage({ tools: true, choices: 1, model: "m", problem, outcome: () => "none" });
  const response = await upstream(acts).next(new Request("http://h"));
  const stream = answerStream({
    busy: (work) => work(),
    body: new UpstreamBody(response.body!),
    answer: new Answer({ turn, protocol, several: false, problem }),
    keepAliveMs: 40,
    finishGraceMs: 1000,
    keepAlive: () => protocol.keepAlive(),
    signal: new AbortController().signal,
    problem,
    ended: () => {},
  });
  return { text: await new Response(stream).text(), problems };
}

const SAID = [chunk({ role: "assistant", content: "a" }), chunk({ content: "b" })];

test("rule 19: while a call is held, an empty delta goes out", async () => {
  const { text } = await run(
    [data(SAID[0]!), 100, data(SAID[1]!), 60, data(chunk({}, "stop")) + DONE],
    holder(),
  );
  const all = chunks(text);
  const empty = all.findIndex((chunk) => chunk.choices[0].delta.content !== undefined);
  assert.ok(empty >= 2 && empty <= 4, String(empty));
  assert.deepEqual(all[0], {
    id: "c1",
    created: 1,
    model: "m",
    object: "chat.completion.chunk",
    choices: [{ index: 0, delta: { role: "assistant" }, finish_reason: null }],
  });
  assert.deepEqual(all[1].choices[0].delta, {});
  assert.deepEqual(all.map((chunk) => chunk.choices[0].delta.content ?? "").join(""), "ab");
  assert.equal(all.filter((chunk) => chunk.choices[0].delta.role).length, 1);
  assert.equal(new Set(all.map((chunk) => chunk.model)).size, 1);
  assert.equal(events(text).at(-1), "[DONE]");
});

test("rule 19: a stream that holds nothing gets no empty deltas", async () => {
  const { text } = await run(
    [data(SAID[0]!), 100, data(chunk({}, "stop")) + DONE],
    holder({ chunk: (item) => [item] }),
  );
  assert.equal(chunks(text).length, 2);
});

test("rule 3: a stage that throws is out, and what it was given goes on", async () => {
  let calls = 0;
  const turn = holder({
    chunk(item) {
      if (calls++ > 0) throw new Error("boom");
      return [item];
    },
  });
  const sent = [
    chunk({ role: "assistant", content: "a" }),
    chunk({ content: "b" }),
    chunk({ content: "c" }),
    chunk({}, "stop"),
  ];
  const { text, problems } = await run([data(...sent) + DONE], turn);
  assert.equal(text, data(...sent) + DONE);
  assert.equal(calls, 2);
  assert.deepEqual(problems, ["stage-failed"]);
  const stages = failOpen([holder({
    end() {
      throw new Error("boom");
    },
  })], () => {});
  assert.deepEqual([stages.end(), stages.end()], [[], []]);
});

test("errors: held text goes out before the error, where the stage says it is safe", async () => {
  const flush = (): Item[] => [{ chunk: { choices: [{ index: 0, delta: { content: "a" } }] } }];
  const { text } = await run([data(SAID[0]!), new Error("reset")], holder({ flush }));
  assert.equal(chunks(text)[0].choices[0].delta.content, "a");
  assert.equal(JSON.parse(events(text)[1]!).error.code, "upstream_disconnected");
  assert.equal(events(text).length, 2);
});
