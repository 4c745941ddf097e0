/** Every vector through the whole pipeline: as a stream, byte by byte, and as JSON, with the same message at the end. */
import assert from "node:assert/strict";
import { repair } from "../src/repair.ts";
import { fold } from "../src/wire/fold.ts";
import type { Chunk, Json } from "../src/wire/openai.ts";
import { test } from "./_test.ts";
import type { Piece } from "./_turn.ts";
import { piecesOf, toolsOf, type Vector, type VectorFile, vectorFiles } from "./_vectors.ts";

const ENVELOPE = { id: "chatcmpl-1", object: "chat.completion.chunk", created: 1, model: "m" };

interface Message {
  readonly content: string;
  readonly reasoning: string;
  readonly calls: readonly { name: string; arguments: unknown; id?: string }[];
  readonly finish: unknown;
}

for (const file of vectorFiles) {
  test(`${file.dialect}: every vector over the wire, streamed in any pieces and not (rules 13, 15, 17, 18)`, async () => {
    for (const vector of file.cases) {
      if (vector.knownBroken !== undefined) continue; // tests/dialects_test.ts says when it no longer is
      if (vector.startsInReasoning) continue; // nothing on the wire tells
      const streams = [
        await overWire(file, vector, sse(piecesOf(vector)), Infinity),
        await overWire(file, vector, sse(inPieces(vector, 4)), 7),
        await overWire(file, vector, sse(piecesOf(vector)), 1),
      ];
      for (const bytes of streams) {
        const message = messageOf(checked(bytes));
        assert.deepEqual(message, expected(vector), `${vector.id}\n${bytes}`);
      }
      const json = JSON.parse(await overWire(file, vector, completion(piecesOf(vector)), Infinity)) as Json;
      assert.deepEqual(messageOfJson(json), expected(vector), vector.id);
    }
  });
}

function expected({ expect }: Vector): Message {
  const { content, reasoning, calls } = expect;
  const finish = expect.finish ?? (calls.length > 0 ? "tool_calls" : "stop");
  return { content, reasoning, calls, finish };
}

/** The answer to a request with the vector's tools, when the upstream says `body` in reads of `size` bytes. */
async function overWire(file: VectorFile, vector: Vector, body: string, size: number): Promise<string> {
  const stream = body.startsWith("data:");
  const bytes = new TextEncoder().encode(body);
  let at = 0;
  const upstream = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, at + Math.min(size, bytes.length)));
      at += Math.min(size, bytes.length);
    },
  }, { highWaterMark: 0 });
  const type = stream ? "text/event-stream" : "application/json";
  const fetch = repair(() => Promise.resolve(new Response(upstream, { headers: { "content-type": type } })));
  const tools = toolsOf(file, vector).map((tool) => ({ type: "function", function: tool }));
  const request = new Request("http://proxy/v1/chat/completions", {
    method: "POST",
    body: JSON.stringify({ model: "m", stream, messages: [], tools }),
  });
  return await (await fetch(request)).text();
}

function inPieces(vector: Vector, size: number): Piece[] {
  return piecesOf(vector).flatMap((piece): Piece[] => {
    const [field, text] = typeof piece === "string" ? ["content", piece] : Object.entries(piece)[0]!;
    return (text.match(new RegExp(`[^]{1,${size}}`, "gu")) ?? []).map((part) => ({ [field]: part }));
  });
}

function sse(pieces: readonly Piece[]): string {
  const deltas = pieces.map((piece) =>
    typeof piece === "string"
      ? { content: piece }
      : piece.reasoning === undefined
      ? { content: piece.content }
      : { reasoning_content: piece.reasoning }
  );
  const chunk = (delta: Json, finish_reason: string | null = null) =>
    `data: ${JSON.stringify({ ...ENVELOPE, choices: [{ index: 0, delta, finish_reason }] })}\n\n`;
  return [
    chunk({ role: "assistant", content: "" }),
    ...deltas.map((delta) => chunk(delta)),
    chunk({}, "stop"),
    "data: [DONE]\n\n",
  ].join("");
}

function completion(pieces: readonly Piece[]): string {
  const of = (field: "content" | "reasoning") =>
    pieces.map((piece) => typeof piece === "string" ? (field === "content" ? piece : "") : piece[field] ?? "")
      .join("");
  const reasoning = of("reasoning");
  const message = {
    role: "assistant",
    content: of("content"),
    ...(reasoning ? { reasoning_content: reasoning } : {}),
  };
  return JSON.stringify({
    ...ENVELOPE,
    object: "chat.completion",
    choices: [{ index: 0, message, finish_reason: "stop" }],
  });
}

/** The chunks of a stream, which has to keep the protocol. */
function checked(text: string): Chunk[] {
  const events = text.split("\n\n").slice(0, -1).map((event) => event.slice("data: ".length));
  assert.equal(events.pop(), "[DONE]", "[DONE] comes last");
  const chunks = events.map((event) => JSON.parse(event) as Chunk);
  assert.equal(chunks[0]?.choices?.[0]?.delta?.role, "assistant", "the first chunk carries the role");
  const finishes = chunks.filter((chunk) => chunk.choices?.[0]?.finish_reason != null);
  assert.equal(finishes.length, 1, "one chunk ends the turn");
  assert.equal(finishes[0], chunks.at(-1), "nothing comes behind it");
  const named = new Set<number>();
  for (const call of chunks.flatMap((chunk) => chunk.choices?.[0]?.delta?.tool_calls ?? [])) {
    const first = !named.has(call.index);
    if (first) assert.equal(call.index, named.size, "calls are numbered 0, 1, 2");
    named.add(call.index);
    assert.equal(call.type, first ? "function" : undefined);
    assert.equal(typeof call.id, first ? "string" : "undefined");
    assert.equal(typeof call.function?.name, first ? "string" : "undefined");
  }
  return chunks;
}

function messageOf(chunks: readonly Chunk[]): Message {
  return messageOfJson(fold(chunks));
}

function messageOfJson(json: Json): Message {
  const [choice] = json["choices"] as [{ message: Json; finish_reason: unknown }];
  const calls = (choice.message["tool_calls"] ?? []) as {
    id: string;
    function: { name: string; arguments: string };
  }[];
  return {
    content: (choice.message["content"] ?? "") as string,
    reasoning: (choice.message["reasoning_content"] ?? "") as string,
    calls: calls.flatMap((call) => {
      const value = parse(call.function.arguments);
      if (value === undefined) return []; // cut off: no call
      const carried = call.id.startsWith("call_") ? {} : { id: call.id };
      return [{ name: call.function.name, arguments: value, ...carried }];
    }),
    finish: choice.finish_reason,
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
