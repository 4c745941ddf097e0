/** Who may ask: clients' keys, the upstream's key, what only this machine may see, and what is not listened on. */
import assert from "node:assert/strict";
import type http from "node:http";
import { createKeyRing, isLoopback, privateRefusal } from "../src/access.ts";
import { listen } from "../src/listen.ts";
import {
  ask,
  askRaw,
  errorOf,
  httpUpstream,
  open,
  program,
  proxyTo,
  type TestServer,
  until,
} from "./_servers.ts";
import { test } from "./_test.ts";

/** An upstream that keeps the headers and bodies that it got. */
async function upstreamThatKeeps(): Promise<
  TestServer & { readonly asked: { headers: http.IncomingHttpHeaders; body: string }[] }
> {
  const asked: { headers: http.IncomingHttpHeaders; body: string }[] = [];
  const server = await httpUpstream(async (request, response) => {
    let body = "";
    for await (const piece of request) body += piece;
    asked.push({ headers: request.headers, body });
    response.end("ok");
  });
  return { ...server, asked };
}

const basic = (password: string) => `Basic ${btoa(`user:${password}`)}`;

test("with client keys, all but /health needs one of them, in any of three headers", async () => {
  await using upstream = await upstreamThatKeeps();
  await using proxy = proxyTo(upstream, { clientKeys: "key-one, key-two-longer" });
  const refused: readonly http.OutgoingHttpHeaders[] = [
    {},
    { authorization: "Bearer wrong" },
    { authorization: "Bearer key-one2" },
    { authorization: "Bearer key-on" },
    { authorization: "key-one" },
    { authorization: "Bearer key-one, key-two-longer" },
    { authorization: "Bearer " },
    { authorization: basic("key-one") },
    { "x-api-key": "" },
    { "api-key": "KEY-ONE" },
    { cookie: "key-one" },
  ];
  for (const headers of refused) {
    for (
      const [path, body] of [["/v1/models", undefined], ["/v1/chat/completions", "{}"], [
        "/",
        undefined,
      ]] as const
    ) {
      const reply = await ask(proxy.port, path, { headers, ...(body !== undefined && { body }) });
      assert.match(errorOf(reply, 401, "invalid_api_key"), /authorization: Bearer/);
      assert.ok(reply.headers.includes('www-authenticate: Bearer realm="callmend"'));
      assert.doesNotMatch(reply.body.toString(), /key-one|wrong/);
    }
  }
  assert.equal(upstream.asked.length, 0);
  const accepted: readonly http.OutgoingHttpHeaders[] = [
    { authorization: "Bearer key-one" },
    { authorization: "bearer  key-two-longer" },
    { "x-api-key": "key-one" },
    { "api-key": "key-two-longer" },
    { "api-key": "wrong", "x-api-key": "key-one" },
  ];
  for (const headers of accepted) {
    assert.equal((await ask(proxy.port, "/v1/models", { headers })).status, 200);
  }
  assert.equal((await ask(proxy.port, "/health")).status, 200);
  assert.doesNotMatch(proxy.lines.join("\n"), /key-one|key-two/);
  await until(
    "refusals are in the log",
    () => proxy.lines.some((line) => / 401 GET \/v1\/models;/.test(line)),
  );
});

test("a client's key never goes upstream; the client's own credential for it does", async () => {
  await using upstream = await upstreamThatKeeps();
  await using proxy = proxyTo(upstream, { clientKeys: "client-key" });
  const sent: readonly http.OutgoingHttpHeaders[] = [
    { authorization: "Bearer client-key" },
    { "x-api-key": "client-key", authorization: "Bearer for-upstream" },
    { "api-key": "client-key", authorization: basic("client-key"), "x-api-key": "for-upstream" },
  ];
  for (const headers of sent) {
    await ask(proxy.port, "/v1/models", { headers });
    await ask(proxy.port, "/v1/chat/completions", { headers, body: "{}" });
  }
  assert.equal(upstream.asked.length, 6);
  for (const { headers } of upstream.asked) assert.doesNotMatch(JSON.stringify(headers), /client-key|Basic/);
  assert.equal(upstream.asked[2]!.headers.authorization, "Bearer for-upstream");
  assert.equal(upstream.asked[4]!.headers["x-api-key"], "for-upstream");
});

test("the upstream's key stands in place of whatever the client sent; bodies stream and stay whole", async () => {
  await using upstream = await upstreamThatKeeps();
  await using proxy = proxyTo(upstream, { upstreamKey: "upstream-key" });
  const headers = { authorization: "Bearer mine", "x-api-key": "mine", "api-key": "mine", "x-other": "kept" };
  const large = "x".repeat(300_000);
  await ask(proxy.port, "/v1/models", { headers });
  await ask(proxy.port, "/v1/models");
  await ask(proxy.port, "/v1/files", {
    headers: { ...headers, "transfer-encoding": "chunked" },
    body: large,
  });
  await ask(proxy.port, "/v1/files", {
    method: "PUT",
    headers: { ...headers, "content-length": 5 },
    body: "12345",
  });
  await ask(proxy.port, "/v1/chat/completions", { headers, body: '{"model":"m"}' });
  for (const { headers } of upstream.asked) {
    assert.equal(headers.authorization, "Bearer upstream-key");
    assert.doesNotMatch(JSON.stringify(headers), /mine/);
  }
  assert.equal(upstream.asked[0]!.headers["x-other"], "kept");
  assert.deepEqual(upstream.asked.map(({ body }) => body), ["", "", large, "12345", '{"model":"m"}']);
  assert.equal(upstream.asked[3]!.headers["content-length"], "5");
});

