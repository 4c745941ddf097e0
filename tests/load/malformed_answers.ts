/** Malformed answers of upstreams: good ones with something broken in them, at every level from TCP to tool calls. */
import { readdirSync, readFileSync } from "node:fs";
import zlib from "node:zlib";
import { kinds } from "./mix.ts";
import { broken, chunked, oddJson, oddValue } from "./odd.ts";
import { oddEvents, oddOrder } from "./odd_events.ts";
import { below, createRandom, pick, type Random } from "./random.ts";

/** One of them. */
export interface BadAnswer {
  readonly sort: string;
  readonly bytes: Uint8Array;
  /** What becomes of the connection behind it. */
  readonly then: "keep" | "end" | "reset";
  /** What the client has to get: a whole answer, or one that shows that it is not; anything but a fault if not said. */
  readonly expect?: "whole" | "broken";
}

const exchanges = new URL("../../fixtures/exchanges/", import.meta.url);

function recorded(): string[] {
  return readdirSync(exchanges).flatMap((name) => {
    try {
      return [readFileSync(new URL(`${name}/upstream.sse`, exchanges), "utf8")];
    } catch {
      return []; // it answers in JSON
    }
  });
}

/** Good streams: what stands in the load, and what was recorded of vendors. */
const made = kinds.filter(({ stream, name }) => stream && !name.startsWith("long")).map(({ pieces }) =>
  pieces.join("")
);
const streams: readonly string[] = [...made, ...recorded()];
const json = kinds.find(({ stream }) => !stream)!.pieces.join("");

const SSE = "content-type: text/event-stream";
const head = (status: string, ...lines: string[]): string =>
  `HTTP/1.1 ${status}\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n`;

/** A whole HTTP answer. */
function answer(body: Uint8Array | string, type: string, status = "200 OK", ...lines: string[]): Uint8Array {
  const bytes = Buffer.from(body as string);
  return Buffer.concat([
    Buffer.from(head(status, type, `content-length: ${bytes.length}`, ...lines), "latin1"),
    bytes,
  ]);
}

