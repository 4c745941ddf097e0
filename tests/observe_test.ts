/** What an operator sees: the log, the metrics, the traces. */
import assert from "node:assert/strict";
import { createLog, type LogOptions } from "../src/observe/log.ts";
import { createMetrics } from "../src/observe/metrics.ts";
import { usageOf } from "../src/wire/usage.ts";
import type { ExchangeReport } from "../src/wire/watcher.ts";
import { ask, httpUpstream, program, proxyTo, until } from "./_servers.ts";
import { test } from "./_test.ts";
import { chunk, data, DONE, readTool } from "./_upstream.ts";

const CALL = '<tool_call>{"name": "READ", "arguments": {"path": "a"}}</tool_call>';
const usage = { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 };

/** A model that calls a tool, leaks what nobody knows, fails, or answers in JSON, by its name. */
function models() {
  return httpUpstream((request, response) => {
    let asked = "";
    request.on("data", (bytes) => asked += bytes).on("end", () => {
      const model = /"model":"([^"]*)"/.exec(asked)?.[1];
      if (model === "refuses") {
        return response.writeHead(429, { "content-type": "application/json" }).end("{}");
      }
      if (model === "breaks") {
        response.writeHead(200, { "content-type": "text/event-stream" });
        return response.write(
          data(chunk({ role: "assistant", content: "Hi" })),
          () => setTimeout(() => response.destroy(), 100),
        );
      }
      if (model === "plain") {
        const message = { role: "assistant", content: "Hi" };
        response.writeHead(200, { "content-type": "application/json" });
        return response.end(
          JSON.stringify({ choices: [{ index: 0, message, finish_reason: "stop" }], usage }),
        );
      }
      const text = model === "leaks" ? "<new_tool_call:x>read" : CALL;
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.end(
        data(
          chunk({ role: "assistant", content: text }),
          chunk({}, "stop"),
          chunk({}, null, { choices: [], usage }),
        ) +
          DONE,
      );
    });
  });
}

const body = (model: string, more: object = {}) =>
  JSON.stringify({
    model,
    stream: true,
    tools: [readTool],
    messages: [{ role: "developer", content: "x" }],
    ...more,
  });

const CHAT = "/v1/chat/completions";

test("the log: one line of JSON a request, with all that an operator asks for", async () => {
  await using upstream = await models();
  const address = `http://127.0.0.1:${upstream.port}/v1`;
  await using running = program(["--port", "0", "--upstream", address, "--log-level", "debug"]);
  const port = await running.port();
  const reply = await ask(port, CHAT, {
    body: body("calls"),
    headers: { authorization: "Bearer sk-secret-key-1" },
  });
  const id = reply.headers.find((header) => header.startsWith("x-callmend-id: "))?.slice(15);
  await ask(port, "/v1/models?key=sk-secret-key-2");
  await until("both are in the log", () => /"message":"request"/.test(running.err()));
  const lines = running.err().trim().split("\n").map((line) => JSON.parse(line));
  const [exchange, ...others] = lines.filter(({ message }) => message === "exchange");
  assert.deepEqual(others, []);
  const { time, first_byte_ms, total_ms, added_ms, bytes_sent, bytes_received, bytes_asked, ...rest } =
    exchange;
  assert.deepEqual(rest, {
    level: "info",
    message: "exchange",
    id,
    model: "calls",
    upstream: `127.0.0.1:${upstream.port}`,
    mode: "native",
    stream: true,
    status: 200,
    outcome: "done",
    finish: "tool_calls",
    tools: 1,
    calls: { hermes: 1 },
    dialects: ["hermes"],
    fixes: ["any/developer-role"],
    problems: { "name-resolved": 1 },
    prompt_tokens: 11,
    completion_tokens: 7,
    attempts: 1,
  });
  assert.ok(Date.now() - Date.parse(time) < 60_000);
  assert.ok(added_ms > 0 && first_byte_ms > 0 && total_ms >= first_byte_ms);
  assert.equal(bytes_sent, reply.body.length);
  assert.ok(bytes_received > 100 && bytes_asked === body("calls").length);
  assert.ok(
    lines.some(({ message, code }) => message === "problem" && code === "name-resolved"),
    "at level debug",
  );
  assert.doesNotMatch(running.err(), /sk-secret/);
});

