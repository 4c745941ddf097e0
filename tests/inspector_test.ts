/** The inspector over a real socket: its files, its headers, its data, live changes, the playground's conversions. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import http from "node:http";
import { curlOf } from "../src/inspector/page/curl.js";
import { diffLines } from "../src/inspector/page/diff.js";
import { prettyJson } from "../src/inspector/page/format.js";
import { fixes } from "../src/fixes/mod.ts";
import { convertText } from "../src/inspector/convert_text.ts";
import { createInspector } from "../src/inspector/inspector.ts";
import { pageFiles } from "../src/inspector/page_files.ts";
import { problemWords } from "../src/inspector/words.ts";
import type { Capture } from "../src/observe/capture.ts";
import { createCaptures } from "../src/observe/captures.ts";
import { repair } from "../src/repair.ts";
import { inspected, says, weather } from "./_inspector.ts";
import { ask, errorOf, type Reply, until } from "./_servers.ts";
import { test } from "./_test.ts";

const CALL = '<tool_call>{"name": "getWeather", "arguments": {"city": "Paris", "days": "2"}}</tool_call>';
const body = {
  model: "m",
  stream: true,
  tools: [weather],
  messages: [{ role: "user", content: "Weather?" }],
};
const json = ({ body }: Reply) => JSON.parse(body.toString());
const post = { method: "POST", headers: { "content-type": "application/json" } };

test("every file of the page is served with its type, and with headers that let nothing else in", async () => {
  await using server = inspected(says(""));
  for (const [name, { text, type }] of pageFiles) {
    const reply = await ask(server.port, `/callmend/${name}`);
    assert.equal(reply.status, 200, name);
    assert.equal(reply.body.toString(), text, name);
    assert.ok(reply.headers.includes(`content-type: ${type}`), name);
    checkHeaders(reply);
  }
  const html = pageFiles.get("")!.text;
  assert.doesNotMatch(html, /<style|\bon\w+=|style=/, "nothing inline");
  for (const [, attributes, inside] of html.matchAll(/<script([^>]*)>([^<]*)/g)) {
    assert.match(attributes!, /src="main\.js"/);
    assert.equal(inside, "");
  }
  for (const [, file] of html.matchAll(/(?:src|href)="([^"#]+)"/g)) assert.ok(pageFiles.has(file!), file!);
});

function checkHeaders({ headers }: Reply): void {
  for (
    const header of [
      "content-security-policy: default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
      "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      "x-content-type-options: nosniff",
      "referrer-policy: no-referrer",
      "cache-control: no-store",
      "cross-origin-resource-policy: same-origin",
    ]
  ) assert.ok(headers.includes(header), header);
}

test("other paths and methods are refused in OpenAI's shape, with the same headers", async () => {
  await using server = inspected(says(""));
  for (
    const path of [
      "nothing",
      "main.js/",
      "api",
      "api/exchanges/none/what",
      "../src/main.ts",
      "api/exchanges/",
    ]
  ) {
    const reply = await ask(server.port, `/callmend/${path}`.replace("/../", "/%2e%2e%2f"));
    assert.match(errorOf(reply, 404, "not_found"), /There is no /);
    checkHeaders(reply);
  }
  assert.match(
    errorOf(await ask(server.port, "/callmend/api/exchanges/nobody"), 404, "not_found"),
    /exchange nobody/,
  );
  errorOf(await ask(server.port, "/callmend/api/exchanges/nobody/bundle"), 404, "not_found");
  for (
    const [method, path, allowed] of [
      ["POST", "", "GET, HEAD"],
      ["DELETE", "api/exchanges", "GET, HEAD"],
      ["GET", "api/convert", "POST"],
      ["PUT", "api/convert", "POST"],
    ] as const
  ) {
    const reply = await ask(server.port, `/callmend/${path}`, { method });
    assert.match(errorOf(reply, 405, "method_not_allowed"), new RegExp(`allowed: ${allowed}`));
    assert.ok(reply.headers.includes(`allow: ${allowed}`));
    checkHeaders(reply);
  }
  const bare = await ask(server.port, "/callmend");
  assert.deepEqual([bare.status, bare.headers.includes("location: /callmend/")], [308, true]);
  const head = await ask(server.port, "/callmend/api/exchanges", { method: "HEAD" });
  assert.deepEqual([head.status, head.body.length], [200, 0]);
});

test("the list, one exchange, and its bundle", async () => {
  await using server = inspected(says("Well.\n", CALL), { config: { bridgeMaxCalls: 7 } });
  await server.chat(body, { authorization: "Bearer sk-very-secret-0123456789" });
  await until("the exchange has ended", () => !server.captures.list()[0]!.running);
  const list = json(await ask(server.port, "/callmend/api/exchanges"));
  assert.deepEqual(list.limits, server.captures.limits);
  assert.equal(list.size, server.captures.size);
  const [{ id, calls, problems, dialects }] = list.exchanges;
  assert.deepEqual([calls, dialects, Object.keys(problems)], [1, ["hermes"], [
    "name-resolved",
    "arguments-repaired",
  ]]);

  const one = await ask(server.port, `/callmend/api/exchanges/${id}`);
  const { capture, reading } = json(one);
  checkHeaders(one);
  assert.deepEqual(capture, JSON.parse(JSON.stringify(server.captures.get(id))));
  assert.deepEqual(reading.attempts[0].choices[0].calls, [
    { index: 0, name: "get_weather", dialect: "hermes", arguments: '{"city":"Paris","days":2}' },
  ]);
  const bundle = await ask(server.port, `/callmend/api/exchanges/${id}/bundle`);
  assert.deepEqual(json(bundle), capture);
  const disposition = bundle.headers.find((header) => header.startsWith("content-disposition"));
  assert.match(
    disposition!,
    /^content-disposition: attachment; filename="callmend-\d{8}T\d+-[\w.-]+\.json"$/,
  );
  checkHeaders(bundle);
  for (const { body } of [one, bundle]) assert.doesNotMatch(body.toString(), /very-secret/);
});

test("changes come live, together, and the connection shows that it is there", async () => {
  await using server = inspected(says(..."abcdefgh"), { heartbeatMs: 20 });
  const events: { changes: { kind: string; summary?: { id: string; running: boolean } }[] }[] = [];
  let [heartbeats, gone] = [0, false];
  const request = http.get(`${server.address}/callmend/api/live`, (response) => {
    assert.match(response.headers["content-type"]!, /^text\/event-stream/);
    let text = "";
    response.on("data", (bytes) => {
      text += bytes;
      for (let end = text.indexOf("\n\n"); end !== -1; end = text.indexOf("\n\n")) {
        const event = text.slice(0, end);
        text = text.slice(end + 2);
        if (event.startsWith(":")) heartbeats++;
        else events.push(JSON.parse(event.replace(/^[^]*data: /, "")));
      }
    }).on("error", () => {}).on("close", () => gone = true);
  });
  request.on("error", () => {});
  await until("the connection says that it is open", () => events.length === 1);
  const start = Date.now();
  await Promise.all(Array.from({ length: 40 }, () => server.chat(body)));
  const ended = () =>
    new Set(
      events.flatMap(({ changes }) =>
        changes.flatMap(({ summary }) => summary?.running === false ? [summary.id] : [])
      ),
    );
  await until("all have ended", () => ended().size === 40);
  assert.ok(
    events.length <= 3 + (Date.now() - start) / 100,
    `${events.length} events in ${Date.now() - start} ms`,
  );
  await until("the connection shows that it is there", () => heartbeats > 1);
  request.destroy();
  await until("the connection is gone", () => gone);
});

test("who stops listening is told no more; a server that ends lets nobody wait", async () => {
  const captures = createCaptures({ exchanges: 10, bytes: 1e6 });
  let followers = 0;
  const follow: typeof captures.follow = (told) => {
    followers++;
    const unfollow = captures.follow(told);
    return () => (followers--, unfollow());
  };
  const over = new AbortController();
  const page = createInspector({ captures: { ...captures, size: 0, follow }, signal: over.signal });
  const live = () => page(new Request("http://localhost/callmend/api/live"));
  const [one, other] = [await live(), await live()];
  assert.equal(followers, 2);
  await one.body!.cancel();
  assert.equal(followers, 1);
  over.abort();
  assert.match(await other.text(), /^retry: 1000\ndata: /);
  assert.equal(followers, 0);
  assert.match(await (await live()).text(), /^retry/, "a late one ends at once");
});

test("what goes wrong is told to whoever runs it, and not to whoever asks", async () => {
  const captures = createCaptures({ exchanges: 1, bytes: 1 });
  const told: unknown[] = [];
  const get = () => {
    throw new Error("an inner matter");
  };
  const page = createInspector({
    captures: { ...captures, size: 0, get },
    failed: (error) => told.push(error),
  });
  const response = await page(new Request("http://localhost/callmend/api/exchanges/x"));
  assert.equal(response.status, 500);
  assert.doesNotMatch(await response.text(), /inner matter/);
  assert.match(response.headers.get("content-security-policy")!, /default-src 'none'/);
  assert.deepEqual(told.map(String), ["Error: an inner matter"]);
});

test("exchanges that are let go are told as gone", async () => {
  await using server = inspected(says("x"), { limits: { exchanges: 2, bytes: 1e7 } });
  const changes: unknown[] = [];
  server.captures.follow((change) => changes.push(change.kind === "gone" ? change.id : undefined));
  for (let n = 0; n < 3; n++) await server.chat(body);
  assert.equal(json(await ask(server.port, "/callmend/api/exchanges")).exchanges.length, 2);
  assert.equal(changes.filter(Boolean).length, 1);
});

test("the playground converts as the pipeline does, at every cut, and shows each piece", async () => {
  const text = `<think>Hm.</think>\nSo:\n${CALL}\nDone 🎉`;
  const request = { ...body, stream: false };
  const upstream = () =>
    Promise.resolve(Response.json({
      id: "c",
      object: "chat.completion",
      created: 0,
      model: "m",
      choices: [{ index: 0, message: { role: "assistant", content: text }, finish_reason: "stop" }],
    }));
  const mended = await repair(upstream)(
    new Request("http://x/v1/chat/completions", { method: "POST", body: JSON.stringify(request) }),
  );
  const expected = (await mended.json()).choices[0];
  for (const cut of [1, 2, 7, 1000]) {
    const { steps, turn, message, cut: used } = await convertText({ text, tools: [weather], cut });
    const [choice] = message["choices"] as typeof expected[];
    delete choice.message.tool_calls[0].id;
    delete expected.message.tool_calls[0].id;
    assert.deepEqual(choice, expected, `cut ${cut}`);
    assert.equal(used, cut);
    assert.ok(steps.length >= 2 + text.length / cut - 1);
    const went = steps.flatMap(({ out }) => out) as { delta: { content?: string } }[];
    assert.equal(went.map(({ delta }) => delta.content ?? "").join(""), expected.message.content);
    assert.deepEqual(steps.flatMap(({ problems }) => problems.map(({ code }) => code)), [
      "name-resolved",
      "arguments-repaired",
    ]);
    assert.deepEqual(turn.problems.map(({ code }) => code), ["name-resolved", "arguments-repaired"]);
  }
  const one = (await convertText({ text, tools: { tools: [weather.function] }, cut: 1 })).steps;
  const held = one.findIndex(({ end }) => end === text.indexOf("<tool_call>") + 5);
  assert.deepEqual(one[held]!.out, [], "what may be a call is held back");
});

test("the playground's options do what they say", async () => {
  const convert = async (wanted: object) => {
    const { message, turn } = await convertText({ tools: [weather], ...wanted });
    const [choice] = message["choices"] as {
      message: { content: string; reasoning_content?: string; tool_calls?: unknown[] };
    }[];
    return { ...choice!.message, calls: choice!.message.tool_calls?.length ?? 0, turn };
  };
  assert.equal((await convert({ text: CALL, dialects: ["dsml"] })).calls, 0);
  assert.equal((await convert({ text: CALL, dialects: ["hermes"] })).calls, 1);
  assert.equal(
    (await convert({ text: "<think>a</think>b", reasoning: "keep" })).content,
    "<think>a</think>b",
  );
  assert.equal((await convert({ text: "a</think>b", reasoning: "open" })).reasoning_content, "a");
  assert.equal((await convert({ text: "thought", field: "reasoning" })).reasoning_content, "thought");
  const taught =
    '[[OPENCODE_TOOL]]\n[[CALL]]\n{"name": "get_weather", "arguments": {"city": "Rome"}}\n[[/CALL]]\n[[/OPENCODE_TOOL]]';
  assert.equal((await convert({ text: taught })).calls, 0);
  assert.equal((await convert({ text: taught, protocol: "markers" })).calls, 1);
  const whole = (await convertText({ text: CALL, tools: [weather], arguments: "whole", cut: 1 })).steps;
  assert.equal(whole.filter(({ out }) => JSON.stringify(out).includes('tool_calls":[')).length, 1);
});

test("what cannot be converted is refused with what is wrong", async () => {
  await using server = inspected(says(""));
  const convert = (body: string, headers: http.OutgoingHttpHeaders = post.headers) =>
    ask(server.port, "/callmend/api/convert", { method: "POST", headers, body });
  assert.equal((await convert(JSON.stringify({ text: "hi" }))).status, 200);
  for (
    const [sent, wrong] of [
      ["{", /the body is no JSON/],
      ["[]", /the body/],
      ["{}", /text/],
      ['{"text":"a","cut":0}', /cut/],
      ['{"text":"a","dialects":["klingon"]}', /dialects/],
      ['{"text":"a","tools":"none"}', /tools/],
      [JSON.stringify({ text: "x".repeat(1_000_001) }), /text/],
    ] as const
  ) assert.match(errorOf(await convert(sent), 400, "invalid_request"), wrong);
  assert.match(
    errorOf(await convert("{}", { "content-type": "text/plain" }), 400, "invalid_request"),
    /content-type/,
  );
  const json = "application/json";
  for (
    const [headers, status] of [
      [{ origin: "http://evil.example" }, 403],
      [{ origin: "null" }, 403],
      [{ "sec-fetch-site": "cross-site" }, 403],
      [{ "sec-fetch-site": "same-site" }, 403],
      [{ "sec-fetch-site": "same-origin", origin: server.address }, 200],
      [{ origin: server.address }, 200],
    ] as const
  ) {
    const reply = await convert('{"text":"a"}', { "content-type": json, ...headers });
    assert.equal(reply.status, status, JSON.stringify(headers));
    checkHeaders(reply);
  }
});

test("a text of many pieces is cut more coarsely, and says so", async () => {
  const { cut, steps } = await convertText({ text: "word ".repeat(100_000), cut: 1 });
  assert.ok(cut >= 100 && steps.length <= 5_003, `${cut}, ${steps.length}`);
});

test("problems, fixes and dialects have words", async () => {
  await using server = inspected(says(""));
  const words = json(await ask(server.port, "/callmend/api/words"));
  for (const [code, text] of Object.entries(problemWords)) assert.match(text, /^[A-Z].{20,}\.$/, code);
  assert.deepEqual(words.problems, problemWords);
  for (const { id, why } of fixes) assert.equal(words.fixes[id].why, why);
});

const hostile = `it's "quoted" $HOME \`id\` \\ \n!! \u00e9 🎉 $(rm -rf /)`;

test("a request as curl says the same to a shell, and names no key", () => {
  const request: Capture["request"] = {
    method: "POST",
    url: "http://127.0.0.1:8787/v1/chat/completions?a='b'",
    headers: {
      "content-type": "application/json",
      authorization: "(28 characters)",
      "x-api-key": "(12 characters)",
      "x-odd": "it's $HOME",
      cookie: "(40 characters)",
      host: "h",
      "content-length": "3",
      "accept-encoding": "gzip",
    },
    body: JSON.stringify({ text: hostile }) + hostile,
  };
  const command = curlOf(request, "http://other");
  // The shell shows what curl would be given.
  const script = `curl() { for word; do printf '%s\\0' "$word"; done; }\nAPI_KEY='a secret'\n${command}`;
  const words = execFileSync("sh", ["-c", script], { encoding: "utf8" }).split("\0").slice(0, -1);
  assert.deepEqual(words, [
    "-N",
    request.url,
    "-H",
    "content-type: application/json",
    "-H",
    "authorization: Bearer a secret",
    "-H",
    "x-api-key: a secret",
    "-H",
    "x-odd: it's $HOME",
    "--data-raw",
    request.body,
  ]);
});

test("differences are the lines that differ, and nothing is lost", () => {
  let seed = 1;
  const random = (below: number) => (seed = Math.imul(seed, 48271) >>> 1) % below;
  const lines = (count: number) =>
    Array.from({ length: random(count) + 1 }, () => "abc"[random(3)]).join("\n");
  for (let n = 0; n < 2_000; n++) {
    const [one, other] = [lines(10), lines(10)];
    const hunks = diffLines(one, other);
    assert.equal(hunks.flatMap(({ left }) => left).join("\n"), one);
    assert.equal(hunks.flatMap(({ right }) => right).join("\n"), other);
    for (const { same, left, right } of hunks) if (same) assert.deepEqual(left, right);
    assert.equal(hunks.every(({ same }) => same), one === other);
  }
  const long = Array.from({ length: 30_000 }, (_, n) => `line ${n}`);
  const hunks = diffLines(long.join("\n"), long.with(15_000, "other").join("\n"));
  assert.deepEqual(hunks.filter(({ same }) => !same), [{
    same: false,
    left: ["line 15000"],
    right: ["other"],
  }]);
  const start = performance.now();
  diffLines(long.join("\n"), long.map((line) => `${line}!`).join("\n"));
  assert.ok(performance.now() - start < 3_000);
});

test("JSON is laid out without changing a value", () => {
  const text = `{"a":1.0,"b":[],"c":{ },"d":[1,{"x":"q\\"{[,:]}\\\\"}],"e":12345678901234567890,"a":null}`;
  const pretty = prettyJson(text);
  assert.deepEqual(JSON.parse(pretty), JSON.parse(text));
  assert.match(pretty, /"a": 1\.0,\n {2}"b": \[\],\n {2}"c": \{\},/);
  assert.ok(pretty.includes("12345678901234567890") && pretty.includes('"a": null'));
  assert.equal(prettyJson("no {json"), "no {json");
  const long = JSON.stringify({ text: '\\"'.repeat(2_000_000) });
  assert.equal(JSON.parse(prettyJson(long)).text.length, 4_000_000);
});
