/** Several upstreams: the model's name picks one, and their lists of models become one. */
import assert from "node:assert/strict";
import type http from "node:http";
import { withModel } from "../src/routing/model_name.ts";
import { createRouter, type Routed } from "../src/routing/router.ts";
import { ask, errorOf, httpUpstream, proxyWith, rawUpstream, type TestServer, until } from "./_servers.ts";
import { test } from "./_test.ts";

/** An upstream that keeps what it was asked, and has these models. */
interface Seen extends TestServer {
  readonly asked: {
    readonly line: string;
    readonly body: string;
    readonly headers: http.IncomingHttpHeaders;
  }[];
}

async function upstreamWith(models: readonly string[], answer?: http.RequestListener): Promise<Seen> {
  const asked: Seen["asked"] = [];
  const server = await httpUpstream(async (request, response) => {
    let body = "";
    for await (const piece of request) body += piece;
    asked.push({ line: `${request.method} ${request.url}`, body, headers: request.headers });
    if (answer) return answer(request, response);
    response.setHeader("content-type", "application/json");
    if (/\/models(?:\?|$)/.test(request.url!)) {
      const data = models.map((id) => ({ id, object: "model", created: 1, owned_by: "test", extra: id }));
      return response.end(JSON.stringify({ object: "list", data }));
    }
    if (request.url!.includes("/models/")) {
      return response.end(JSON.stringify({ id: decodeURIComponent(request.url!.split("/models/")[1]!) }));
    }
    const message = { role: "assistant", content: "hi" };
    response.end(
      JSON.stringify({ object: "chat.completion", choices: [{ index: 0, message, finish_reason: "stop" }] }),
    );
  });
  return { ...server, asked };
}

const urlOf = ({ port }: { readonly port: number }) => `http://127.0.0.1:${port}/v1`;

const upstreams: readonly { readonly settings: Routed }[] = [
  { name: "local", models: ["qwen*", "glm-?*"], aliases: { fast: "qwen3-8b", "x/y": "z" } },
  { name: "rest", aliases: {} },
  { name: "late", models: ["QWEN-late", "*"], aliases: { "qwen-alias": "own" } },
].map((settings) => ({ settings }));

const routes: readonly (readonly [asked: string, name: string, model: string])[] = [
  ["fast", "local", "qwen3-8b"],
  ["x/y", "local", "z"],
  ["qwen-alias", "late", "own"],
  ["Qwen3", "local", "Qwen3"],
  ["late/qwen3", "late", "qwen3"],
  ["late/a/b", "late", "a/b"],
  ["local/fast", "local", "qwen3-8b"],
  ["rest/", "late", "rest/"],
  ["other/model", "late", "other/model"],
  ["glm-4", "late", "glm-4"],
];

test("an alias wins, then name/model, then the first pattern that fits", () => {
  const router = createRouter(upstreams);
  for (const [asked, name, model] of routes) {
    const route = router.route(asked);
    assert.deepEqual([route?.upstream.settings.name, route?.model], [name, model], asked);
  }
  const two = createRouter(upstreams.slice(0, 2));
  assert.equal(
    two.route("unknown")!.upstream.settings.name,
    "rest",
    "the first without patterns takes the rest",
  );
  assert.equal(createRouter(upstreams.slice(0, 1)).route("unknown"), undefined);
  assert.equal(two.route("constructor")!.model, "constructor");
});

test("only the model of a body is rewritten", () => {
  const cases = [
    ['{"model":"a","seed":9223372036854775807}', '{"model":"b\\"","seed":9223372036854775807}'],
    [' {"x":{"model":"a"},"y":["model","a"],\n"mod\\u0065l" : "a" , "n":1.0e400}', null],
    ['{"a":"model","b":"\\\\\\"model\\\\","model":"a","model":"c"}', null],
  ] as const;
  assert.equal(withModel(cases[0][0], 'b"'), cases[0][1]);
  assert.equal(
    withModel(cases[1][0], "b"),
    ' {"x":{"model":"a"},"y":["model","a"],\n"mod\\u0065l" : "b" , "n":1.0e400}',
  );
  assert.equal(
    withModel(cases[2][0], "b"),
    '{"a":"model","b":"\\\\\\"model\\\\","model":"b","model":"b"}',
  );
});

