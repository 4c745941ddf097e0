/** Malformed requests: what may come over a socket that no client should send. */
import { CHAT, MODELS, PATHS } from "./chat.ts";
import { broken, chunked, deep, oddJson, oddValue } from "./odd.ts";
import { below, createRandom, pick, type Random } from "./random.ts";

/** One of them. */
export interface BadRequest {
  readonly sort: string;
  readonly bytes: Uint8Array;
  /** It is whole, as HTTP goes: an answer has to come. */
  readonly whole: boolean;
}

function post(body: Uint8Array, random: Random, extra: readonly string[] = []): Uint8Array {
  const path = random() < 0.85 ? PATHS[0]! : pick(random, PATHS);
  const head = [
    `POST ${path} HTTP/1.1`,
    "host: 127.0.0.1",
    `content-type: ${
      random() < 0.9
        ? "application/json"
        : pick(random, ["", "text/plain", "multipart/form-data", "application/json; charset=utf-16", "\xff"])
    }`,
    `content-length: ${body.length}`,
    "connection: close",
    ...extra,
  ];
  return Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`, "latin1"), body]);
}

const chatOf = (random: Random) => ({ ...CHAT, model: pick(random, MODELS), stream: random() < 0.7 });
const good = (random: Random) => Buffer.from(JSON.stringify(chatOf(random)));

const SORTS: { readonly [sort: string]: (random: Random) => Omit<BadRequest, "sort"> } = {
  "odd types": (random) => ({
    bytes: post(Buffer.from(oddJson(chatOf(random), random, pick(random, [0.02, 0.05, 0.15]))), random),
    whole: true,
  }),
  "odd field": (random) => {
    const chat: { [name: string]: unknown } = chatOf(random);
    const members = Object.keys(chat).map((name) => `"${name}":${JSON.stringify(chat[name])}`);
    const at = below(random, members.length);
    members[at] = `"${Object.keys(chat)[at]}":${oddValue(random)}`;
    return { bytes: post(Buffer.from(`{${members.join()}}`), random), whole: true };
  },
  "odd message": (random) => {
    const chat = chatOf(random);
    const messages = [...chat.messages].map((message) => oddJson(message, random, 0.1));
    return {
      bytes: post(
        Buffer.from(
          JSON.stringify({ ...chat, messages: 0 }).replace('"messages":0', `"messages":[${messages}]`),
        ),
        random,
      ),
      whole: true,
    };
  },
  "broken bytes": (random) => ({ bytes: post(broken(good(random), random), random), whole: true }),
  "no object": (random) => ({ bytes: post(Buffer.from(oddValue(random)), random), whole: true }),
  "deep nesting": (random) => {
    const nested = deep(pick(random, [1_000, 5_000, 20_000, 100_000]), random() < 0.5);
    const text = JSON.stringify({ ...chatOf(random), metadata: 0 });
    const place = pick(random, ['"metadata":0', '"temperature":0.5', '"content":"done"', '"parameters":{']);
    const made = place.endsWith("{")
      ? text.replace(place, `"parameters":{"default":${nested},`)
      : text.replace(place, `${place.split(":")[0]}:${nested}`);
    return { bytes: post(Buffer.from(random() < 0.2 ? nested : made), random), whole: true };
  },
  "wrong length": (random) => {
    const body = good(random);
    const length = pick(random, [
      0,
      1,
      body.length - 1,
      body.length + 1,
      body.length * 2,
      "-1",
      "1e3",
      "99999999999999999999",
      "0x10",
      "",
      "5, 5",
      "5, 6",
    ]);
    const head = `POST ${
      PATHS[0]
    } HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`;
    return { bytes: Buffer.concat([Buffer.from(head), body]), whole: false };
  },
  "bad chunks": (random) => {
    const right = random() < 0.2;
    const head = `POST ${
      PATHS[0]
    } HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-type: application/json\r\ntransfer-encoding: ${
      right ? "chunked" : pick(random, ["chunked", "Chunked", "gzip, chunked", "chunked, gzip", "x", ""])
    }\r\n${random() < 0.1 ? "content-length: 3\r\n" : ""}\r\n`;
    return {
      bytes: Buffer.concat([Buffer.from(head), chunked(good(random), random, right)]),
      whole: right && !head.includes("content-length"),
    };
  },
  "odd target": (random) => {
    const method = pick(random, [
      "GET",
      "POST",
      "PUT",
      "DELETE",
      "OPTIONS",
      "HEAD",
      "PATCH",
      "TRACE",
      "CONNECT",
      "BREW",
      "get",
      "PRI",
      "X".repeat(300),
      "G ET",
      "",
      "\xff",
    ]);
    const target = pick(random, [
      "/",
      "*",
      "//",
      "///v1/chat/completions",
      "/v1/../../etc/passwd",
      "/%",
      "/%00",
      "/%ff%fe",
      "/v1/models",
      "/v1/models/%",
      "?",
      "#",
      "/#x",
      "http://evil.invalid/v1/chat/completions",
      "http://[",
      "https://a:99999/",
      "evil.invalid:443",
      "/a\\b",
      "/\xff\xfe",
      `/${"a".repeat(20_000)}`,
      `/v1/chat/completions?${"k=v&".repeat(1_000)}`,
      "/health",
      "/metrics",
      "/health?x",
      "/v1/chat/completions%2f",
      "/ b",
      "",
      "\0",
    ]);
    const version = random() < 0.8
      ? "HTTP/1.1"
      : pick(random, ["HTTP/1.0", "HTTP/2.0", "HTTP/0.9", "HTTP/1.1 ", "http/1.1", "", "HTTP/9999"]);
    return {
      bytes: Buffer.from(`${method} ${target} ${version}\r\nhost: a\r\nconnection: close\r\n\r\n`, "latin1"),
      whole: false,
    };
  },
  "odd headers": (random) => {
    const lines = Array.from({ length: 1 + below(random, 3) }, () =>
      pick(random, [
        "host: b",
        "host:",
        "host: a b",
        "host: \xff",
        ": x",
        "no colon",
        "a b: c",
        "x: \0",
        " folded",
        "x:\ty",
        "expect: 100-continue",
        "expect: x",
        "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13",
        "connection: host, content-type, x",
        "connection: close, content-length",
        "te: trailers",
        "trailer: x",
        "upgrade: h2c",
        "accept-encoding: \xff",
        "content-encoding: gzip",
        "content-encoding: x",
        `x: ${"y".repeat(10_000)}`,
        "cookie: a=b",
        "authorization: Bearer \xe9",
        "authorization:",
        "x-\xff: 1",
        "transfer-encoding:",
        "content-length: 5",
        "range: bytes=0-",
        "proxy-authorization: x",
        "content-md5: x",
        "origin: null",
        "if-none-match: *",
      ]));
    return { bytes: post(good(random), random, lines), whole: false };
  },
  "noise": (random) => ({
    bytes: pick(random, [
      () => broken(post(good(random), random), random),
      () => Buffer.from(Array.from({ length: below(random, 300) }, () => below(random, 256))),
      () => Buffer.from("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "latin1"), // TLS
      () => Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    ])(),
    whole: false,
  }),
};

/** The nth malformed request of a seed. */
export function badRequest(seed: number, n: number): BadRequest {
  const random = createRandom(seed * 1_000_003 + n);
  const sort = pick(random, Object.keys(SORTS));
  return { sort, ...SORTS[sort]!(random) };
}
