/** The server on a real socket: what passes through it untouched, and what it says itself. */
import assert from "node:assert/strict";
import type http from "node:http";
import net from "node:net";
import zlib from "node:zlib";
import { readConfig } from "../src/config.ts";
import { createLog } from "../src/observe/log.ts";
import { createObservation } from "../src/observe/observation.ts";
import { createHandler } from "../src/handler.ts";
import {
  ask,
  askRaw,
  errorOf,
  httpUpstream,
  open,
  proxyTo,
  rawUpstream,
  replyOf,
  responseTo,
  until,
} from "./_servers.ts";
import { test } from "./_test.ts";

/** What an upstream was asked. */
interface Seen {
  readonly line: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Answers with `answer` and keeps what was asked in `seen`. */
function recording(seen: Seen[], answer: http.RequestListener): http.RequestListener {
  return async (request, response) => {
    const pieces: Buffer[] = [];
    for await (const bytes of request) pieces.push(bytes);
    const line = `${request.method} ${request.url}`;
    seen.push({ line, headers: request.headers, body: Buffer.concat(pieces) });
    answer(request, response);
  };
}

/** Every byte there is, many times over. */
const binary = Buffer.from(Array.from({ length: 300_000 }, (_, n) => (n * 7 + (n >> 8)) & 255));

test("binary bodies pass byte for byte, up and down, with the length that was given", async () => {
  const seen: Seen[] = [];
  await using upstream = await httpUpstream(recording(seen, (_, response) => {
    response.writeHead(201, { "content-type": "image/png", "x-answer": "kept" }).end(binary);
  }));
  await using proxy = await proxyTo(upstream);
  const headers = {
    "content-type": "application/octet-stream",
    "content-length": binary.length,
    "x-own": "a, b",
  };
  const reply = await ask(proxy.port, "/v1/files?purpose=x%20y", { method: "PUT", headers, body: binary });
  assert.equal(reply.status, 201);
  assert.ok(reply.body.equals(binary));
  assert.ok(reply.headers.includes("content-type: image/png") && reply.headers.includes("x-answer: kept"));
  assert.equal(seen[0]!.line, "PUT /v1/files?purpose=x%20y");
  assert.ok(seen[0]!.body.equals(binary));
  assert.equal(seen[0]!.headers["content-length"], String(binary.length));
  assert.equal(seen[0]!.headers["transfer-encoding"], undefined);
  assert.equal(seen[0]!.headers["x-own"], "a, b");
});

test("a body without a length goes up in chunks, and no body is none", async () => {
  const seen: Seen[] = [];
  await using upstream = await httpUpstream(recording(seen, (_, response) => void response.end()));
  await using proxy = await proxyTo(upstream);
  await ask(proxy.port, "/v1/files", { headers: { "transfer-encoding": "chunked" }, body: "piece" });
  await ask(proxy.port, "/v1/files/1", { method: "DELETE" });
  await ask(proxy.port, "/v1/files", { method: "POST", headers: { "content-length": 0 } });
  await ask(proxy.port, "/v1/chat/completions", { body: '{"model":"ä"}' });
  assert.deepEqual(seen.map(({ body }) => body.toString()), ["piece", "", "", '{"model":"ä"}']);
  assert.deepEqual(seen.map(({ headers }) => headers["transfer-encoding"]), [
    "chunked",
    undefined,
    undefined,
    undefined,
  ]);
  // Bun's fetch says so when there is nothing.
  assert.deepEqual(seen.map(({ headers }) => headers["content-length"] ?? "0"), ["0", "0", "0", "14"]);
});

test("hop-by-hop headers end here in both directions; all others pass", async () => {
  const seen: Seen[] = [];
  await using upstream = await httpUpstream(recording(seen, (_, response) => {
    response.setHeader("set-cookie", ["a=1", "b=2"]);
    response.setHeader("connection", "x-hop");
    response.writeHead(200, { "x-hop": "1", "proxy-authenticate": "Basic", "x-request-id": "r1" }).end("ok");
  }));
  await using proxy = await proxyTo(upstream);
  const reply = await ask(proxy.port, "/v1/models", {
    headers: {
      host: "evil.com",
      authorization: "Bearer key",
      connection: "close, x-mine",
      "accept-encoding": "gzip",
      "proxy-authorization": "Basic x",
      "x-mine": "1",
      "user-agent": "client/1",
      te: "trailers",
      cookie: "a=1; b=2",
    },
  });
  const { headers } = seen[0]!;
  assert.equal(headers.host, `127.0.0.1:${upstream.port}`);
  assert.equal(headers.authorization, "Bearer key");
  assert.equal(headers["accept-encoding"], "identity");
  assert.equal(headers["user-agent"], "client/1");
  assert.equal(headers.cookie, "a=1; b=2");
  for (const name of ["x-mine", "te", "proxy-authorization", "x-forwarded-for", "via", "forwarded"]) {
    assert.equal(headers[name], undefined, name);
  }
  assert.deepEqual(reply.headers.filter((line) => line.startsWith("set-cookie")), [
    "set-cookie: a=1",
    "set-cookie: b=2",
  ]);
  assert.ok(reply.headers.includes("x-request-id: r1"));
  assert.ok(!reply.headers.some((line) => /^(x-hop|proxy-authenticate|server):/.test(line)));
});

test("HEAD, 204, 304, redirects and errors pass as they are", async () => {
  await using upstream = await httpUpstream((request, response) => {
    if (request.method === "HEAD") return response.writeHead(200, { "content-length": 1234 }).end();
    const status = Number(request.url!.slice("/v1/".length));
    if (status === 302) {
      return response.writeHead(302, { location: "http://elsewhere.invalid/x" }).end("moved");
    }
    response.writeHead(status, { etag: '"e"' }).end(status >= 400 ? `error ${status}` : undefined);
  });
  await using proxy = await proxyTo(upstream);
  const head = await ask(proxy.port, "/v1/file", { method: "HEAD" });
  assert.deepEqual([head.status, head.body.length], [200, 0]);
  assert.ok(head.headers.includes("content-length: 1234"));
  const redirect = await ask(proxy.port, "/v1/302");
  assert.deepEqual([redirect.status, redirect.body.toString()], [302, "moved"]);
  assert.ok(redirect.headers.includes("location: http://elsewhere.invalid/x"));
  for (const status of [204, 304, 401, 429, 503]) {
    const reply = await ask(proxy.port, `/v1/${status}`);
    assert.equal(reply.status, status);
    assert.equal(reply.body.toString(), status >= 400 ? `error ${status}` : "");
    assert.ok(reply.headers.includes('etag: "e"'));
  }
});

test("a compressed answer passes untouched, and nothing is compressed on the way", async () => {
  const text = "words ".repeat(10_000);
  await using upstream = await httpUpstream((request, response) => {
    if (request.url === "/v1/plain") {
      return response.writeHead(200, { "content-type": "text/plain" }).end(text);
    }
    response.writeHead(200, { "content-encoding": "gzip", "content-type": "text/plain" }).end(
      zlib.gzipSync(text),
    );
  });
  await using proxy = await proxyTo(upstream);
  const headers = { "accept-encoding": "gzip, br" };
  const zipped = await ask(proxy.port, "/v1/zipped", { headers });
  assert.ok(zipped.headers.includes("content-encoding: gzip"));
  assert.equal(zlib.gunzipSync(zipped.body).toString(), text);
  const plain = await ask(proxy.port, "/v1/plain", { headers });
  assert.ok(!plain.headers.some((line) => /^(content-encoding|vary):/.test(line)));
  assert.equal(plain.body.toString(), text);
});

test("requests reach the upstream's API with and without /v1, whatever else they say", async () => {
  const seen: Seen[] = [];
  await using upstream = await httpUpstream(recording(seen, (_, response) => void response.end("ok")));
  await using proxy = await proxyTo(`http://127.0.0.1:${upstream.port}/api/v1`);
  const targets = ["/v1/models", "/models", "http://evil.com/v1/models", "//evil.com/x", "/v1/../../models"];
  for (const target of targets) {
    const received = await askRaw(
      proxy.port,
      `GET ${target} HTTP/1.1\r\nHost: evil.com\r\nConnection: close\r\n\r\n`,
    );
    assert.match(received, /^HTTP\/1\.1 200 /, target);
  }
  const paths = seen.map(({ line }) => line.slice("GET ".length));
  assert.deepEqual(paths, [
    "/api/v1/models",
    "/api/v1/models",
    "/api/v1/models",
    "/api/v1//evil.com/x",
    "/api/v1/models",
  ]);
});

test("an answer streams: the client has its first piece before the upstream has sent the last", async () => {
  let finish = () => {};
  await using upstream = await httpUpstream((_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" }).write("data: one\n\n");
    finish = () => void response.end("data: two\n\n");
  });
  await using proxy = await proxyTo(upstream);
  const request = open(proxy.port, "/v1/stream", { method: "GET" });
  request.end();
  const response = await responseTo(request);
  const first = await new Promise((resolve) => response.once("data", (bytes) => resolve(String(bytes))));
  assert.equal(first, "data: one\n\n");
  finish();
  assert.equal((await replyOf(response)).body.toString(), "data: two\n\n");
});

test("an upload streams: the upstream has its first piece before the client has sent the last", async () => {
  let received = "";
  await using upstream = await httpUpstream((request, response) => {
    request.on("data", (bytes) => received += bytes).on("end", () => response.end(received));
  });
  await using proxy = await proxyTo(upstream);
  const request = open(proxy.port, "/v1/files", { method: "POST" });
  const answered = responseTo(request);
  request.write("one ");
  await until("the first piece has arrived", () => received === "one ");
  request.end("two");
  assert.equal((await replyOf(await answered)).body.toString(), "one two");
});

test("a client that goes away ends the upstream's request at once", async () => {
  let begun = 0;
  let closed = 0;
  await using upstream = await httpUpstream((request, response) => {
    begun++;
    if (request.url === "/v1/streaming") response.write("first");
    response.on("close", () => closed++);
  });
  await using proxy = await proxyTo(upstream);
  for (const path of ["/v1/waiting", "/v1/streaming", "/v1/chat/completions"]) {
    const before = closed;
    const client = net.connect(proxy.port, "127.0.0.1");
    client.on("error", () => {}).resume();
    client.write(`POST ${path} HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\n\r\n{}`);
    const count = begun + 1;
    await until(`${path} has arrived`, () => begun === count);
    client.destroy();
    await until(`${path} is closed upstream`, () => closed > before, 1_000);
  }
});

test("a client that does not read stops the upstream", async () => {
  let sent = 0;
  const block = Buffer.alloc(65_536);
  await using upstream = await httpUpstream((_, response) => {
    const write = () => {
      while (!response.destroyed && sent < 300e6) {
        sent += block.length;
        if (!response.write(block)) return void response.once("drain", write);
      }
    };
    write();
  });
  await using proxy = await proxyTo(upstream);
  const client = net.connect(proxy.port, "127.0.0.1");
  client.on("error", () => {}).pause().write("GET /v1/endless HTTP/1.1\r\nhost: h\r\n\r\n");
  let last = -1;
  let since = Date.now();
  await until("the upstream stands still", () => {
    if (sent !== last) [last, since] = [sent, Date.now()];
    return sent > 0 && Date.now() - since > 200;
  });
  assert.ok(sent < 40e6, `${sent} bytes were taken for a client that read none`);
  client.destroy();
});

test("an upstream that breaks off leaves the client with a broken answer, not a whole one", async () => {
  let breakOff = () => {};
  await using upstream = await rawUpstream((socket) => {
    const head = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n";
    socket.write(`${head}5\r\nhello\r\n`);
    breakOff = () => socket.end();
  });
  await using proxy = await proxyTo(upstream);
  const request = open(proxy.port, "/v1/file", {});
  request.end();
  const response = await responseTo(request);
  response.once("data", () => breakOff()); // a connection that is reset takes along what has not been read
  const reply = await replyOf(response);
  assert.deepEqual([reply.status, reply.body.toString(), reply.broken], [200, "hello", true]);
});

test("an upstream that cannot be reached is a 502 that names it", async () => {
  await using proxy = await proxyTo("http://127.0.0.1:9/v1");
  for (const path of ["/v1/models", "/v1/chat/completions"]) {
    const reply = await ask(proxy.port, path, { method: "POST", body: "{}" });
    assert.match(errorOf(reply, 502, "upstream_unreachable"), /http:\/\/127\.0\.0\.1:9\/v1.*refused/);
  }
  assert.ok(
    proxy.lines.some((line) => /warn 502 unreachable .*127\.0\.0\.1:9.*refused/.test(line)),
    proxy.lines.join("\n"),
  );
});

test("an upstream that stays silent is a 504 that names the setting", async () => {
  await using upstream = await rawUpstream(() => {});
  await using proxy = await proxyTo(upstream, { firstByteTimeoutMs: "0.1" });
  const message = errorOf(await ask(proxy.port, "/v1/models"), 504, "upstream_timeout");
  assert.match(message, /FIRST_BYTE_TIMEOUT/);
});

test("/health answers without the upstream", async () => {
  await using proxy = await proxyTo("http://127.0.0.1:9/v1");
  const reply = await ask(proxy.port, "/health?x");
  const { version, uptime, ...rest } = JSON.parse(reply.body.toString());
  assert.match(version, /^\d+\.\d+\.\d+$/);
  assert.equal(typeof uptime, "number");
  assert.deepEqual(rest, { ok: true, mode: "native", upstream: "http://127.0.0.1:9/v1", port: proxy.port });
  const head = await ask(proxy.port, "/health", { method: "HEAD" });
  assert.deepEqual([head.status, head.body.length], [200, 0]);
});

test("one line of the log for each request, without its query", async () => {
  await using upstream = await httpUpstream((_, response) => response.writeHead(404).end());
  await using proxy = await proxyTo(upstream);
  await ask(proxy.port, "/v1/models?key=secret");
  assert.match(
    proxy.lines.join("\n"),
    /^\S+Z info 404 GET \/v1\/models; \d+ ms$/,
  );
});

test("fixes: named in a header and in the log, switched off by setting, and Codex reaches /responses", async () => {
  const asked: { url: string; body: string }[] = [];
  await using upstream = await httpUpstream(async (request, response) => {
    let body = "";
    for await (const piece of request) body += piece;
    asked.push({ url: request.url!, body });
    const codex = { id: "r", object: "response", created_at: 1, model: "m", status: "completed", output: [] };
    const chat = { id: "c", created: 1, model: "m", object: "chat.completion" };
    const choices = [{ index: 0, message: { role: "assistant", content: "x" }, finish_reason: "stop" }];
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify(request.url!.endsWith("/responses") ? codex : { ...chat, choices }));
  });
  const post = async (port: number, model: string) => {
    const body = JSON.stringify({ model, messages: [{ role: "developer", content: "é" }] });
    const reply = await ask(port, "/v1/chat/completions", { body });
    return {
      names: reply.headers.find((header) => header.startsWith("x-callmend-fixes: "))?.slice(18),
      body: JSON.parse(reply.body.toString()),
      sent: asked.at(-1)!,
    };
  };
  await using proxy = await proxyTo(upstream);
  const fixed = await post(proxy.port, "llama\n3");
  assert.equal(fixed.names, "any/developer-role");
  assert.match(fixed.sent.body, /"role":"system","content":"é"/);
  await until(
    "the fixes are in the log",
    () =>
      proxy.lines.some((line) => /info 200 untouched llama\?3 at .*; fixes any\/developer-role; /.test(line)),
  );
  const codex = await post(proxy.port, "gpt-5-codex");
  assert.deepEqual([codex.names, codex.sent.url], ["codex/responses", "/v1/responses"]);
  assert.match(codex.sent.body, /"instructions":"é","input":\[\]/);
  assert.equal(codex.body.choices[0].finish_reason, "stop");
  await using plain = await proxyTo(upstream, { disabledFixes: "any/developer-role" });
  const left = await post(plain.port, "llama");
  assert.equal(left.names, undefined);
  assert.match(left.sent.body, /"role":"developer"/);
});

test("a fault of Callmend's own is a 500 and a line of the log, never a hang", async () => {
  const lines: string[] = [];
  const broken = Object.defineProperty(new Response("{}"), "status", {
    get() {
      throw new Error("secret detail");
    },
  });
  const fetch = () => Promise.resolve(broken);
  const config = readConfig();
  const log = createLog({ level: () => "info", style: () => "text", write: (line) => lines.push(line) });
  const observation = createObservation(config, { log });
  const handler = createHandler({ config, fetch, observation });
  const body = JSON.stringify({ model: "m", messages: [] });
  const response = await handler(new Request("http://h/v1/chat/completions", { method: "POST", body }));
  assert.equal(response.status, 500);
  const { error } = await response.json();
  assert.equal(error.code, "internal_error");
  assert.doesNotMatch(error.message, /secret/);
  assert.match(
    lines.join("\n"),
    /error POST \/v1\/chat\/completions failed: Error: secret detail\?\s+at /,
  );
});