test("requests go where their model is, with each upstream's own key, mode and fixes", async () => {
  await using one = await upstreamWith([]);
  await using two = await upstreamWith([]);
  await using proxy = proxyWith({
    upstreams: [
      { name: "one", baseUrl: urlOf(one), aliases: { fast: "real" }, models: ["one-*"], key: "key-one" },
      { name: "two", baseUrl: urlOf(two), mode: "bridge", fixes: { disable: ["any/developer-role"] } },
    ],
  });
  const tools = [{ type: "function", function: { name: "f", parameters: { type: "object" } } }];
  const post = async (path: string, body: string, type = "application/json") => {
    const headers = { "content-type": type, authorization: "Bearer client", "x-api-key": "client" };
    const reply = await ask(proxy.port, path, { body, headers });
    assert.equal(reply.status, 200, reply.body.toString());
    return reply;
  };
  const exact = '{"model": "one-a",  "messages":[], "seed":9223372036854775807}';
  await post("/v1/chat/completions", exact);
  await post("/v1/embeddings", '{"input":"é\\u00e9", "model":"fast", "n":9223372036854775807}');
  await post("/embeddings", '{"model":"one/x/y"}', "application/x-www-form-urlencoded");
  assert.deepEqual(one.asked.map(({ line, body }) => [line, body]), [
    ["POST /v1/chat/completions", exact],
    ["POST /v1/embeddings", '{"input":"é\\u00e9", "model":"real", "n":9223372036854775807}'],
    ["POST /v1/embeddings", '{"model":"x/y"}'],
  ]);
  for (const { headers, body } of one.asked) {
    assert.equal(headers.authorization, "Bearer key-one");
    assert.equal(headers["x-api-key"], undefined);
    assert.equal(Number(headers["content-length"]), Buffer.byteLength(body));
  }
  const body = { model: "two/own", messages: [{ role: "developer", content: "x" }], tools };
  await post("/v1/chat/completions", JSON.stringify(body));
  const sent = JSON.parse(two.asked[0]!.body);
  assert.deepEqual([sent.model, sent.tools], ["own", undefined], "bridged");
  assert.equal(two.asked[0]!.headers.authorization, "Bearer client");
  assert.ok(sent.messages.some(({ role }: { role: string }) => role === "developer"), "its fix is off");
});

test("a model that nobody has is a 404 that names what there is; bodies without a model go to the first", async () => {
  await using one = await upstreamWith([]);
  await using two = await upstreamWith([]);
  await using proxy = proxyWith({
    upstreams: [
      { name: "one", baseUrl: urlOf(one), models: ["a*"], aliases: { fast: "a1" } },
      { name: "two", baseUrl: urlOf(two), models: ["b*"] },
    ],
  });
  const reply = await ask(proxy.port, "/v1/chat/completions", { body: '{"model":"c"}' });
  const message = errorOf(reply, 404, "model_not_found");
  assert.match(message, /"c".*one \(a\*\); two \(b\*\).*Aliases: fast.*name\/model/);
  errorOf(await ask(proxy.port, "/v1/models/c"), 404, "model_not_found");
  const headers = { "content-type": "application/json" };
  for (const body of ["{}", "[1]", '{"model":5}', "no json", '{"model":"b"']) {
    await ask(proxy.port, "/v1/other?q=1", { body, headers });
  }
  await ask(proxy.port, "/v1/files", {
    body: '{"model":"b"}',
    headers: { "content-type": "application/octet-stream" },
  });
  await ask(proxy.port, "/v1/files", { method: "DELETE" });
  await ask(proxy.port, "/v1/chat/completions", { body: "no json" });
  assert.equal(two.asked.length, 0);
  assert.deepEqual(one.asked.map(({ body }) => body), [
    "{}",
    "[1]",
    '{"model":5}',
    "no json",
    '{"model":"b"',
    '{"model":"b"}',
    "",
    "no json",
  ]);
});

test("a body that is too large to be read for its model is refused, as chat requests are", async () => {
  await using one = await upstreamWith([]);
  await using proxy = proxyWith({
    limits: { requestMiB: 0.001 },
    upstreams: [{ name: "one", baseUrl: urlOf(one), aliases: { a: "b" } }],
  });
  const body = JSON.stringify({ model: "a", input: "x".repeat(2000) });
  const headers = { "content-type": "application/json" };
  errorOf(await ask(proxy.port, "/v1/embeddings", { body, headers }), 413, "request_too_large");
});