test("the log: a key that an upstream repeats in an error is not in it, at any level", async () => {
  const key = "sk-of-the-client-0123";
  await using upstream = await httpUpstream((request, response) => {
    request.resume().on("end", () => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.end(
        data(
          chunk({ role: "assistant", content: "Hi" }),
          JSON.stringify({ error: { message: `Bad key: ${key}` } }),
        ),
      );
    });
  });
  await using proxy = proxyTo(upstream, { logLevel: "debug" });
  await ask(proxy.port, CHAT, { body: body("m"), headers: { authorization: `Bearer ${key}` } });
  await until("the problem is told", () => proxy.lines.some((line) => /code=upstream-error/.test(line)));
  assert.doesNotMatch(proxy.lines.join("\n"), new RegExp(key));
});

test("the log: levels, text for people, and nothing that could end a line or paint it", () => {
  const lines: string[] = [];
  const log = (options: Partial<LogOptions>) =>
    createLog({ level: () => "info", style: () => "text", write: (line) => lines.push(line), ...options });
  log({}).debug("not told");
  log({ level: () => "error" }).warn("not told");
  assert.deepEqual(lines, []);
  log({}).warn("two\nlines", {
    a: "x y",
    b: 1,
    c: [],
    d: undefined,
    e: ["p", "q"],
    f: { g: 2, h: 1 },
    i: "\x1b[31m",
  });
  log({ style: () => "coloured" }).info("hello", {}, "in words");
  log({ style: () => "json" }).info("hello", { a: "x\ny" }, "in words");
  assert.match(lines[0]!, /^\S+Z warn two\?lines a="x y" b=1 e=p,q f=g\*2,h i=\?\[31m$/);
  // deno-lint-ignore no-control-regex -- colours are what is meant
  assert.match(lines[1]!, /^\x1b\[90m\d\d:\d\d:\d\d\x1b\[0m \x1b\[32minfo\x1b\[0m in words$/);
  assert.deepEqual(Object.keys(JSON.parse(lines[2]!)), ["time", "level", "message", "a"]);
});

test("the log: an exchange in words, by level", async () => {
  await using upstream = await models();
  await using proxy = proxyTo(upstream);
  for (const model of ["calls", "refuses", "breaks", "plain"]) {
    await ask(proxy.port, CHAT, { body: body(model) });
  }
  await until("all are told", () => proxy.lines.length >= 4);
  const told = proxy.lines.join("\n");
  assert.match(
    told,
    /info 200 done calls at \S+; finish tool_calls; calls hermes; fixes any\/developer-role; problems name-resolved; tokens 11 \+ 7; [\d.]+ ms \(first byte [\d.]+ ms, added [\d.]+ ms\); \w+/,
  );
  assert.match(told, /info 429 untouched refuses at/);
  assert.match(told, /warn 200 broken breaks at .* problems upstream-broke/);
  assert.match(told, /info 200 done plain at \S+; finish stop; .*tokens 11 \+ 7/);
});

/** The numbers of a scrape, by name and labels. */
async function scrape(port: number): Promise<(name: string, labels?: string) => number> {
  const reply = await ask(port, "/metrics");
  assert.equal(reply.status, 200);
  assert.ok(reply.headers.some((header) => header.startsWith("content-type: text/plain; version=0.0.4")));
  const lines = reply.body.toString().split("\n");
  return (name, labels = "") => {
    const wanted = labels === "" ? [] : labels.split(" ");
    const found = lines.filter((line) =>
      line.startsWith(`${name}{`) && wanted.every((label) => line.includes(label)) ||
      line.startsWith(`${name} `)
    );
    return found.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
  };
}

test("metrics: requests, streams, times, calls, problems, fixes, bytes, upstream errors, what was not converted", async () => {
  await using upstream = await models();
  await using proxy = proxyTo(upstream);
  for (const model of ["calls", "calls", "leaks", "refuses", "breaks", "plain"]) {
    await ask(proxy.port, CHAT, { body: body(model, model === "plain" ? { stream: false } : {}) });
  }
  await ask(proxy.port, "/v1/models");
  const of = await scrape(proxy.port);
  assert.equal(of("callmend_requests_total"), 6);
  assert.equal(of("callmend_requests_total", 'model="calls" outcome="done" status="200" mode="native"'), 2);
  assert.equal(of("callmend_passed_requests_total", 'status="200"'), 1);
  assert.equal(of("callmend_calls_total", 'dialect="hermes" model="calls"'), 2);
  assert.equal(of("callmend_problems_total", 'code="name-resolved"'), 2);
  assert.ok(of("callmend_fixes_total", 'fix="any/developer-role"') >= 5);
  assert.equal(of("callmend_unconverted_markup_total", 'model="leaks"'), 1);
  assert.equal(of("callmend_unconverted_markup_total"), 1);
  assert.equal(of("callmend_upstream_errors_total", 'kind="429"'), 1);
  assert.equal(of("callmend_upstream_errors_total", 'kind="broken"'), 1);
  assert.equal(of("callmend_first_byte_seconds_count"), 6);
  assert.equal(of("callmend_added_seconds_count"), 6);
  assert.ok(of("callmend_added_seconds_sum") > 0 && of("callmend_added_seconds_sum") < 6);
  assert.equal(of("callmend_tokens_total", 'kind="prompt"'), 44);
  assert.ok(of("callmend_bytes_total", 'direction="received"') > 1000);
  assert.equal(of("callmend_streams_open"), 0);
  assert.equal(of("callmend_build_info"), 1);
  assert.ok(of("process_resident_memory_bytes") > 2 ** 20);
});

test("metrics: what was counted long before a scrape is in it, once, under labels that are whole", async () => {
  const metrics = createMetrics();
  const begun = { id: "a", model: "a\0b\nc", stream: true, tools: 1 };
  const request = new Request("http://h/v1/chat/completions");
  const ended: ExchangeReport = {
    ...{ ...begun, mode: "native", attempts: 1, status: 200, dialects: ["hermes"], calls: 2, fixes: [] },
    ...{ callsByDialect: { hermes: 2 }, problems: [], finish: "tool_calls", usage: undefined },
    ...{ bytes: { asked: 1, received: 2, sent: 3 }, outcome: "done" },
    times: { firstByteMs: 100, totalMs: 200, addedMs: 1 },
  };
  const odd = { prompt: -Infinity, completion: -1 };
  const count = async (times: number) => {
    for (let n = 0; n < times; n++) {
      metrics.watch("up")({ ...begun, request, body: new Uint8Array() })!.ended!(
        n < 9 ? { ...ended, usage: odd } : ended,
      );
      if (n % 500 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  const text = async () => (await (await metrics.answer()).text()).replace(/^process_.*$/gm, "");
  await count(2500);
  const first = await text();
  assert.match(first, /callmend_request_seconds_count\{upstream="up"\} 2500\n/);
  assert.match(first, /callmend_request_seconds_bucket\{le="0.25",upstream="up"\} 2500\n/);
  assert.match(first, /callmend_request_seconds_bucket\{le="0.1",upstream="up"\} 0\n/);
  assert.match(first, /callmend_calls_total\{upstream="up",model="a\?b\?c",dialect="hermes"\} 5000\n/);
  assert.equal(await text(), first, "nothing is counted twice");
  await count(10);
  assert.match(await text(), /callmend_request_seconds_count\{upstream="up"\} 2510\n/);
});

test("token counts that are none are not counted", () => {
  const counts = [-Infinity, -1, NaN, 1e300, "7", null, {}];
  for (const count of counts) {
    const usage = usageOf({ prompt_tokens: count, input_tokens: 5, completion_tokens: count });
    assert.deepEqual(usage, { prompt: 5, completion: undefined }, String(count));
  }
  assert.deepEqual(usageOf({ prompt_tokens: 0, output_tokens: 9 }), { prompt: 0, completion: 9 });
});

test("metrics: streams that are open are counted while they are, and made-up models do not grow it", async () => {
  await using upstream = await httpUpstream((request, response) => {
    request.resume().on("end", () => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(data(chunk({ role: "assistant", content: "Hi" })));
    });
  });
  await using proxy = proxyTo(upstream, { firstByteTimeoutMs: "5" });
  const begun = new AbortController();
  const response = await fetch(`http://127.0.0.1:${proxy.port}${CHAT}`, {
    method: "POST",
    body: body("m"),
    signal: begun.signal,
  });
  const reader = response.body!.getReader();
  await reader.read();
  assert.equal((await scrape(proxy.port))("callmend_streams_open"), 1);
  begun.abort();
  await reader.read().catch(() => {});
  for (let open = 1, tries = 0; open > 0; open = (await scrape(proxy.port))("callmend_streams_open")) {
    assert.ok(tries++ < 100, "it never closes");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await using models = await httpUpstream((request, response) => {
    request.resume().on(
      "end",
      () => response.writeHead(200, { "content-type": "application/json" }).end("{}"),
    );
  });
  await using many = proxyTo(models);
  for (let n = 0; n < 210; n++) {
    await ask(many.port, CHAT, { body: JSON.stringify({ model: `made-up-${n}`, messages: [] }) });
  }
  const of = await scrape(many.port);
  assert.equal(of("callmend_requests_total", 'model="other"'), 10);
});

test("metrics: open to this machine, to a key, and to all where the proxy is", async () => {
  await using upstream = await models();
  await using guarded = proxyTo(upstream, { clientKeys: "client-key-1" });
  assert.equal((await ask(guarded.port, "/metrics")).status, 200, "this machine");
  const outside = { "x-forwarded-for": "203.0.113.7" };
  assert.equal((await ask(guarded.port, "/metrics", { headers: outside })).status, 401);
  const headers = { ...outside, authorization: "Bearer client-key-1" };
  assert.equal((await ask(guarded.port, "/metrics", { headers })).status, 200);
  await using plain = proxyTo(upstream);
  assert.equal((await ask(plain.port, "/metrics", { headers: { host: "evil.example" } })).status, 403);
  await using open = proxyTo(upstream, { insecure: "1" });
  assert.equal((await ask(open.port, "/metrics", { headers: outside })).status, 200);
});

if ("Deno" in globalThis) {
  test("traces: Deno sends spans of requests, and one for each exchange, to a collector", async () => {
    const spans: { name: string; traceId: string; attributes: { key: string; value: unknown }[] }[] = [];
    await using collector = await httpUpstream((request, response) => {
      let text = "";
      request.on("data", (bytes) => text += bytes).on("end", () => {
        response.writeHead(200, { "content-type": "application/json" }).end("{}");
        if (!request.url!.includes("traces")) return;
        // deno-lint-ignore no-explicit-any -- OTLP's JSON
        for (const { scopeSpans } of JSON.parse(text).resourceSpans as any[]) {
          spans.push(...scopeSpans.flatMap((scope: { spans: typeof spans }) => scope.spans));
        }
      });
    });
    await using upstream = await models();
    await using running = program(["--port", "0", "--upstream", `http://127.0.0.1:${upstream.port}/v1`], {
      OTEL_DENO: "true",
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector.port}`,
      OTEL_BSP_SCHEDULE_DELAY: "100",
    });
    const port = await running.port();
    await new Promise((resolve) => setTimeout(resolve, 300)); // the library is loaded behind the start
    await ask(port, CHAT, { body: body("calls") });
    const exchange = () => spans.find(({ name }) => name === "chat calls");
    await until("the spans arrive", () => exchange() !== undefined && spans.length >= 3, 20_000);
    const attributes = Object.fromEntries(exchange()!.attributes.map(({ key, value }) => [key, value]));
    assert.deepEqual(attributes["gen_ai.request.model"], { stringValue: "calls" });
    assert.deepEqual(Object.values(attributes["callmend.calls"] as object).map(Number), [1]);
    assert.ok(attributes["callmend.dialects"] && attributes["gen_ai.usage.input_tokens"]);
    const same = spans.filter(({ traceId }) => traceId === exchange()!.traceId);
    assert.ok(same.length >= 3, "the request, what went upstream, and the exchange are one trace");
  });
} else console.log("traces: skipped under Bun, which sends none");
