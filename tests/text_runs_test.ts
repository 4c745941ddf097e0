/** Chunks that differ in nothing but a text are looked at together: what they say, and their bytes, stay what they were. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import process from "node:process";
import { repair } from "../src/repair.ts";
import { ChunkShape } from "../src/wire/chunk_shape.ts";
import { joined } from "./_joined.ts";
import { cutOf, mixOf, soupOf, textsOf, tools as vectorTools } from "./_soup.ts";
import { test } from "./_test.ts";
import { chat, chunk, chunks, cut, data, DONE, upstream } from "./_upstream.ts";

/** What breaks whoever reads JSON by its letters; none of it makes a word that means something. */
const texts = fc.array(
  fc.string({
    unit: fc.constantFrom(
      ..."ok<>{}[]()\"'\\`~|:,= \n\t\u0000\u007f\u2028é日",
      "😀",
      "\ud83d",
      "\ude00",
      '"},',
      "\\u0022",
    ),
    minLength: 1,
    maxLength: 6,
  }),
  { minLength: 1, maxLength: 12 },
);

const ROLE = data(chunk({ role: "assistant", content: "" }));

/** A stream whose chunks each hold one of `pieces`, as `delta` puts it. */
const streamOf = (pieces: readonly string[], delta: (piece: string) => object, finish: string, head = "") =>
  ROLE + head + data(...pieces.map((piece) => chunk(delta(piece)))) + data(chunk({}, finish)) + DONE;

async function answerTo(text: string, places: readonly number[], request = chat): Promise<string> {
  const bytes = new TextEncoder().encode(text);
  const within = [...new Set(places.map((place) => place % bytes.length))].sort((a, b) => a - b);
  return await (await repair(upstream(cut(bytes, ...within)).next)(request())).text();
}

/** What stands around markup that is only talked about. */
const AROUND = [
  ..."`\\ax \n",
  "``",
  "```",
  "~~~",
  "\\`",
  "\n    ",
  "\n> ",
  "\n```json\n",
  "Observation:",
  "a < b",
  "\r\n",
];

/** `RUNS=20000` looks for longer. */
const RUNS = Number(process.env.RUNS ?? 400);

/** Ids of calls are made at random. */
const IDS = /call_[\w-]+/g;

const places = fc.array(fc.nat(10_000), { maxLength: 8 });

/** How the stream's lines end. */
const lineEnds = fc.constantFrom("\n", "\r\n", "\r");

for (const field of ["content", "reasoning", "reasoning_content"]) {
  test(`rule 2: ${field} in which nothing is goes out byte for byte, however it is written and cut`, async () => {
    await fc.assert(
      fc.asyncProperty(texts, places, lineEnds, async (pieces, places, end) => {
        const text = streamOf(pieces, (piece) => ({ [field]: piece }), "stop").replaceAll("\n", end);
        assert.equal(await answerTo(text, places), text);
      }),
      { numRuns: 300 },
    );
  });
}

test("rule 2: so do the arguments of native calls", async () => {
  const start = { index: 0, id: "call_a", type: "function", function: { name: "read", arguments: "" } };
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: "grapheme" }),
      fc.array(fc.nat(40)),
      places,
      async (path, ends, places) => {
        const json = JSON.stringify({ path });
        const at = [...new Set([0, ...ends.map((end) => end % json.length), json.length])].sort((a, b) =>
          a - b
        );
        const pieces = at.slice(1).map((end, n) => json.slice(at[n]!, end));
        const call = (piece: string) => ({ tool_calls: [{ index: 0, function: { arguments: piece } }] });
        const text = streamOf(pieces, call, "tool_calls", data(chunk({ tool_calls: [start] })));
        assert.equal(await answerTo(text, places), text);
      },
    ),
    { numRuns: 300 },
  );
});