test("the models of all upstreams are one list, and each of its names leads to what it says", async () => {
  await using one = await upstreamWith(["shared", "one-a", "org/one-b"]);
  await using two = await upstreamWith(["shared", "one-x", "one/odd", "fast"]);
  await using proxy = proxyWith({
    upstreams: [
      {
        name: "one",
        baseUrl: urlOf(one),
        models: ["one-*", "org/*"],
        aliases: { fast: "one-a", slow: "not-listed" },
      },
      { name: "two", baseUrl: urlOf(two) },
    ],
  });
  const reply = await ask(proxy.port, "/v1/models?x=1");
  const { object, data } = JSON.parse(reply.body.toString());
  assert.equal(object, "list");
  const ids: string[] = data.map(({ id }: { id: string }) => id);
  assert.deepEqual(ids.toSorted(), [
    "fast",
    "one-a",
    "one/shared",
    "org/one-b",
    "shared",
    "slow",
    "two/fast",
    "two/one-x",
    "two/one/odd",
  ]);
  assert.equal(one.asked[0]!.line, "GET /v1/models?x=1");
  assert.deepEqual(
    data.find(({ id }: { id: string }) => id === "fast").extra,
    "one-a",
    "as the model it stands for",
  );
  const real = { fast: "one-a", slow: "not-listed" } as { readonly [id: string]: string };
  for (const id of ids) {
    const owner = /^(?:fast|slow|one-a|org\/one-b|one\/shared)$/.test(id) ? one : two;
    const count = owner.asked.length;
    await ask(proxy.port, "/v1/chat/completions", { body: JSON.stringify({ model: id, messages: [] }) });
    assert.equal(owner.asked.length, count + 1, id);
    const { model } = JSON.parse(owner.asked.at(-1)!.body);
    assert.equal(model, real[id] ?? id.replace(/^(?:one(?=\/shared)|two)\//, ""));
    const single = await ask(proxy.port, `/v1/models/${id}`);
    assert.deepEqual([single.status, JSON.parse(single.body.toString()).id], [200, id]);
  }
  const encoded = await ask(proxy.port, "/models/org%2Fone-b");
  assert.equal(JSON.parse(encoded.body.toString()).id, "org/one-b");
  assert.equal(one.asked.at(-1)!.line, "GET /v1/models/org%2Fone-b", "as it was asked");
});

test("an upstream that fails leaves the others' models; when all fail, the first error is the answer", async () => {
  await using good = await upstreamWith(["a"]);
  await using refusing = await upstreamWith(
    [],
    (_, response) => void response.writeHead(401).end('{"error":"no"}'),
  );
  await using html = await upstreamWith([], (_, response) => void response.end("<html>"));
  const entry = (name: string, baseUrl: string) => ({ name, baseUrl });
  const dead = entry("dead", "http://127.0.0.1:9/v1");
  await using some = proxyWith({
    upstreams: [
      dead,
      entry("refusing", urlOf(refusing)),
      entry("html", urlOf(html)),
      entry("good", urlOf(good)),
    ],
  });
  const listed = await ask(some.port, "/v1/models");
  assert.equal(listed.status, 200);
  assert.deepEqual(JSON.parse(listed.body.toString()).data.map(({ id }: { id: string }) => id), ["good/a"]);
  await using none = proxyWith({ upstreams: [dead, entry("refusing", urlOf(refusing))] });
  errorOf(await ask(none.port, "/v1/models"), 502, "upstream_unreachable");
  await using other = proxyWith({ upstreams: [entry("refusing", urlOf(refusing)), dead] });
  const refused = await ask(other.port, "/v1/models");
  assert.deepEqual([refused.status, refused.body.toString()], [401, '{"error":"no"}']);
});

test("a list of models leaves nothing open at upstreams that fail", async () => {
  const open = new Set<unknown>();
  await using failing = await upstreamWith([], (_, response) => {
    open.add(response);
    response.on("close", () => open.delete(response));
    response.writeHead(500).write("x".repeat(1_000_000)); // and never ends
  });
  await using good = await upstreamWith(["a"]);
  await using proxy = proxyWith({
    upstreams: [{ name: "failing", baseUrl: urlOf(failing) }, { name: "good", baseUrl: urlOf(good) }],
  });
  for (let n = 0; n < 3; n++) assert.equal((await ask(proxy.port, "/v1/models")).status, 200);
  await until("all answers are given up", () => open.size === 0);
});

test("timeouts are each upstream's own", async () => {
  await using silent = await rawUpstream(() => {});
  await using proxy = proxyWith({
    upstreams: [
      { name: "slow", baseUrl: urlOf(silent) },
      { name: "quick", baseUrl: urlOf(silent), timeouts: { firstByte: 0.1 } },
    ],
  });
  const reply = await ask(proxy.port, "/v1/chat/completions", { body: '{"model":"quick/x"}' });
  errorOf(reply, 504, "upstream_timeout");
});

test("/health names all upstreams, and the log says whose a model is", async () => {
  await using one = await upstreamWith([]);
  await using proxy = proxyWith({
    upstreams: [
      { name: "one", baseUrl: urlOf(one) },
      { name: "nano", baseUrl: "https://nano-gpt.com/api/v1" },
    ],
  });
  const { ok, mode, upstream, upstreams } = JSON.parse((await ask(proxy.port, "/health")).body.toString());
  assert.deepEqual([ok, mode, upstream], [true, "native", urlOf(one)]);
  assert.deepEqual(upstreams, [
    { name: "one", mode: "native", upstream: urlOf(one) },
    { name: "nano", mode: "bridge", upstream: "https://nano-gpt.com/api/v1" },
  ]);
  const body = JSON.stringify({ model: "one/m", messages: [{ role: "developer", content: "x" }] });
  await ask(proxy.port, "/v1/chat/completions", { body });
  await until(
    "the fix is told",
    () => proxy.lines.some((line) => /info 200 \w+ m at one; .*fixes any\/developer-role/.test(line)),
  );
});

test("one upstream without aliases is not looked into: a model may be called anything", async () => {
  await using one = await upstreamWith(["a"]);
  await using proxy = proxyWith({ upstreams: [{ name: "one", baseUrl: urlOf(one), models: ["x"] }] });
  await ask(proxy.port, "/v1/chat/completions", { body: '{"model":"one/a"}' });
  await ask(proxy.port, "/v1/models/one/a");
  assert.deepEqual(one.asked.map(({ line, body }) => line + body), [
    'POST /v1/chat/completions{"model":"one/a"}',
    "GET /v1/models/one/a",
  ]);
});
