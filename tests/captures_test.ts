/** Captures: what is in them, what never is, how much is kept, and that they can be played again. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { demoModels, demoUpstream } from "../src/cli/demo_upstream.ts";
import type { Capture } from "../src/observe/capture.ts";
import { captureFiles } from "../src/observe/capture_files.ts";
import { readCaptures } from "../src/observe/read_captures.ts";
import { createCaptures } from "../src/observe/captures.ts";
import { differences } from "../src/observe/differences.ts";
import { bundleOf } from "../src/observe/fixture.ts";
import { recorded, replay, textOf } from "../src/observe/replay.ts";
import { type Fetch, repair } from "../src/repair.ts";
import { plainRepairConfig, type RepairConfig } from "../src/repair_config.ts";
import { ask, httpUpstream, program, proxyTo } from "./_servers.ts";
import { test } from "./_test.ts";
import { chat, chunk, cut, data, DONE, readTool, upstream } from "./_upstream.ts";

const CALL = '<tool_call>{"name": "READ", "arguments": {"path": "ä.txt"}}</tool_call>';

/** A pipeline whose exchanges are kept. */
function captured(
  next: Fetch,
  config: Partial<RepairConfig> = {},
  limits = { exchanges: 100, bytes: 2 ** 26 },
) {
  const captures = createCaptures(limits);
  const plain = plainRepairConfig({ upstreamHost: "upstream.test", ...config });
  const watch = captures.watch(
    { name: "test", address: "http://upstream.test/v1" },
    plain,
    () => ["sk-of-the-server"],
  );
  const fetch = repair(next, config, watch);
  const only = (): Capture => captures.get(captures.list()[0]!.id)!;
  return { captures, fetch, only };
}

/** What differs when it is played again. */
async function played(capture: Capture) {
  const said = capture.attempts.map(({ body }) => textOf(body)).join("\n");
  return differences(recorded(capture), await replay(capture), said);
}

