/** What fuzzing has found (`deno task faults`), each as a test of its own. */
import assert from "node:assert/strict";
import net from "node:net";
import { ask, askRaw, errorOf, httpUpstream, proxyTo, rawUpstream } from "./_servers.ts";
import { isTooDeep } from "../src/wire/too_deep.ts";
import { test } from "./_test.ts";

const PATH = "/v1/chat/completions";
const tools = [{ type: "function", function: { name: "say", parameters: { type: "object" } } }];
const asking = (stream: boolean) => JSON.stringify({ model: "m", stream, messages: [], tools });

const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels);

test("an answer with odd types in it harms no stage, and what was good in it arrives", async () => {
  const odd = [
    '{"choices":"none","object":"chat.completion.chunk"}',
    '{"choices":{"length":1}}',
    '{"choices":[{"index":0,"delta":{},"finish_reason":{"toString":null,"valueOf":1}}]}',
    '{"choices":[{"index":0,"delta":{"content":"Well."}}]}',
    `{"choices":[{"index":0,"delta":{"x":${nested(20_000)}}}]}`,
    '{"error":{"code":{"toString":null},"status":[{"valueOf":1}],"message":7}}',
  ];
  for (const first of odd) {
    await using upstream = await httpUpstream((request, response) => {
      request.resume();
      response.setHeader("content-type", "text/event-stream");
      const text = '{"choices":[{"index":0,"delta":{"content":"Good."},"finish_reason":"stop"}]}';
      response.end(`data: ${first}\n\ndata: ${text}\n\ndata: [DONE]\n\n`);
    });
    await using proxy = proxyTo(upstream, { logLevel: "debug" });
    for (const stream of [true, false]) {
      const reply = await ask(proxy.port, PATH, { body: asking(stream) });
      const text = reply.body.toString();
      if (first.includes("error")) assert.equal(reply.status, 502, text);
      else assert.match(text, stream ? /Good[^]*\[DONE\]\n\n$/ : /Good\./, first.slice(0, 100));
    }
    assert.deepEqual(proxy.lines.filter((line) => /failed/.test(line)), []);
  }
});

test("a request that is nested without end goes up as it is", async () => {
  let received = "";
  await using upstream = await httpUpstream((request, response) => {
    received = "";
    request.on("data", (bytes) => received += bytes).on("end", () => response.end("{}"));
  });
  await using proxy = proxyTo(upstream);
  const body = `{"model":"gemini-2.5-pro","messages":[],"tools":[{"function":{"name":"a","parameters":{"x":${
    nested(50_000)
  }}}}]}`;
  assert.equal((await ask(proxy.port, PATH, { body })).status, 200);
  assert.equal(received, body);
  assert.deepEqual(proxy.lines.filter((line) => /failed/.test(line)), []);
});

test("how deep JSON is: brackets in strings do not count", () => {
  const filler = "x".repeat(3_000);
  assert.equal(isTooDeep(nested(1_000)), false);
  assert.equal(isTooDeep(nested(1_001) + filler), true);
  assert.equal(isTooDeep(JSON.stringify({ filler, text: `\\"${nested(5_000)}\\` })), false);
  assert.equal(isTooDeep(`["\\\\",${nested(1_001)}]${filler}`), true);
  assert.equal(isTooDeep(JSON.stringify(Array.from({ length: 5_000 }, () => [{}]))), false);
});

test("a tunnel is refused, and the connection let go", async () => {
  await using upstream = await rawUpstream((socket) => socket.destroy());
  await using proxy = proxyTo(upstream);
  for (const target of ["evil.invalid:443", "/v1/chat/completions"]) {
    const reply = await askRaw(
      proxy.port,
      `CONNECT ${target} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`,
    );
    assert.match(reply, /^HTTP\/1.1 400 /, target); // Deno itself refuses a target that is a path
    if (!target.startsWith("/")) assert.match(reply, /not as HTTPS_PROXY/);
  }
  assert.match(proxy.lines.join("\n"), /info 400 CONNECT /);
});

test("a client's malformed chunks are its own fault: no 500, and the log is silent", async () => {
  await using upstream = await httpUpstream((_, response) => response.end("{}"));
  await using proxy = proxyTo(upstream);
  const head = `POST ${PATH} HTTP/1.1\r\nhost: a\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n`;
  assert.match(await askRaw(proxy.port, `${head}5\r\n{"mod\r\nzz\r\nel\r\n`), /^(?:HTTP\/1.1 400 |$)/);
  assert.deepEqual(proxy.lines.filter((line) => /failed/.test(line)), []);
});

test("half a head and no more: the limit for the first byte holds", async () => {
  await using upstream = await rawUpstream((socket) => socket.write("HTTP/1.1 200 OK\r\ncontent-ty"));
  await using proxy = proxyTo(upstream, { firstByteTimeoutMs: "0.3" });
  errorOf(await ask(proxy.port, PATH, { body: asking(true) }), 504, "upstream_timeout");
});

test("a client that sends too much sees the 413, also when it is still sending", async () => {
  await using upstream = await httpUpstream((_, response) => response.end("{}"));
  await using proxy = proxyTo(upstream, { requestBytes: "1" });
  const size = 3 * 2 ** 20;
  const seen = await new Promise<string>((resolve) => {
    const socket = net.connect(proxy.port, "127.0.0.1");
    let text = "";
    socket.on("data", (bytes) => text += bytes.toString("latin1")).on("error", () => {}).on(
      "close",
      () => resolve(text),
    );
    socket.write(`POST ${PATH} HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: ${size}\r\n\r\n`);
    let sent = 0;
    const more = () => {
      for (; sent < size; sent += 65_536) {
        if (!socket.write("x".repeat(65_536))) {
          return void socket.once("drain", () => (sent += 65_536, more()));
        }
      }
    };
    more();
  });
  assert.match(seen, /^HTTP\/1.1 413 [^]*request_too_large/);
});
