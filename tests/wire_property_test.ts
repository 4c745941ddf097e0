import assert from "node:assert/strict";
import fc from "fast-check";
import { repair } from "../src/repair.ts";
import { fold } from "../src/wire/fold.ts";
import { endOfPlain, isPlain } from "../src/wire/is_plain.ts";
import { joined } from "./_joined.ts";
import { test } from "./_test.ts";
import { chat, chunk, chunks, cut, DONE, events, type Loose, readTool, upstream } from "./_upstream.ts";

const call = (...calls: unknown[]) => chunk({ tool_calls: calls });

/** Events as vendors send them, good and bad. */
const POOL = [
  chunk({ role: "assistant", content: "" }),
  chunk({ content: 'é😀 \\ "finish_reason":"x" ' }),
  chunk({ content: "plain" }),
  chunk({ content: "b" }).replaceAll('":', '": '),
  chunk({ reasoning_content: "why" }),
  chunk({ content: "x", tool_calls: [] }),
  chunk({ content: "y" }, ""),
  call({ index: 0, id: "a", type: "function", function: { name: "read", arguments: "" } }),
  call({ index: 0, function: { arguments: '{"path":"}{' } }),
  call({ index: 0, function: { arguments: '"}' } }),
  call({ function: { name: "READ", arguments: { path: 1 } } }),
  call({ index: 3, id: "b", function: { name: "read", arguments: '{"path":"1"}{"path":"2"}' } }),
  call({ index: 0, id: "c", function: { name: "re" } }, {
    index: 0,
    function: { name: "ad", arguments: "{}" },
  }),
  chunk({}, "stop"),
  chunk({}, "tool_use"),
  chunk({}, "length", { usage: { total_tokens: 2 } }),
  chunk({ content: "z" }, null, { id: undefined, usage: null }),
  chunk({}, null, { choices: null, usage: { total_tokens: 1 } }),
  chunk({}, null, { choices: undefined, usage: { total_tokens: 1 } }),
  "not json",
];
const BLOCKS = [
  ...POOL.map((data) => `data: ${data}\n\n`),
  ...POOL.slice(0, 4).map((data) => `data:${data}\r\n\r\n`),
  ": comment\n\n",
  `id: 1\ndata: ${POOL[2]}\n\n`,
  'data: {"error":{"message":"late","code":429}}\n\n',
  DONE,
];

async function run(bytes: readonly Uint8Array[], body: Record<string, unknown>) {
  const response = await repair(upstream(bytes).next)(chat(body));
  const text = await response.text();
  let next = 0;
  const ids = new Map<string, string>();
  const named = text.replace(/(?:call_|chatcmpl-)[A-Za-z0-9]{20,}/g, (id) => {
    if (!ids.has(id)) ids.set(id, `made_${next++}`);
    return ids.get(id)!;
  });
  return { status: response.status, text: named.replace(/"created":\d{5,}/g, '"created":0') };
}

/** What an answer says; in how many pieces depends on what came in one read. */
const told = ({ status, text }: { status: number; text: string }) => ({ status, said: joined(text) });

/** The client's side of the contract, for a stream that did not end in an error. */
function check(text: string): void {
  const all = events(text);
  assert.equal(all.filter((data) => data === "[DONE]").length, 1);
  assert.equal(all.at(-1), "[DONE]");
  const parsed = chunks(text.replace(/data: ?not json(\r?\n){2}/g, ""));
  const calls: Loose[] = [];
  let finish: string | undefined;
  let first = true;
  for (const { id, object, created, model, choices } of parsed) {
    assert.deepEqual([typeof id, object, typeof created, typeof model], [
      "string",
      "chat.completion.chunk",
      "number",
      "string",
    ]);
    for (const { delta, finish_reason } of choices) {
      if (first) assert.equal(delta.role, "assistant");
      first = false;
      for (const { index, id, type, function: called } of delta.tool_calls ?? []) {
        if (calls[index] === undefined) {
          assert.equal(index, calls.length);
          assert.deepEqual([typeof id, type, typeof called.name], ["string", "function", "string"]);
          calls.push({ id, args: "" });
        } else assert.deepEqual([id, type, called.name], [undefined, undefined, undefined]);
        calls[index].args += called.arguments;
      }
      if (finish_reason === null || finish_reason === undefined) continue;
      assert.equal(finish, undefined, "one finish");
      finish = finish_reason;
    }
  }
  assert.ok(finish !== undefined && ["stop", "length", "tool_calls"].includes(finish));
  assert.equal(new Set(calls.map(({ id }) => id)).size, calls.length);
}

const blocks = fc.array(fc.constantFrom(...BLOCKS), { maxLength: 12 });

test("rules 13, 15, 16, 17: any stream, at any cut, gives one turn that keeps the protocol", async () => {
  const property = fc.asyncProperty(
    blocks,
    fc.array(fc.nat(3000), { maxLength: 8 }),
    async (blocks, places) => {
      const bytes = new TextEncoder().encode(blocks.join(""));
      const at = places.map((place) => Math.min(place, bytes.length)).sort((a, b) => a - b);
      for (
        const body of [{}, { tools: [] }, { tools: [], n: 2 }, { stream: false }, {
          stream: false,
          tools: [readTool],
        }]
      ) {
        const whole = await run([bytes], body);
        assert.deepEqual(told(await run(cut(bytes, ...at), body)), told(whole));
        const failed = whole.status !== 200 || whole.text.includes('"error"');
        if (!failed && !("stream" in body) && !("tools" in body)) check(whole.text);
        if (!failed && !("stream" in body)) assert.ok(events(whole.text).at(-1) === "[DONE]");
      }
    },
  );
  await fc.assert(property, { numRuns: 200 });
});

test("rule 2: what goes by unread ends in front of the first event that may need mending", () => {
  fc.assert(fc.property(blocks, fc.nat(12), (blocks, from) => {
    const start = blocks.slice(0, from).join("").length;
    const odd = blocks.findIndex((block, n) => n >= from && !isPlain(block));
    const end = blocks.slice(0, odd === -1 ? undefined : odd).join("").length;
    assert.equal(endOfPlain(blocks.join(""), start), Math.max(start, end));
  }));
});

test("rule 18: a folded stream says what the stream says", async () => {
  await fc.assert(
    fc.asyncProperty(blocks, async (blocks) => {
      const text = blocks.filter((block) => !block.includes('"error"') && !block.includes("not json")).join(
        "",
      );
      const bytes = [new TextEncoder().encode(text)];
      const streamed = await run(bytes, {});
      const folded = await run(bytes, { stream: false });
      assert.equal(folded.status, streamed.status);
      if (streamed.status !== 200) return assert.equal(folded.text, streamed.text);
      const said = fold(chunks(streamed.text)) as Loose;
      const anyId = (value: unknown) => JSON.parse(JSON.stringify(value).replace(/made_\d+/g, "made"));
      assert.deepEqual(anyId(JSON.parse(folded.text).choices), anyId(said.choices));
    }),
    { numRuns: 100 },
  );
});
