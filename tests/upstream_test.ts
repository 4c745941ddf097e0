/** The way to the upstream: where requests go, and what is told when they do not arrive. */
import assert from "node:assert/strict";
import { open } from "node:fs/promises";
import type http from "node:http";
import zlib from "node:zlib";
import { readConfig, type Texts } from "../src/config.ts";
import { type Base, baseOf, originOf, targetOf } from "../src/upstream/address.ts";
import { Watch } from "../src/upstream/watch.ts";
import { createUpstream } from "../src/upstream.ts";
import { httpUpstream, rawUpstream, until } from "./_servers.ts";
import { test } from "./_test.ts";

const base = baseOf(new URL("https://h/api/v1"));
const origin = originOf(new URL("http://h:8000"));

const addresses: readonly (readonly [to: Base, asked: string, reached: string])[] = [
  [base, "http://p/v1/chat/completions?a=%2F&b", "https://h/api/v1/chat/completions?a=%2F&b"],
  [base, "http://p/chat/completions", "https://h/api/v1/chat/completions"],
  [base, "http://p/v1", "https://h/api/v1"],
  [base, "http://p/v1/v1/x", "https://h/api/v1/v1/x"],
  [base, "http://p/v1beta/models", "https://h/api/v1/v1beta/models"],
  [base, "http://p/files/a%2Fb", "https://h/api/v1/files/a%2Fb"],
  [origin, "http://p/v1/chat/completions", "http://h:8000/v1/chat/completions"],
  [origin, "http://p/chat/completions", "http://h:8000/v1/chat/completions"],
  [origin, "http://p/models", "http://h:8000/v1/models"],
  [origin, "http://p/metrics", "http://h:8000/metrics"],
  [origin, "http://p/api/tags", "http://h:8000/api/tags"],
  [origin, "http://p/", "http://h:8000/"],
  [baseOf(new URL("http://h:8000/")), "http://p/v1/models", "http://h:8000/v1/models"],
];

test("a leading /v1 is never doubled and never lost", () => {
  for (const [to, asked, reached] of addresses) assert.equal(targetOf(to, asked).href, reached);
});