test("with an upstream's key too, uploads stream, and a client that goes away ends the request", async () => {
  let [received, closed] = ["", 0];
  await using upstream = await httpUpstream((request, response) => {
    response.on("close", () => closed++);
    request.on("data", (bytes) => received += bytes);
  });
  await using proxy = proxyTo(upstream, { upstreamKey: "upstream-key", clientKeys: "client-key" });
  const headers = { authorization: "Bearer client-key" };
  for (const path of ["/v1/files", "/v1/chat/completions"]) {
    const before = closed;
    received = "";
    const request = open(proxy.port, path, { method: "POST", headers });
    request.on("error", () => {}).write("{}");
    if (path.endsWith("completions")) request.end();
    await until("the first piece has arrived", () => received === "{}");
    request.destroy();
    await until("the upstream's request has ended", () => closed > before);
  }
});

test("without keys the client's credential passes", async () => {
  await using upstream = await upstreamThatKeeps();
  await using proxy = proxyTo(upstream);
  await ask(proxy.port, "/v1/models", { headers: { authorization: "Bearer mine", "x-api-key": "too" } });
  const { authorization, "x-api-key": key } = upstream.asked[0]!.headers;
  assert.deepEqual([authorization, key], ["Bearer mine", "too"]);
});

/** A server that says whether a request came from this machine, and what it gets if it asks for what is private. */
function privateServer(keys: readonly string[]) {
  const ring = createKeyRing(keys);
  const server = listen({ host: "127.0.0.1", port: 0 }, (request, peer) => {
    const refusal = privateRefusal(request, peer(), ring);
    return refusal ?? new Response(isLoopback(request, peer()) ? "loopback" : "key");
  });
  return { ...server, [Symbol.asyncDispose]: () => server.stop() };
}

const hosts: readonly (readonly [headers: string, status: number])[] = [
  ["Host: localhost", 200],
  ["Host: LOCALHOST:8787", 200],
  ["Host: 127.0.0.1:8787", 200],
  ["Host: 127.1.2.3", 200],
  ["Host: [::1]:8787", 200],
  ["Host: evil.com", 403],
  ["Host: evil.com:8787", 403],
  ["Host: 127.0.0.1.evil.com", 403],
  ["Host: localhost.evil.com", 403],
  ["Host: evil-localhost", 403],
  ["Host: 192.168.0.1", 403],
  ["Host: [::2]", 403],
  ["Host: 0.0.0.0", 403],
  ["Host: localhost\r\nX-Forwarded-For: 127.0.0.1", 403],
  ["Host: localhost\r\nForwarded: for=127.0.0.1", 403],
  ["Host: localhost\r\nX-Real-IP: 127.0.0.1", 403],
];

test("what is private answers to this machine by its own names only", async () => {
  await using server = privateServer([]);
  for (const [headers, status] of hosts) {
    const reply = await askRaw(server.port, `GET / HTTP/1.1\r\n${headers}\r\nConnection: close\r\n\r\n`);
    assert.match(reply, new RegExp(`^HTTP/1.1 ${status} `), `${headers}\n${reply}`);
  }
  const absolute = "GET http://evil.com/ HTTP/1.1\r\nHost: evil.com\r\nConnection: close\r\n\r\n";
  assert.match(await askRaw(server.port, absolute), /^HTTP\/1\.1 403 /);
  const none = await askRaw(server.port, "GET / HTTP/1.0\r\n\r\n");
  assert.doesNotMatch(none, /^HTTP\/1\.\d 200 /);
});

test("what is private answers to a key too, and asks a browser for it", async () => {
  await using server = privateServer(["the-key"]);
  const foreign = { host: "evil.com" };
  const refused = await ask(server.port, "/", { headers: { ...foreign, authorization: basic("wrong") } });
  errorOf(refused, 401, "invalid_api_key");
  assert.ok(refused.headers.some((line) => line.startsWith("www-authenticate: Basic ")));
  for (const authorization of [basic("the-key"), "Bearer the-key"]) {
    const reply = await ask(server.port, "/", { headers: { ...foreign, authorization } });
    assert.deepEqual([reply.status, reply.body.toString()], [200, "key"]);
  }
  assert.equal(
    (await ask(server.port, "/", { headers: { ...foreign, authorization: "Basic %%%" } })).status,
    401,
  );
});