const SORTS: { readonly [sort: string]: (random: Random) => Omit<BadAnswer, "sort"> } = {
  "good": (random) => ({ bytes: answer(pick(random, made), SSE), then: "keep", expect: "whole" }),
  "broken bytes": (random) => ({
    bytes: answer(broken(Buffer.from(pick(random, streams)), random), SSE),
    then: "keep",
  }),
  "odd events": (random) => ({ bytes: answer(oddEvents(pick(random, streams), random), SSE), then: "keep" }),
  "odd order": (random) => ({ bytes: answer(oddOrder(pick(random, streams), random), SSE), then: "keep" }),
  "odd JSON": (random) => ({
    bytes: answer(
      oddJson(JSON.parse(json), random, pick(random, [0.05, 0.2])),
      "content-type: application/json",
      pick(random, ["200 OK", "200 OK", "400 Bad", "500 X", "429 x"]),
    ),
    then: "keep",
  }),
  "broken JSON": (random) => ({
    bytes: answer(broken(Buffer.from(json), random), "content-type: application/json"),
    then: "keep",
  }),
  "odd error": (random) => ({
    bytes: answer(
      `{"error":${oddValue(random)}}`,
      "content-type: application/json",
      pick(random, ["200 OK", "400 x", "404 x", "500 x", "503 x", "599 x"]),
    ),
    then: "keep",
  }),
  "wrong type": (random) => ({
    bytes: answer(
      random() < 0.5 ? json : pick(random, streams),
      `content-type: ${
        pick(random, [
          "",
          "text/html",
          "application/json",
          "text/event-stream",
          "text/plain",
          "application/octet-stream",
          "x",
          "text/event-stream;charset=utf-16",
          "multipart/mixed",
        ])
      }`,
    ),
    then: "keep",
  }),
  "bad chunks": (random) => ({
    bytes: Buffer.concat([
      Buffer.from(head("200 OK", SSE, "transfer-encoding: chunked")),
      chunked(Buffer.from(pick(random, streams)), random, false),
    ]),
    then: pick(random, ["end", "keep", "reset"]),
  }),
  "cut off": (random) => {
    const text = Buffer.from(pick(random, made));
    const events = text.subarray(0, below(random, Math.floor(text.length * 0.9)));
    const coding = random() < 0.5;
    const body = coding ? chunked(events, random, true).subarray(0, -5) : events;
    const size = coding ? "transfer-encoding: chunked" : `content-length: ${text.length}`;
    return {
      bytes: Buffer.concat([Buffer.from(head("200 OK", SSE, size)), body]),
      then: pick(random, ["end", "reset"]),
      expect: "broken",
    };
  },
  "cut head": (random) => {
    const whole = answer("{}", "content-type: application/json");
    return {
      bytes: whole.subarray(0, below(random, whole.length)),
      then: pick(random, ["end", "end", "end", "reset", "keep"]),
    };
  },
  "bad status": (random) => {
    const line = pick(random, [
      "HTTP/1.1 999 X",
      "HTTP/1.1 600 X",
      "HTTP/1.1 99 X",
      "HTTP/1.1 20 OK",
      "HTTP/1.1 2000 OK",
      "HTTP/1.1 -1 X",
      "HTTP/1.1 abc",
      "HTTP/1.1",
      "HTTP/9.9 200 OK",
      "ICY 200 OK",
      "200 OK",
      "HTTP/1.1 101 Switching",
      "HTTP/1.1 100 Continue",
      "HTTP/1.1 103 Early",
      "HTTP/1.1 204 No",
      "HTTP/1.1 205 R",
      "HTTP/1.1 304 N",
      "HTTP/1.1 200 \xff\xfe",
      "HTTP/1.1 200",
      "HTTP/1.0 200 OK",
      "HTTP/1.1 200 OK\0",
      "",
      "<html>",
      "HTTP/1.1 301 M\r\nlocation: http://evil.invalid/",
      "HTTP/1.1 407 P",
      "HTTP/1.1 401 U",
      "HTTP/1.1 418 T",
      "HTTP/2 200",
    ]);
    return {
      bytes: Buffer.from(
        `${line}\r\ncontent-type: application/json\r\ncontent-length: ${json.length}\r\n\r\n${json}`,
        "latin1",
      ),
      then: "end",
    };
  },
  "bad headers": (random) => {
    const lines = Array.from({ length: 1 + below(random, 3) }, () =>
      pick(random, [
        "x: \0",
        "x: \xff\xfe",
        "no colon",
        ": x",
        "a b: c",
        "content-length: -1",
        "content-length: x",
        "content-length: 5",
        "transfer-encoding: x",
        "content-encoding: x",
        "content-encoding: identity",
        `x: ${"y".repeat(20_000)}`,
        "connection: close",
        "connection: x, \xff",
        "set-cookie: a\r\nset-cookie: b",
        " folded",
        "content-type: a\r\ncontent-type: b",
        "x-callmend-id: mine",
        "trailer: x",
        "upgrade: h2c",
        "keep-alive: timeout=0",
        "retry-after: x",
        "x-\xff: 1",
        "date: never",
        "content-md5: x",
        'etag: "',
        "vary: *",
      ]));
    return { bytes: answer(pick(random, streams), SSE, "200 OK", ...lines), then: "end" };
  },
  "compressed": (random) => {
    const plain = Buffer.from(pick(random, streams));
    const [name, packed] = pick(
      random,
      [["gzip", zlib.gzipSync(plain)], ["deflate", zlib.deflateSync(plain)], [
        "br",
        zlib.brotliCompressSync(plain),
      ]] as const,
    );
    const body = pick(random, [
      () => packed,
      () => broken(packed, random),
      () => packed.subarray(0, below(random, packed.length)),
      () => plain,
      () => Buffer.alloc(0),
    ])();
    return {
      bytes: answer(
        body,
        SSE,
        "200 OK",
        `content-encoding: ${
          random() < 0.8 ? name : pick(random, ["gzip, gzip", "br", "zstd", "x", "gzip, x"])
        }`,
      ),
      then: "keep",
    };
  },
  "huge event": (random) => {
    // Text of nothing but beginnings of calls is looked at some twenty times over: a little is enough of it.
    const [fill, most] = pick(random, [
      ...["x", "\\u00e9", '{\\"a\\":'].map((each) => [each, random() < 0.1 ? 8_000_000 : 1_000_000] as const),
      ...["<", "<tool_call>", "[", "\\n"].map((each) => [each, 20_000] as const),
    ]);
    const content = fill.repeat(1 + below(random, most / fill.length));
    const event = pick(random, [
      `data: {"choices":[{"index":0,"delta":{"content":"${content}"}}]}\n\n`,
      `data: ${content}\n\n`,
      `: ${content}\n\n`,
      content,
    ]);
    return { bytes: answer(event + pick(random, made), SSE), then: "keep" };
  },
  "nothing": (random) => ({ bytes: Buffer.alloc(0), then: pick(random, ["end", "reset"]) }),
  "empty": (random) => ({
    bytes: answer("", random() < 0.5 ? SSE : "content-type: application/json"),
    then: "keep",
  }),
  "more behind": (random) => ({
    bytes: Buffer.concat([answer(pick(random, made), SSE), answer("{}", SSE)]),
    then: pick(random, ["keep", "end"]),
  }),
};

/** The nth malformed answer of a seed. */
export function badAnswer(seed: number, n: number): BadAnswer {
  const random = createRandom(seed * 1_000_003 + n);
  const sort = pick(random, Object.keys(SORTS));
  return { sort, ...SORTS[sort]!(random) };
}