test("no path, host or absolute URL leads away from the upstream", () => {
  const hostile = [
    "http://evil.com/x",
    "http://p//evil.com/x",
    "http://p/\\evil.com/x",
    "http://p/\\\\evil.com",
    "http://p/@evil.com/",
    "http://p@evil.com/",
    "http://user@evil.com:1/",
    "http://p/../../..//evil.com",
    "http://p/v1/../../x",
    "http://p/%2e%2e/%2e%2e/x",
    "http://p/v1/%2E./x",
    "http://p/https://evil.com",
    "https:evil.com",
    "@evil.com",
    ":1/x",
    "*",
    "",
  ];
  for (const asked of hostile) {
    assert.match(targetOf(base, asked).href, /^https:\/\/h\/api\/v1(\/|$)/, asked);
    assert.match(targetOf(origin, asked).href, /^http:\/\/h:8000\//, asked);
  }
});

function upstreamAt(address: string, flags: Texts = {}) {
  const upstream = createUpstream(readConfig({ upstream: address, ...flags }));
  return Object.assign(upstream, { [Symbol.dispose]: () => upstream.close() });
}

const chat = (init: RequestInit = {}) =>
  new Request("http://p/v1/chat/completions", { method: "POST", body: "{}", ...init });
const get = () => new Request("http://p/v1/models");

const unreachable: readonly (readonly [what: string, address: (port: number) => string, says: RegExp])[] = [
  [
    "a port where nothing listens",
    () => "http://127.0.0.1:9/v1",
    /127\.0\.0\.1:9\/v1: the connection was refused/,
  ],
  ["a name that DNS does not know", () => "http://nothing.invalid/v1", /not known to DNS/],
  ["TLS to a plain port", (port) => `https://127.0.0.1:${port}/v1`, /TLS handshake failed/],
  ["a server that closes at once", (port) => `http://127.0.0.1:${port}/v1`, /closed the connection/],
];

for (const [what, address, says] of unreachable) {
  test(`an upstream that cannot be reached is named, with what to check: ${what}`, async () => {
    await using server = await httpUpstream((request) => request.socket.destroy());
    using upstream = upstreamAt(address(server.port));
    await assert.rejects(upstream(chat()), (error: Error) => {
      assert.equal(error.name, "UpstreamUnreachable");
      assert.match(error.message, says);
      assert.match(error.message, /--upstream \(UPSTREAM_BASE_URL, UPSTREAM_URL; baseUrl in the file\)/);
      return true;
    });
  });
}

test("no first byte in time: the error names the setting", async () => {
  await using server = await rawUpstream(() => {});
  using upstream = upstreamAt(`http://127.0.0.1:${server.port}/v1`, { firstByteTimeoutMs: "0.1" });
  await assert.rejects(upstream(chat()), { name: "UpstreamTimeout", message: /--first-byte-timeout/ });
});

test("a connection that is used again has its time limits too", async () => {
  let first = true;
  await using server = await httpUpstream((_, response) => {
    if (first) response.end("one");
    first = false;
  });
  using upstream = upstreamAt(`http://127.0.0.1:${server.port}/v1`, { firstByteTimeoutMs: "0.1" });
  const get = () => upstream(new Request("http://client/v1/models"));
  assert.equal(await (await get()).text(), "one");
  await assert.rejects(get(), { name: "UpstreamTimeout" });
  assert.equal(server.connections(), 1);
});

test("headers alone are no first byte: a model may think after them", async () => {
  await using server = await rawUpstream((socket) =>
    socket.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
  );
  const flags = { firstByteTimeoutMs: "0.3", idleTimeoutMs: "0.05" };
  using upstream = upstreamAt(`http://127.0.0.1:${server.port}/v1`, flags);
  const start = Date.now();
  const response = await upstream(chat());
  await assert.rejects(response.text(), { name: "UpstreamTimeout", message: /--first-byte-timeout/ });
  assert.ok(Date.now() - start >= 290);
});

test("silence within an answer fails its body, and the error names the setting", async () => {
  await using server = await rawUpstream((socket) =>
    socket.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n")
  );
  using upstream = upstreamAt(`http://127.0.0.1:${server.port}/v1`, { idleTimeoutMs: "0.1" });
  const response = await upstream(chat());
  await assert.rejects(response.text(), { name: "UpstreamTimeout", message: /--idle-timeout/ });
});

test("a reader that takes its time is not the upstream's silence", async () => {
  await using server = await httpUpstream((_, response) => response.write("one", () => response.end("two")));
  using upstream = upstreamAt(`http://127.0.0.1:${server.port}/v1`, { idleTimeoutMs: "0.05" });
  const reader = (await upstream(chat())).body!.getReader();
  await reader.read();
  await new Promise((resolve) => setTimeout(resolve, 150)); // three times the limit
  for (;;) if ((await reader.read()).done) break;
});

const brokenAnswers = {
  "before the declared length": "content-length: 50\r\n\r\nhello",
  "between two chunks": "transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
  "within a chunk": "transfer-encoding: chunked\r\n\r\n50\r\nhello",
};

for (const [where, rest] of Object.entries(brokenAnswers)) {
  for (const how of ["end", "resetAndDestroy"] as const) {
    test(`an answer that breaks off ${where} (${how}) is no clean end`, async () => {
      let breakOff = () => {};
      await using server = await rawUpstream((socket) => {
        socket.write(`HTTP/1.1 200 OK\r\n${rest}`);
        breakOff = () => socket[how]();
      });
      using upstream = upstreamAt(`http://127.0.0.1:${server.port}/v1`);
      const reader = (await upstream(chat())).body!.getReader();
      let text = "";
      const read = async () => {
        for (;;) {
          const { done, value } = await reader.read();
          if (done) return;
          text += new TextDecoder().decode(value);
          if (text.includes("hello")) breakOff(); // not sooner: a reset takes along what has not been read
        }
      };
      await assert.rejects(read(), { name: "UpstreamUnreachable", message: /in the middle of its answer/ });
      assert.equal(text.trim(), "hello");
    });
  }
}

const ok = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

test("a kept connection that turns out to be closed is replaced once, when the body can be sent again", async () => {
  await using server = await rawUpstream((socket, nth) => nth === 0 ? socket.write(ok) : socket.destroy());
  using upstream = upstreamAt(`http://127.0.0.1:${server.port}/v1`);
  assert.equal(await (await upstream(chat())).text(), "ok");
  assert.equal(await (await upstream(chat())).text(), "ok");
  assert.equal(server.connections(), 2);
});

test("several kept connections that turn out to be closed are replaced, one after the other and at once", async () => {
  const waiting: { write(text: string): unknown }[] = [];
  let atOnce = 4; // so many connections are there before the first is answered
  await using server = await rawUpstream((socket, nth) => {
    if (nth > 0) return socket.destroy();
    waiting.push(socket);
    if (waiting.length >= atOnce) waiting.splice(0).forEach((each) => each.write(ok));
  });
  using upstream = upstreamAt(`http://127.0.0.1:${server.port}/v1`);
  const texts = async (count: number) =>
    await Promise.all(Array.from({ length: count }, async () => (await upstream(chat())).text()));
  assert.deepEqual(await texts(4), ["ok", "ok", "ok", "ok"]);
  atOnce = 1;
  for (const count of [1, 1, 2]) assert.deepEqual(await texts(count), Array(count).fill("ok"));
});

test("a new connection that is closed before an answer is not tried again", async () => {
  await using server = await rawUpstream((socket) => socket.destroy());
  using upstream = upstreamAt(`http://127.0.0.1:${server.port}/v1`);
  await assert.rejects(upstream(chat()));
  assert.equal(server.connections(), 1);
});

test("429 and 5xx are passed on and not tried again", async () => {
  let asked = 0;
  await using server = await httpUpstream((_, response) => {
    asked++;
    response.writeHead(asked === 1 ? 429 : 503, { "retry-after": "7" }).end("slow down");
  });
  using upstream = upstreamAt(`http://127.0.0.1:${server.port}/v1`);
  for (const status of [429, 503]) {
    const response = await upstream(chat());
    assert.deepEqual([response.status, response.headers.get("retry-after")], [status, "7"]);
    assert.equal(await response.text(), "slow down");
  }
  assert.equal(asked, 2);
});

test("an abort ends the upstream's request, before its answer and within it", async () => {
  let seen = 0;
  let closed = 0;
  await using server = await httpUpstream((_, response) => {
    if (++seen >= 2) response.write("first");
    response.on("close", () => closed++);
  });
  using upstream = upstreamAt(`http://127.0.0.1:${server.port}/v1`);

  const waiting = new AbortController();
  const answer = upstream(chat({ signal: waiting.signal }));
  await until("the request is there", () => seen === 1);
  waiting.abort();
  await assert.rejects(answer, { name: "AbortError" });
  await until("the first request is closed", () => closed === 1);

  const reading = new AbortController();
  const reader = (await upstream(chat({ signal: reading.signal }))).body!.getReader();
  await reader.read();
  reading.abort();
  await assert.rejects(reader.read(), { name: "AbortError" });
  await until("the second request is closed", () => closed === 2);

  const cancelled = await upstream(get());
  await cancelled.body!.cancel();
  await until("the third request is closed", () => closed === 3);
});

const encoders = {
  gzip: zlib.gzipSync,
  deflate: zlib.deflateSync,
  br: zlib.brotliCompressSync,
  zstd: zlib.zstdCompressSync,
};

test("a chat answer that comes compressed all the same is decompressed; all else passes as it is", async () => {
  await using server = await httpUpstream((request: http.IncomingMessage, response) => {
    assert.equal(request.headers["accept-encoding"], "identity");
    const encoding = request.headers["x-encoding"] as keyof typeof encoders;
    response.writeHead(200, { "content-encoding": encoding }).end(encoders[encoding]("plain text"));
  });
  using upstream = upstreamAt(`http://127.0.0.1:${server.port}/v1`);
  for (const [encoding, encode] of Object.entries(encoders)) {
    const headers = { "x-encoding": encoding };
    const answer = await upstream(chat({ headers }));
    assert.equal(answer.headers.get("content-encoding"), null);
    assert.equal(await answer.text(), "plain text");
    for (const path of ["/v1/chat/completions/", "/v1/responses"]) { // a fix sends chats to the latter
      const asked = new Request(`http://p${path}`, { method: "POST", body: "{}", headers });
      assert.equal(await (await upstream(asked)).text(), "plain text", path);
    }
    const other = await upstream(new Request("http://p/v1/models", { headers }));
    assert.equal(other.headers.get("content-encoding"), encoding);
    assert.deepEqual(new Uint8Array(await other.arrayBuffer()), new Uint8Array(encode("plain text")));
  }
});

test("a compressed stream is decompressed as it arrives, and its end cut off is no clean end", async () => {
  const gzip = zlib.createGzip();
  await using server = await httpUpstream((_, response) => {
    response.writeHead(200, { "content-encoding": "gzip" });
    gzip.pipe(response);
    gzip.write("first");
    gzip.flush();
  });
  using upstream = upstreamAt(`http://127.0.0.1:${server.port}/v1`);
  const reader = (await upstream(chat())).body!.getReader();
  assert.equal(new TextDecoder().decode((await reader.read()).value), "first");
  gzip.unpipe();
  gzip.destroy();
  await server[Symbol.asyncDispose]();
  await assert.rejects(reader.read(), { name: "UpstreamUnreachable" });
});

test("more requests than the runtime's fetch takes at once are all under way, at one upstream or several", async () => {
  const many = 400;
  const held: http.ServerResponse[] = [];
  await using server = await httpUpstream((_, response) => void held.push(response));
  using one = upstreamAt(`http://127.0.0.1:${server.port}/v1`);
  using other = upstreamAt(`http://127.0.0.1:${server.port}/v2`);
  const answers = Array.from(
    { length: many },
    (_, n) => (n % 2 === 0 ? one : other)(get()).then((response) => response.text()),
  );
  await until("all requests are there", () => held.length === many);
  held.forEach((response) => response.end("ok"));
  assert.deepEqual(new Set(await Promise.all(answers)), new Set(["ok"]));
});

test("a process that was busy for longer than the limit reads what has come, and does not call it silence", async () => {
  let silent = false;
  const watch = new Watch(100, () => silent = true);
  watch.wait();
  const come = open(new URL(import.meta.url)).then(async (file) => {
    watch.rest(); // what came while nobody could look is told after the timers that are due
    await file.close();
  });
  for (const start = Date.now(); Date.now() - start < 200;);
  await come;
  await new Promise((resolve) => setTimeout(resolve, 60));
  assert.equal(silent, false);
  watch.wait();
  await until("silence is told", () => silent);
});