async function inFolder(body: (folder: string) => void | Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "callmend-captures-"));
  try {
    await body(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test("a capture holds both requests, the upstream's own cuts, the client's answer, and where each thing struck", async () => {
  const raw = new TextEncoder().encode(
    data(chunk({ role: "assistant", content: "Hi " }), chunk({ content: CALL }), chunk({}, "stop")) + DONE,
  );
  const places = [5, 99, 180, 400]; // in the middle of events
  const { fetch, only, captures } = captured(upstream(cut(raw, ...places)).next);
  const body = {
    messages: [{ role: "developer", content: "Be brief." }],
    n: 12345678901234567890n.toString(),
  };
  const response = await fetch(chat(body));
  const client = await response.text();
  const capture = only();
  assert.equal(response.headers.get("x-callmend-id"), capture.id);
  const [attempt, ...others] = capture.attempts;
  assert.deepEqual(others, []);
  assert.equal(JSON.parse(capture.request.body).messages[0].role, "developer");
  assert.equal(JSON.parse(attempt!.request.body).messages[0].role, "system");
  assert.equal(textOf(attempt!.body), new TextDecoder().decode(raw));
  assert.deepEqual(attempt!.body.cuts.map(([, end]) => end), [...places, raw.length]);
  assert.ok(attempt!.body.cuts.every(([ms], n, all) => ms >= 0 && ms >= (all[n - 1]?.[0] ?? 0)));
  assert.equal(attempt!.ended, "whole");
  assert.equal(textOf(capture.answer!.body), client);
  assert.equal(capture.answer!.body.cuts.at(-1)![1], new TextEncoder().encode(client).length);
  const resolved = capture.marks.find((mark) => mark.kind === "problem" && mark.code === "name-resolved")!;
  assert.ok(resolved.received >= 180 && resolved.received <= 400, `${resolved.received} bytes had come`);
  assert.ok(capture.marks.some((mark) => mark.kind === "fix" && mark.id === "any/developer-role"));
  const { report } = capture;
  assert.deepEqual([report!.calls, report!.callsByDialect, report!.finish], [1, { hermes: 1 }, "tool_calls"]);
  assert.deepEqual(report!.bytes, {
    asked: capture.request.body.length,
    received: raw.length,
    sent: new TextEncoder().encode(client).length,
  });
  const { firstByteMs, totalMs, addedMs } = report!.times;
  assert.ok(addedMs > 0 && firstByteMs! > 0 && totalMs >= firstByteMs! && totalMs >= addedMs);
  const [summary] = captures.list();
  assert.deepEqual([summary!.running, summary!.problems["name-resolved"], summary!.fixes], [
    false,
    1,
    ["any/developer-role"],
  ]);
  assert.deepEqual(await played(capture), []);
});

test("the client's answer is what it got, wherever reads end: what came is kept once, what was held is not taken for it", async () => {
  const prose = chunk({ content: "a word, " });
  const text =
    data(chunk({ role: "assistant", content: "" }), ...Array(80).fill(prose), chunk({ content: "i <" })) +
    ": a comment\n\n" + data(chunk({ content: " b" }), chunk({ content: "ä" }), chunk({}, "stop")) + DONE;
  const bytes = new TextEncoder().encode(text);
  for (let at = 1; at < bytes.length; at += 7) {
    const { fetch, only } = captured(upstream(cut(bytes, at)).next);
    const got = await (await fetch(chat())).text();
    const { attempts, answer } = only();
    assert.equal(textOf(answer!.body), got, `cut at ${at}`);
    assert.equal(textOf(attempts[0]!.body), text, `cut at ${at}`);
  }
  const plain = new TextEncoder().encode(
    data(chunk({ role: "assistant", content: "" }), ...Array(80).fill(prose), chunk({}, "stop")) + DONE,
  );
  const { captures, fetch } = captured(upstream([plain.slice(0, 5000), plain.slice(5000)]).next);
  await (await fetch(chat())).text();
  const once = 2048 + plain.length; // what each exchange is taken for, and this
  assert.ok(captures.size > once && captures.size < once + 1000, `${captures.size} for ${once}`);
});

test("a body that is no JSON is in both requests as it was, and so is the answer", async () => {
  const { fetch, only } = captured(upstream(["{}"], { type: "application/json", status: 400 }).next);
  await (await fetch(new Request("http://x/v1/chat/completions", { method: "POST", body: "{not json" })))
    .text();
  const { request, attempts: [attempt], answer } = only();
  assert.deepEqual([request.body, attempt!.request.body, textOf(answer!.body)], [
    "{not json",
    "{not json",
    "{}",
  ]);
});

test("no key and no cookie is in a capture, wherever it comes back", async () => {
  const [key, cookie] = ["sk-client-0123456789", "cookie-value-987654"];
  const echo = data(
    chunk({ role: "assistant", content: `${key} ${cookie} sk-of-the-server` }),
    chunk({}, "stop"),
  );
  const bytes = [...new TextEncoder().encode(echo + DONE)].map((byte) => Uint8Array.of(byte));
  const { fetch, only } = captured(
    upstream(bytes, {
      headers: { "x-asked-by": `<${key}>`, "set-cookie": `s=${cookie}`, "x-own": "sk-of-the-server" },
    })
      .next,
  );
  const request = chat({ messages: [{ role: "user", content: `my key: ${key}` }] }, {
    headers: { authorization: `Bearer ${key}`, cookie: `s=${cookie}` },
  });
  await (await fetch(request)).text();
  const capture = only();
  const text = JSON.stringify(capture);
  for (const secret of [key, cookie, "sk-of-the-server"]) assert.ok(!text.includes(secret), secret);
  assert.equal(capture.attempts[0]!.body.cuts.at(-1)![1], textOf(capture.attempts[0]!.body).length);
  assert.match(capture.request.headers.authorization!, /^\(\d+ characters\)$/);
});

test("only so many are kept, and only so much: the oldest go, running ones stay, one too large is cut", async () => {
  const answer = data(chunk({ role: "assistant", content: "x".repeat(1000) }), chunk({}, "stop")) + DONE;
  const few = captured(upstream([answer]).next, {}, { exchanges: 3, bytes: 2 ** 20 });
  for (let n = 0; n < 5; n++) await (await few.fetch(chat({ model: `m${n}` }))).text();
  assert.deepEqual(few.captures.list().map(({ model }) => model), ["m4", "m3", "m2"]);

  const small = captured(upstream([answer]).next, {}, { exchanges: 100, bytes: 20_000 });
  for (let n = 0; n < 20; n++) await (await small.fetch(chat({ model: `m${n}` }))).text();
  const kept = small.captures.list();
  assert.ok(kept.length >= 2 && kept.length < 10 && kept[0]!.model === "m19", `${kept.length} kept`);
  assert.ok(small.captures.size <= 20_000 + 10_000);

  const large = data(
    ...Array.from({ length: 300 }, () => chunk({ content: "y".repeat(1000) })),
    chunk({}, "stop"),
  );
  const pieces = large.match(/[^]{1,1500}/g)!;
  const cutOff = captured(upstream(pieces).next, {}, { exchanges: 10, bytes: 150_000 });
  const text = await (await cutOff.fetch(chat())).text();
  assert.ok(text.length > 300_000, "the client gets all of it");
  const { truncated } = cutOff.only();
  assert.ok(truncated && cutOff.captures.size < 400_000, `${cutOff.captures.size} bytes are kept`);
  assert.throws(() => bundleOf(cutOff.only()), /--capture-memory/);

  const none = captured(upstream([answer]).next, {}, { exchanges: 0, bytes: 2 ** 20 });
  await (await none.fetch(chat())).text();
  assert.deepEqual(none.captures.list(), []);
});

test("whoever follows is told of new exchanges, of their end, and of those that go", async () => {
  const answer = data(chunk({ role: "assistant", content: "Hi" }), chunk({}, "stop")) + DONE;
  const { captures, fetch } = captured(upstream([answer]).next, {}, { exchanges: 1, bytes: 2 ** 20 });
  const told: string[] = [];
  const stop = captures.follow((change) =>
    told.push(change.kind === "gone" ? "gone" : change.summary.running ? "running" : "over")
  );
  await (await fetch(chat())).text();
  await (await fetch(chat())).text();
  assert.deepEqual(told.filter((each, n) => each !== told[n - 1]), [
    "running",
    "over",
    "gone",
    "running",
    "over",
  ]);
  stop();
  const count = told.length;
  await (await fetch(chat())).text();
  assert.equal(told.length, count);
});

for (const stream of [true, false]) {
  test(`every demo model, captured and played again, ${stream ? "streamed" : "as JSON"}: nothing differs`, async () => {
    for (const mode of ["native", "bridge", "fallback"] as const) {
      const { fetch, only } = captured((request) => demoUpstream(request, 0), { mode });
      for (const { id: name } of demoModels) {
        await (await fetch(chat({ model: name, stream, messages: [{ role: "user", content: "read" }] })))
          .text();
        assert.deepEqual(await played(only()), [], `${name} in mode ${mode}`);
      }
    }
  });
}

test("an answer that breaks off, an error, an empty turn that is asked again: played again, nothing differs", async () => {
  const hello = data(chunk({ role: "assistant", content: "Hello" }));
  const broken = captured(upstream([hello, 2100, new Error("reset")]).next);
  await (await broken.fetch(chat())).text();
  assert.match(broken.only().attempts[0]!.ended!, /^broken: .*reset/);
  assert.deepEqual(await played(broken.only()), []);

  const silent = captured(() =>
    Promise.reject(Object.assign(new Error("no byte"), { name: "UpstreamTimeout" }))
  );
  assert.equal((await silent.fetch(chat())).status, 504);
  assert.deepEqual(await played(silent.only()), []);

  const refused = captured(
    upstream(['{"error":{"message":"no"}}'], { type: "application/json", status: 400 }).next,
  );
  assert.equal((await refused.fetch(chat())).status, 400);
  assert.deepEqual(await played(refused.only()), []);

  let asked = 0;
  const empty = data(chunk({ role: "assistant", content: "" }), chunk({}, "stop")) + DONE;
  const good = data(
    chunk({ role: "assistant", content: `[[OPENCODE_FINAL]]Hi[[/OPENCODE_FINAL]]` }),
    chunk({}, "stop"),
  );
  const twice = captured((request) => upstream([asked++ === 0 ? empty : good]).next(request), {
    mode: "bridge",
  });
  await (await twice.fetch(chat({ messages: [{ role: "user", content: "hi" }] }))).text();
  const capture = twice.only();
  assert.equal(capture.attempts.length, 2);
  assert.deepEqual(await played(capture), []);
  const bundle = bundleOf(capture);
  assert.ok("upstream-2.sse" in bundle && "upstream-2-request.json" in bundle);

  const left = captured(upstream([hello], { open: true }).next);
  const reader = (await left.fetch(chat())).body!.getReader();
  await reader.read();
  await reader.cancel();
  assert.equal(left.only().report!.outcome, "cancelled");
  assert.equal(left.only().attempts[0]!.ended, "cancelled");
});

test("what has changed since shows, by the place where it is", async () => {
  const answer = data(chunk({ role: "assistant", content: CALL }), chunk({}, "stop")) + DONE;
  const { fetch, only } = captured(upstream([answer]).next);
  await (await fetch(chat())).text();
  const capture = only();
  const other = textOf(capture.answer!.body).replace('\\"ä.txt\\"', '\\"b.txt\\"').replace(
    '"tool_calls"}',
    '"stop"}',
  );
  const changed: Capture = {
    ...capture,
    answer: { ...capture.answer!, body: { text: other, cuts: [] } },
    attempts: [{ ...capture.attempts[0]!, request: { ...capture.attempts[0]!.request, body: "{}" } }],
    report: { ...capture.report!, fixes: ["gone/fix"] },
  };
  const paths = (await played(changed)).map(({ path }) => path);
  for (
    const path of [
      "asked[0].model",
      "answer.choices[0].message.tool_calls[0].function.arguments",
      "answer.choices[0].finish_reason",
      "fixes[0]",
    ]
  ) assert.ok(paths.includes(path), `${path} among ${paths}`);
});

test("--capture-dir: files that only their owner reads, and that read back as they were", () =>
  inFolder(async (folder) => {
    const { fetch, only } = captured((request) => demoUpstream(request, 0));
    await (await fetch(chat({ model: demoModels[0]!.id }))).text();
    const told: string[] = [];
    const files = captureFiles(join(folder, "inside"), (line) => void told.push(line));
    files.write(only());
    await files.settled();
    const [name] = readdirSync(join(folder, "inside"));
    assert.match(name!, /^\d{17}-\w+\.json$/);
    if (process.platform !== "win32") {
      assert.equal(statSync(join(folder, "inside", name!)).mode & 0o777, 0o600);
    }
    assert.deepEqual(readCaptures(folder + "/inside").map(({ capture }) => capture), [
      JSON.parse(JSON.stringify(only())),
    ]);
    writeFileSync(join(folder, "a file"), "");
    const failing = captureFiles(join(folder, "a file", "x"), (line) => void told.push(line));
    failing.write(only());
    await failing.settled();
    assert.match(told.join("\n"), /^Cannot write captures in .*a file/);
  }));

test("callmend replay: the same, different, and what is no capture", () =>
  inFolder(async (folder) => {
    const { fetch, only } = captured((request) => demoUpstream(request, 0));
    await (await fetch(chat({ model: "demo-qwen3-coder", messages: [{ role: "user", content: "x" }] })))
      .text();
    const capture = only();
    writeFileSync(join(folder, "same.json"), JSON.stringify(capture));
    const run = async (...given: string[]) => {
      await using running = program(["replay", ...given], {}, { task: "callmend", cwd: folder });
      return { code: await running.code, out: running.out(), err: running.err() };
    };
    const same = await run("same.json", "--print");
    assert.equal(same.code, 0, same.err);
    assert.match(same.out, /^same\.json: the same\ndata: [^]*\[DONE\]\n1 replayed, 0 differ\n$/);
    const [attempt] = capture.attempts;
    const answer = {
      ...attempt!,
      body: { text: textOf(attempt!.body).replaceAll("chatcmpl-demo", "chatcmpl-other"), cuts: [] },
    };
    writeFileSync(join(folder, "other.json"), JSON.stringify({ ...capture, attempts: [answer] }));
    const both = await run(".");
    assert.equal(both.code, 1);
    assert.match(
      both.out,
      /other\.json: \d+ differences\n {2}answer\.id[^]*same\.json: the same\n2 replayed, 1 differ/,
    );
    const told = (await run("other.json", "--json")).out.trim();
    assert.ok(JSON.parse(told).differences.length > 0);
    writeFileSync(join(folder, "bad.json"), '{"format": 2}');
    const bad = await run("bad.json");
    assert.equal(bad.code, 2);
    assert.match(bad.err, /Cannot read bad\.json as a capture: format: .*newer/);
    assert.match((await run("missing.json")).err, /missing\.json/);
  }));

test("callmend capture: the list and a bundle of a running server, and what it says when there is none", () =>
  inFolder(async (folder) => {
    await using models = await httpUpstream(async (request, response) => {
      let body = "";
      for await (const piece of request) body += piece;
      const url = `http://demo${request.url}`;
      const answer = await demoUpstream(new Request(url, { method: request.method!, body }), 0);
      response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text());
    });
    await using proxy = proxyTo(models, { clientKeys: "a-client-key" });
    const headers = { authorization: "Bearer a-client-key" };
    const body = JSON.stringify({ model: "demo-glm", stream: true, tools: [readTool], messages: [] });
    const reply = await ask(proxy.port, "/v1/chat/completions", { headers, body });
    const id = reply.headers.find((header) => header.startsWith("x-callmend-id: "))!.slice(15);
    const from = `http://127.0.0.1:${proxy.port}`;
    let environment: Record<string, string> = {};
    const run = async (...given: string[]) => {
      await using running = program(["capture", ...given], environment, { task: "callmend", cwd: folder });
      return { code: await running.code, out: running.out(), err: running.err() };
    };
    const listed = await run("list", "--from", from);
    assert.match(listed.out, new RegExp(`^${id}  \\S+Z  demo-glm  done  1 calls`), listed.err);
    assert.equal(
      JSON.parse((await run("list", "--from", from, "--json", "--key", "a-client-key")).out)[0].id,
      id,
    );
    environment = { PROXY_PORT: String(proxy.port) };
    assert.match((await run("list")).out, new RegExp(`^${id}  `), "where its own settings say");
    assert.equal((await run("export", id, "--to", "by-settings")).code, 0);
    environment = { PROXY_PORT: "many" };
    assert.match((await run("list")).err, /^Cannot use PROXY_PORT "many": allowed: a whole number/m);
    environment = {};
    const exported = await run("export", id, "--from", from, "--to", "report");
    assert.equal(exported.code, 0, exported.err);
    assert.ok(readdirSync(join(folder, "report")).includes("upstream.sse"));
    assert.doesNotMatch(readFileSync(join(folder, "report", "capture.json"), "utf8"), /a-client-key/);
    assert.match((await run("export", id, "--from", from, "--to", "report")).err, /it is there already/);
    assert.match((await run("export", "unknown", "--from", from)).err, /status 404/);
    const file = join(folder, "report", "capture.json");
    const cut = { ...JSON.parse(readFileSync(file, "utf8")), id: "cut", truncated: true };
    writeFileSync(join(folder, "cut.json"), JSON.stringify(cut));
    for (
      const [given, said] of [
        [["cut.json"], /^Cannot export cut: it was too large to be kept whole; raise --capture-memory$/m],
        [["captures/none.json"], /^Cannot read captures\/none\.json: there is no such file or folder\.$/m],
        [[file, "--to", "cut.json/x"], /^Cannot write \S+cut\.json\/x: E[A-Z]+: /m],
      ] as const
    ) {
      const { code, err } = await run("export", ...given);
      assert.equal(code, 1);
      assert.match(err, said);
    }
    for (const body of ["<html>", "null", "{}"]) {
      await using other = await httpUpstream((_, response) => void response.end(body));
      const there = `http://127.0.0.1:${other.port}`;
      const { code, err } = await run("list", "--from", there);
      assert.deepEqual(
        [code, err.startsWith(`Cannot use what answers at ${there}: it is not`)],
        [1, true],
        err,
      );
      assert.match((await run("export", id, "--from", there)).err, /^Cannot (use what answers|read http)/m);
    }
    assert.match((await run("list", "--from", "http://127.0.0.1:9")).err, /Cannot reach a running Callmend/);
    const nowhere = await run("list", "--from", "localhost:9000");
    assert.equal(nowhere.code, 2);
    assert.match(nowhere.err, /^Cannot use --from "localhost:9000": allowed: an http:\/\/ or https:\/\/ /m);
    const secure = await run("list", "--from", "https://127.0.0.1:9");
    assert.match(secure.err, /^Cannot reach a running Callmend at https:\/\/127\.0\.0\.1:9: .*REFUSED/m);
  }));

test("a bundle is a fixture: the test of fixtures passes with it", () =>
  inFolder((folder) =>
    (async () => {
      const kinds: [Partial<RepairConfig>, object][] = [
        [{}, { model: "demo-qwen3-coder" }],
        [{ arguments: "whole" }, { model: "demo-glm", stream: false }],
        [{ mode: "bridge", bridgeProtocol: "xml" }, { model: "demo-taught" }],
      ];
      for (const [config, body] of kinds) {
        const { fetch, only } = captured((request) => demoUpstream(request, 0), config);
        await (await fetch(chat({ messages: [{ role: "user", content: "x" }], tools: [readTool], ...body })))
          .text();
        const capture = only();
        mkdirSync(join(folder, capture.id));
        for (const [name, content] of Object.entries(bundleOf(capture))) {
          writeFileSync(join(folder, capture.id, name), content);
        }
        assert.match(readFileSync(join(folder, capture.id, "README.md"), "utf8"), /# Exchange /);
      }
      const given = "Bun" in globalThis ? ["test"] : ["test", "-A", "--no-check"];
      const root = fileURLToPath(new URL("../", import.meta.url));
      const env = { ...process.env, EXCHANGES: folder, UPDATE: "0" };
      const ran = spawnSync(process.execPath, [...given, "./tests/exchanges_test.ts"], {
        cwd: root,
        env,
        encoding: "utf8",
      });
      assert.equal(ran.status, 0, ran.stdout + ran.stderr);
      assert.match(ran.stdout + ran.stderr, /3 pass/);
    })()
  ));