test("rule 17: markup among prose and code says the same where chunks are looked at together as where each is read", async () => {
  const asking = () => chat({ tools: vectorTools.map((tool) => ({ type: "function", function: tool })) });
  const all = textsOf();
  const call = '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Oslo"}}\n</tool_call>';
  const around = fc.array(fc.constantFrom(...AROUND), { maxLength: 8 }).map((parts) => parts.join(""));
  const quoted = fc.tuple(around, fc.constantFrom(call, ""), around).map((parts) => parts.join(""));
  const text = fc.tuple(fc.constantFrom("", "Well: "), fc.oneof(quoted, quoted, soupOf(all), mixOf(all)))
    .map((parts) => parts.join(""));
  const finely = fc.tuple(text, fc.integer({ min: 1, max: 5 })).map(([text, size]) =>
    text.match(new RegExp(`[^]{1,${size}}`, "g")) ?? []
  );
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(finely, cutOf(text).map(([, pieces]) => pieces)),
      places,
      async (pieces, places) => {
        const alike = pieces.filter((piece) => piece !== "").map((content) => chunk({ content }));
        const apart = alike.map((text, n) => text.replace("{", "{".padEnd(n + 2))); // no two of them begin alike
        const [together, each] = await Promise.all([alike, apart].map(async (chunks) => {
          return joined(await answerTo(ROLE + data(...chunks, chunk({}, "stop")) + DONE, places, asking));
        }));
        const said = (parts: typeof together) =>
          parts!.map(({ what, text }) => [what.replaceAll(IDS, ""), text.replaceAll(IDS, "")]);
        assert.deepEqual(said(together), said(each));
      },
    ),
    { numRuns: RUNS },
  );
});

test("what one read brings of a call goes out in few pieces, but a long text not as one", async () => {
  const content = 'a line of text, \\ "quoted"\n'.repeat(100);
  const call = `<tool_call>\n${JSON.stringify({ name: "read", arguments: { path: content } })}\n</tool_call>`;
  const pieces = call.match(/[^]{1,4}/g)!;
  for (const end of ["\n", "\r\n"]) {
    const stream = streamOf(pieces, (content) => ({ content }), "stop").replaceAll("\n", end);
    const calls = chunks(await answerTo(stream, [])).flatMap(({ choices }) =>
      choices[0].delta.tool_calls ?? []
    );
    assert.ok(pieces.length > 500 && calls.length < 30, `${calls.length} of ${pieces.length}`);
    const longest = Math.max(...calls.map((call) => call.function.arguments.length));
    assert.ok(longest < 1000, `${longest} characters in one piece`);
    const text = calls.map((call) => call.function.arguments).join("");
    assert.deepEqual(JSON.parse(text), { path: content });
  }
});

test("prose around code in one read is the bytes that came, and no copy of them", async () => {
  const prose = "See `parse()` and if a < b, stop.\nThen go on. ".repeat(40);
  const text = streamOf(prose.match(/[^]{1,5}/g)!, (content) => ({ content }), "stop");
  const sent: Uint8Array[] = [], received: Uint8Array[] = [];
  const watch = () => ({
    sent: (bytes: Uint8Array) => void sent.push(bytes),
    received: (bytes: Uint8Array) => void received.push(bytes),
  });
  const { next } = upstream([text]);
  assert.equal(await (await repair(next, {}, watch)(chat())).text(), text);
  assert.equal(sent.length, 1);
  assert.equal(sent[0], received[0]);
});

/** The pieces that go out for a text that comes in some, and of each whether it is said to be what came. */
async function piecesOf(pieces: readonly Uint8Array[]) {
  const sent: { bytes: Uint8Array; asReceived: boolean }[] = [];
  const watch = () => ({
    sent: (bytes: Uint8Array, asReceived: boolean) => void sent.push({ bytes, asReceived }),
  });
  await (await repair(upstream(pieces).next, {}, watch)(chat())).arrayBuffer();
  return sent;
}

