import assert from "node:assert/strict";
import fc from "fast-check";
import { SseDecoder } from "../src/wire/sse.ts";
import type { SseEvent } from "../src/wire/sse_event.ts";
import { test } from "./_test.ts";
import { cut } from "./_upstream.ts";

const encoder = new TextEncoder();

function decode(pieces: readonly Uint8Array[], limit?: number): SseEvent[] {
  const decoder = new SseDecoder(limit);
  return [...pieces.flatMap((piece) => [...decoder.push(piece)]), ...decoder.end().events];
}

const STREAM = '\uFEFFdata: {"a":"é😀"}\n\n: ping\n\nevent: error\r\nid: 7\r\ndata: x\r\n\r\n' +
  "data:y\r\rdata: one\ndata: two\n\n\n\ndata: a\n\r\nretry: 5\n\ndata:\n\ndata: z\r\n\n: c\ndata: [DONE]\n\n";
const SAID = ['{"a":"é😀"}', undefined, "x", "y", "one\ntwo", undefined, "a", undefined, "", "z", "[DONE]"];

test("sse: events with their raw text, at every two-way cut", () => {
  const bytes = encoder.encode(STREAM);
  const whole = decode([bytes]);
  assert.deepEqual(whole.map((event) => event.data), SAID);
  assert.equal(whole[2]!.name, "error");
  for (let at = 0; at <= bytes.length; at++) {
    assert.deepEqual(decode(cut(bytes, at)), whole, `cut at ${at}`);
  }
  assert.deepEqual(decode([...bytes].map((byte) => Uint8Array.of(byte))), whole);
  assert.equal(whole.map((event) => event.raw).join(""), STREAM);
});

test("sse: raw text adds up to the stream, for any text and any cut", () => {
  const text = fc.array(
    fc.constantFrom("data: ", "a", "\n", "\r", "\r\n", "\n\n", ":", "é", '{"b":1}', "event: x"),
  )
    .map((parts) => parts.join(""));
  fc.assert(fc.property(text, fc.array(fc.nat(60)), (text, places) => {
    const bytes = encoder.encode(text + "\n\n");
    const sorted = places.map((place) => Math.min(place, bytes.length)).sort((a, b) => a - b);
    const whole = decode([bytes]);
    assert.equal(whole.map((event) => event.raw).join(""), text + "\n\n");
    assert.deepEqual(decode(cut(bytes, ...sorted)), whole);
  }));
});

test("sse: the last block counts without its blank line when it is whole", () => {
  const last = (text: string) => {
    const decoder = new SseDecoder();
    const events = decoder.push(encoder.encode(text));
    const end = decoder.end();
    return { events: [...events, ...end.events], cut: end.cut };
  };
  for (const end of ["", "\n", "\r\n"]) {
    assert.deepEqual(last(`data: {"a":1}${end}`).events.map(({ data }) => data), ['{"a":1}']);
    assert.deepEqual(last(`data: [DONE]${end}`).events.map(({ data }) => data), ["[DONE]"]);
    assert.match(last(`data: [DONE]${end}`).events[0]!.raw, /\n\r?\n$/);
    assert.deepEqual(last(`data: {"a":${end}`), { events: [], cut: true });
  }
  assert.deepEqual(last("\n").events, [{ raw: "\n" }]);
});

test("sse: behind an event over the limit, the next is what it would be anywhere", () => {
  const long = ["data: aaaaaaaaaaaa\n", "\n"];
  const next = "\ndata: b\n\n";
  for (const pieces of [[...long, next], [long.join(""), next], [...long, ...next]]) {
    const events = decode(pieces.map((piece) => encoder.encode(piece)), 10);
    assert.deepEqual(events.at(-1), { raw: next, data: "b" }, JSON.stringify(pieces));
  }
});

test("sse: an event over the limit passes unread", () => {
  const text = `data: 1\n\ndata: ${"x".repeat(100)}\n\ndata: 2\n\n`;
  const events = decode([...encoder.encode(text)].map((byte) => Uint8Array.of(byte)), 50);
  assert.equal(events.map(({ raw }) => raw).join(""), text);
  assert.deepEqual(events.map(({ data }) => data).filter((data) => data !== undefined), ["1", "2"]);
});

test("sse: a 10 MB event in small reads costs linear time", () => {
  const bytes = encoder.encode(`data: "${"x".repeat(10_000_000)}"\n\n`);
  const decoder = new SseDecoder();
  const begin = performance.now();
  let events = 0;
  for (let at = 0; at < bytes.length; at += 512) {
    events += [...decoder.push(bytes.subarray(at, at + 512))].length;
  }
  assert.equal(events, 1);
  assert.ok(performance.now() - begin < 2000, `${performance.now() - begin} ms`);
});