test("other peers are not this machine, whatever they say", () => {
  const request = new Request("http://localhost/", { headers: { host: "localhost" } });
  for (const peer of ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"]) {
    assert.ok(isLoopback(request, peer), peer);
  }
  for (const peer of ["10.0.0.1", "::ffff:10.0.0.1", "fe80::1", "1.127.0.0", undefined]) {
    assert.ok(!isLoopback(request, peer), String(peer));
  }
});

test("an address that others reach is not listened on without keys, unless that is meant", async () => {
  for (const host of ["0.0.0.0", "::"]) {
    await using refused = program(["--port", "0", "--host", host]);
    assert.deepEqual([await refused.code, refused.out()], [2, ""]);
    assert.match(refused.err(), /Cannot listen on (0\.0\.0\.0|::): .*CLIENT_KEYS.*127\.0\.0\.1.*--insecure/);
  }
  for (
    const [flags, environment] of [
      [["--insecure"], {}],
      [[], { INSECURE: "true" }],
      [[], { CLIENT_KEYS: "some-key" }],
    ] as const
  ) {
    await using running = program(["--port", "0", "--host", "0.0.0.0", ...flags], environment);
    assert.ok(await running.port() > 0, running.err());
    assert.doesNotMatch(running.out() + running.err(), /some-key/);
  }
});

test("the page and its data: to this machine by its own name, or to a key; in no case to others", async () => {
  await using upstream = await upstreamThatKeeps();
  await using open = proxyTo(upstream);
  await using guarded = proxyTo(upstream, { clientKeys: "key-one" });
  for (const path of ["/callmend/", "/callmend/api/exchanges"]) {
    const get = async (port: number, headers: { [name: string]: string } = {}) =>
      await ask(port, path, { headers });
    for (const { port } of [open, guarded]) {
      const page = await get(port);
      assert.equal(page.status, 200, path);
      assert.ok(
        page.headers.some((header) => header.startsWith("content-security-policy: default-src 'none'")),
      );
      assert.equal(
        (await get(port, { host: `evil.example:${port}` })).status,
        port === open.port ? 403 : 401,
      );
    }
    assert.equal((await get(open.port, { "x-forwarded-for": "203.0.113.7" })).status, 403);
    const refused = await get(guarded.port, { "x-forwarded-for": "203.0.113.7" });
    assert.equal(refused.status, 401);
    assert.ok(refused.headers.some((header) => header.startsWith("www-authenticate: Basic")));
    const basic = `Basic ${btoa("anyone:key-one")}`;
    assert.equal(
      (await get(guarded.port, { "x-forwarded-for": "203.0.113.7", authorization: basic })).status,
      200,
    );
  }
});

test("an upstream that repeats its key in an error does not hand it to clients", async () => {
  await using upstream = await httpUpstream((request, response) => {
    const key = request.headers.authorization!.slice(7);
    const body = JSON.stringify({ error: { message: `Incorrect API key provided: ${key}.`, code: 401 } });
    request.resume().on("end", () => {
      const headers = {
        "content-type": "application/json",
        "content-length": body.length,
        "x-said": `no ${key}`,
      };
      response.writeHead(401, headers).end(body);
    });
  });
  await using proxy = proxyTo(upstream, { upstreamKey: "sk-upstream-secret-1" });
  for (const path of ["/v1/models", "/v1/chat/completions"]) {
    const body = path.endsWith("models") ? undefined : JSON.stringify({ model: "m", messages: [] });
    const reply = await ask(proxy.port, path, body === undefined ? {} : { body });
    assert.equal(reply.status, 401);
    assert.match(reply.body.toString(), /Incorrect API key provided: \*{20}\./);
    assert.ok(reply.headers.includes(`x-said: no ${"*".repeat(20)}`), reply.headers.join("\n"));
  }
  assert.doesNotMatch(proxy.lines.join("\n"), /sk-upstream/);
});

test("a key that could be a word of any text leaves errors as they are, and one of asterisks ends nothing", async () => {
  const said = JSON.stringify({ error: { message: "context length exceeded: ****** tokens" } });
  await using upstream = await httpUpstream((request, response) => {
    request.resume().on("end", () => response.writeHead(400).end(said));
  });
  for (const upstreamKey of ["x", "e", "*", "******"]) {
    await using proxy = proxyTo(upstream, { upstreamKey });
    assert.equal((await ask(proxy.port, "/v1/models")).body.toString(), said);
  }
});

test("a client key that was taken out of the settings before anybody asked does not go upstream either", async () => {
  await using upstream = await upstreamThatKeeps();
  await using proxy = proxyTo(upstream, { clientKeys: "first-key" });
  const now = proxy.config();
  proxy.apply({ ...now, clientKeys: ["second-key"] });
  proxy.apply({ ...now, clientKeys: [] });
  for (const key of ["first-key", "second-key", "own-key"]) {
    await ask(proxy.port, "/v1/models", { headers: { authorization: `Bearer ${key}` } });
  }
  assert.deepEqual(upstream.asked.map(({ headers }) => headers.authorization), [
    undefined,
    undefined,
    "Bearer own-key",
  ]);
});