test("where a read ends amid an event, its bytes go out with the next ones as they came", async () => {
  const prose = "Well: if a < b it is é or \ud83d\ude00: see `parse`.\nElse <".repeat(9);
  const bytes = new TextEncoder().encode(
    streamOf(prose.match(/[^]{1,7}/gu)!, (content) => ({ content }), "stop"),
  );
  for (let at = 1; at < bytes.length; at++) {
    const sent = await piecesOf(cut(bytes, at, Math.min(at + 100, bytes.length - 1)));
    assert.deepEqual(Buffer.concat(sent.map(({ bytes }) => bytes)), Buffer.from(bytes), `cut at ${at}`);
    // Of a character that is cut it is not known whether it was whole; before there was prose, a "<" is held elsewhere.
    const whole = [at, at + 100].every((place) => bytes[Math.min(place, bytes.length - 1) - 1]! < 0x80);
    assert.ok(!whole || sent.every(({ asReceived }) => asReceived), `cut at ${at}`);
  }
});

test("what is said to be as it came is so, also among bytes that are no text", async () => {
  const nasty = fc.constantFrom(0xff, 0xc3, 0xa9, 0xf0, 0x9f, 0x98, 0x80, 0x0a, 0x0d, 0x22, 0x3c, 0x60, 0x61);
  await fc.assert(
    fc.asyncProperty(
      texts,
      fc.array(fc.tuple(fc.nat(10_000), nasty), { maxLength: 5 }),
      places,
      async (pieces, wrong, places) => {
        const bytes = new TextEncoder().encode(streamOf(pieces, (content) => ({ content }), "stop"));
        for (const [at, byte] of wrong) bytes[at % bytes.length] = byte;
        const within = [...new Set(places.map((place) => place % bytes.length))].sort((a, b) => a - b);
        let at = 0;
        for (const { bytes: piece, asReceived } of await piecesOf(cut(bytes, ...within))) {
          if (!asReceived) return;
          assert.equal(
            Buffer.from(piece).toString("latin1"),
            Buffer.from(bytes.slice(at, at += piece.length)).toString("latin1"),
          );
        }
      },
    ),
    { numRuns: RUNS },
  );
});

test("a chunk that only looks like those before it is read", async () => {
  const hidden = JSON.parse(chunk({ content: "b" }));
  hidden.choices[0].delta = {
    content: "b",
    tool_calls: [{ index: 0, id: "call_a", type: "function", function: { name: "read", arguments: "{}" } }],
    x: "c",
  };
  const text = ROLE + data(chunk({ content: "a" }), chunk({ content: "aa" }), JSON.stringify(hidden)) +
    data(chunk({}, "stop")) + DONE;
  const last = chunks(await answerTo(text, [])).at(-1);
  assert.equal(last.choices[0].finish_reason, "tool_calls");
});

test("a shape is not learned from for ever, and not from a chunk that says more than one text", () => {
  const shape = new ChunkShape();
  const learn = (text: string) => shape.learn({ raw: data(text) }, JSON.parse(text));
  assert.ok(!learn(chunk({ content: "a", reasoning_content: "b" })));
  assert.ok(!learn(chunk({ content: "a" }, "stop")));
  assert.ok(!learn(chunk({ content: "a" }, null, { usage: { total_tokens: 1 } })));
  assert.ok(!learn(chunk({ content: "" })));
  assert.ok(!learn(chunk({ content: "a" }, null, { "content": 1 })), "which of the two is it?");
  assert.ok(learn(chunk({ content: "a", tool_calls: null })));
  const first = data(chunk({ content: 'a\n"é', tool_calls: null }));
  const second = data(chunk({ content: "b", tool_calls: null }));
  const run = shape.run(`: x\n\n${first}${second}${data(chunk({ content: "c" }))}`, 5);
  assert.deepEqual(run, {
    texts: ['a\n"é', "b"],
    ends: [5 + first.length, 5 + first.length + second.length],
  });
  assert.equal(shape.run(data(chunk({ content: "a" })), 0), undefined);
  for (let n = 0; n < 16; n++) assert.ok(learn(chunk({ content: "a" }, null, { n })), String(n));
  assert.ok(!learn(chunk({ content: "a" }, null, { n: -1 })));
});
