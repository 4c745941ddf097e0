/** The debug logs: what is in them, what never is, and that they harm nobody. */
import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { demoUpstream } from "../src/cli/demo_upstream.ts";
import type { Texts } from "../src/config.ts";
import { createDebugLog } from "../src/observe/debug_log.ts";
import { debugByVariable, debugPlaces, debugSwitch, FLAG } from "../src/observe/debug_settings.ts";
import { Secrets } from "../src/observe/secrets.ts";
import { type Fetch, repair } from "../src/repair.ts";
import { ask, httpUpstream, program, until } from "./_servers.ts";
import { test } from "./_test.ts";
import { upstream } from "./_upstream.ts";

const KEY = "sk-very-secret-0123456789";
const COOKIE = "session-cookie-987654";

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "callmend-debug-"));
  try {
    await body(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Where a test writes. */
const places = (folder: string): Texts => ({
  CALLMEND_DEBUG: "1",
  NANOPROXY_LOG: join(folder, "events.log"),
  NANOPROXY_LOG_DIR: join(folder, "logs"),
});

/** The pipeline with the logs around it. */
function logged(next: Fetch, environment: Texts) {
  const told: string[] = [];
  const tell = (line: string) => void told.push(line);
  const debug = createDebugLog({ door: "server", environment, flagFolders: [], tell });
  return { debug, told, fetch: repair(next, {}, debug.watch()) };
}

const tools = [{
  type: "function",
  function: { name: "read", parameters: { type: "object", properties: { path: { type: "string" } } } },
}];

function request(body: object = {}, headers: { [name: string]: string } = {}): Request {
  return new Request(`https://models.example/api/v1/chat/completions?api_key=${KEY}&page=2`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${KEY}`,
      cookie: `sid=${COOKIE}; theme=dark`,
      "x-mine": "1",
      ...headers,
    },
    body: JSON.stringify({ model: "m", stream: true, tools, messages: [], ...body }),
  });
}

const CALL = '<tool_call>{"name": "read", "arguments": {"path": "a.txt"}}</tool_call>';
const chunk = (delta: object, finish_reason: string | null = null) =>
  `data: ${JSON.stringify({ id: "c", choices: [{ index: 0, delta, finish_reason }] })}\n\n`;

/** All that was written, by the end of its name. */
function written(folder: string) {
  const names = existsSync(join(folder, "logs")) ? readdirSync(join(folder, "logs")) : [];
  const read = (end: string) => {
    const name = names.find((each) => each.endsWith(end));
    assert.ok(name, `${end} among ${names}`);
    return readFileSync(join(folder, "logs", name), "utf8");
  };
  return { names, read, log: () => readFileSync(join(folder, "events.log"), "utf8") };
}

test("each exchange: the request, the raw stream with times and cuts, and the answer as a message", () =>
  inFolder(async (folder) => {
    const raw = [
      chunk({ content: CALL.slice(0, 20) }),
      chunk({ content: CALL.slice(20) }),
      chunk({}, "stop"),
    ];
    const acts = [raw[0]!, raw[1]!.slice(0, 9), raw[1]!.slice(9) + raw[2]!];
    const { debug, fetch, told } = logged(upstream(acts).next, places(folder));
    const text = await (await fetch(request())).text();
    const plain = await (await repair(upstream(acts).next)(request())).text();
    // What is made up differs: ids, and the second.
    const unnamed = (answer: string) =>
      answer.replace(/call_\w+/g, "call_id").replace(/"created":\d+/g, '"created":1');
    assert.equal(unnamed(text), unnamed(plain), "the answer is the same with logs");
    await debug.settled();
    const { names, read, log } = written(folder);
    assert.equal(names.length, 3);
    const asked = JSON.parse(read("-request.json"));
    assert.deepEqual([asked.body.model, asked.body.tools, asked.headers["x-mine"]], ["m", tools, "1"]);
    const stream = read("-stream.sse");
    const [bytes, trailer] = stream.split("\n\n: callmend: ");
    assert.equal(`${bytes}`, acts.join(""));
    const { cuts, ended } = JSON.parse(/\{.*\}/.exec(trailer!)![0]);
    const ends = acts.map((_, n) => acts.slice(0, n + 1).join("").length);
    assert.deepEqual(cuts.map(([, end]: [number, number]) => end), ends);
    assert.equal(ended, "whole");
    const answer = JSON.parse(read("-response.json"));
    const [choice] = answer.body.choices;
    assert.deepEqual([answer.status, answer.ended, choice.finish_reason], [200, "done", "tool_calls"]);
    assert.equal(choice.message.tool_calls[0].function.arguments, '{"path":"a.txt"}');
    const lines = log().trimEnd().split("\n");
    assert.match(lines[0]!, /^\d{4}-\S+Z \d{17}-\w+ asked: model "m", stream true, 1 tools$/);
    assert.match(log(), /upstream: 200 text\/event-stream/);
    assert.match(log(), /mended: model "m", status 200, done, finish tool_calls, 1 calls, dialects hermes/);
    assert.match(log(), /answered: 200, \d+ bytes in \d+ ms, done$/m);
    assert.deepEqual(told, []);
  }));

test("a secret that no header names is in none of them either, and none in a header that repeats it", () =>
  inFolder(async (folder) => {
    const own = "sk-of-the-server-1234";
    const headers = { "x-said": `${own} ${KEY}` };
    const { next } = upstream([chunk({ content: `${own} is bad` }), chunk({}, "stop")], { headers });
    const { debug } = logged(next, places(folder));
    const asked = request({}, { authorization: `Bearer ${KEY}` });
    await (await repair(next, {}, debug.watch(() => [own]))(asked)).text();
    await debug.settled();
    const { names, read, log } = written(folder);
    const all = [log(), ...names.map(read)].join("\n");
    assert.match(all, /\*{21} is bad/);
    for (const secret of [own, KEY]) assert.ok(!all.includes(secret), secret);
  }));

test("keys and cookies are in none of them, however they come back", () =>
  inFolder(async (folder) => {
    const echo = chunk({ content: `Your key ${KEY} and ${COOKIE}` });
    const cuts = [...echo].map((_, at) => echo.slice(at, at + 1)); // cut within the key
    const answers = [
      upstream([...cuts, chunk({}, "stop")], { headers: { "set-cookie": `fresh=${COOKIE}-fresh; Path=/` } }),
      upstream([JSON.stringify({ error: { message: `Bad key: ${KEY}` } })], {
        type: "application/json",
        status: 401,
      }),
      upstream([`data: {"error": {"message": "no ${KEY}"}}\n\n`]),
    ];
    for (const { next } of answers) {
      const { debug, fetch } = logged(next, places(folder));
      const text = await (await fetch(request({ user: KEY }, { "x-api-key": `${KEY}-other` }))).text();
      assert.ok(text.includes(KEY) || text.length > 0);
      await debug.settled();
    }
    const failing = logged(() => Promise.reject(new Error(`refused ${KEY}`)), places(folder));
    await (await failing.fetch(request())).text();
    await failing.debug.settled();
    const { names, log } = written(folder);
    assert.ok(names.length >= 11, String(names));
    for (const text of [log(), ...names.map((name) => readFileSync(join(folder, "logs", name), "utf8"))]) {
      for (const secret of [KEY, COOKIE, KEY.slice(3)]) assert.ok(!text.includes(secret), text);
    }
    const sse = names.filter((name) => name.endsWith(".sse"))
      .map((name) => readFileSync(join(folder, "logs", name), "utf8")).find((text) =>
        text.includes("Your key")
      );
    assert.match(sse ?? "", /Your key \*{20,} and \*{10,}"/);
  }));

test("a secret that is cut anywhere in a stream is masked, and nothing else is", () => {
  const secrets = new Secrets();
  secrets.headers(new Headers({ authorization: `Bearer ${KEY}`, "max-tokens": "100000000" }));
  const text = `é${KEY}${KEY.slice(0, 9)} 100000000 😀${KEY}`;
  const bytes = new TextEncoder().encode(text);
  for (let cut = 0; cut <= bytes.length; cut++) {
    const mask = secrets.stream();
    const out = [mask.push(bytes.slice(0, cut)), mask.push(bytes.slice(cut)), mask.end()];
    const joined = new TextDecoder().decode(new Uint8Array(out.flatMap((piece) => [...piece])));
    assert.equal(joined, text.replaceAll(KEY, "*".repeat(KEY.length)));
  }
});

test("files are private", () =>
  inFolder(async (folder) => {
    if (process.platform === "win32") return;
    writeFileSync(join(folder, "events.log"), "");
    chmodSync(join(folder, "events.log"), 0o644);
    const { debug, fetch } = logged((asked) => demoUpstream(asked, 0), places(folder));
    await (await fetch(request({ model: "demo-hermes" }))).text();
    await debug.settled();
    assert.equal(statSync(join(folder, "logs")).mode & 0o777, 0o700);
    const { names } = written(folder);
    for (const path of [join(folder, "events.log"), ...names.map((name) => join(folder, "logs", name))]) {
      assert.equal(statSync(path).mode & 0o777, 0o600, path);
    }
  }));

test("a folder that cannot be written in, and a full disk, break no request and are told once", () =>
  inFolder(async (folder) => {
    writeFileSync(join(folder, "file"), "");
    const impossible = {
      CALLMEND_DEBUG: "1",
      NANOPROXY_LOG: join(folder, "file/log"),
      NANOPROXY_LOG_DIR: join(folder, "file"),
    };
    const full = { CALLMEND_DEBUG: "1", NANOPROXY_LOG: "/dev/full", NANOPROXY_LOG_DIR: join(folder, "file") };
    for (const environment of existsSync("/dev/full") ? [impossible, full] : [impossible]) {
      const { debug, fetch, told } = logged(
        upstream([chunk({ content: CALL }), chunk({}, "stop")]).next,
        environment,
      );
      const text = await (await fetch(request())).text();
      assert.match(text, /"finish_reason":"tool_calls"/);
      await debug.settled();
      assert.ok(told.length >= 1 && told.length <= 2, told.join("\n"));
      for (const line of told) assert.match(line, /^Cannot write debug logs in /);
    }
  }));

test("an upstream that breaks off, and a client that goes away, are told in the files", () =>
  inFolder(async (folder) => {
    const begun = [chunk({ role: "assistant", content: "a" }), chunk({ content: "b" })];
    const broken = logged(upstream([...begun, 2100, new Error("reset")]).next, places(folder));
    await (await broken.fetch(request())).text();
    await broken.debug.settled();
    assert.match(written(folder).read("-stream.sse"), /"ended":"broken: Error: reset"/);
    rmSync(join(folder, "logs"), { recursive: true });
    const source = upstream(begun, { open: true });
    const left = logged(source.next, places(folder));
    const reader = (await left.fetch(request())).body!.getReader();
    await reader.read();
    await reader.cancel();
    await until("the upstream is cancelled", () => source.cancelled);
    await left.debug.settled();
    assert.match(written(folder).read("-response.json"), /"ended": "cancelled"/);
  }));

test("variables: which ones switch what, where logs go, and off goes before on", () => {
  assert.equal(debugByVariable("server", { NANO_PROXY_DEBUG: "1" }), true);
  assert.equal(debugByVariable("plugin", { NANO_PROXY_DEBUG: "1" }), undefined);
  assert.equal(debugByVariable("plugin", { NANOPROXY_DEBUG: "true" }), true);
  assert.equal(debugByVariable("server", { NANOPROXY_DEBUG: "1" }), undefined);
  for (const door of ["server", "plugin"] as const) {
    assert.equal(debugByVariable(door, { CALLMEND_DEBUG: "1" }), true);
    assert.equal(
      debugByVariable(door, { CALLMEND_DEBUG: "0", NANO_PROXY_DEBUG: "1", NANOPROXY_DEBUG: "1" }),
      false,
    );
    assert.equal(debugByVariable(door, { CALLMEND_DEBUG: "" }), undefined);
    const given = { NANOPROXY_LOG: "/a/b", NANOPROXY_LOG_DIR: "/c" };
    assert.deepEqual(debugPlaces(door, given), { log: "/a/b", folder: "/c" });
  }
  assert.deepEqual(debugPlaces("server", {}), { log: join("Logs", "callmend.log"), folder: "Logs" });
  assert.deepEqual(debugPlaces("plugin", {}), {
    log: join(tmpdir(), "nanoproxy-plugin.log"),
    folder: join(tmpdir(), "nanoproxy-plugin-logs"),
  });
});

test("the flag file switches logs on, unless a variable says no", () =>
  inFolder((folder) => {
    writeFileSync(join(folder, FLAG), "");
    assert.equal(debugSwitch("server", {}, ["/nowhere", folder])(), true);
    assert.equal(debugSwitch("plugin", {}, [folder])(), true);
    assert.equal(debugSwitch("plugin", {}, ["/nowhere"])(), false);
    assert.equal(debugSwitch("plugin", { CALLMEND_DEBUG: "0" }, [folder])(), false);
    return Promise.resolve();
  }));

test("callmend debug on, status, off; the server follows without a restart, with no more permissions than its task", () =>
  inFolder(async (folder) => {
    const run = async (what: string) => {
      const environment = { HOME: folder, XDG_CONFIG_HOME: join(folder, "config") };
      await using running = program(["debug", what], environment, { task: "callmend", cwd: folder });
      assert.equal(await running.code, 0, running.err());
      return running.out();
    };
    await using models = await httpUpstream((_, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.end(chunk({ content: CALL }) + chunk({}, "stop"));
    });
    const flags = ["--port", "0", "--upstream", `http://127.0.0.1:${models.port}/v1`];
    await using server = program(flags, {}, { cwd: folder });
    const port = await server.port();
    const post = async () => {
      const body = JSON.stringify({ model: "m", stream: true, tools, messages: [] });
      await ask(port, "/v1/chat/completions", { body, headers: { authorization: `Bearer ${KEY}` } });
    };
    await post();
    assert.equal(existsSync(join(folder, "Logs")), false);
    assert.match(await run("status"), /^server: debug logs are off$/m);
    assert.match(await run("on"), /^plugin: debug logs are on \(.*\.debug-logging/m);
    for (const place of [folder, join(folder, "config/callmend")]) assert.ok(existsSync(join(place, FLAG)));
    await new Promise((resolve) => setTimeout(resolve, 1100)); // the flag is looked for once a second
    await post();
    await until(
      "the answer is written",
      () => existsSync(join(folder, "Logs")) && readdirSync(join(folder, "Logs")).length === 4,
    );
    assert.equal(server.err().includes("Cannot write"), false, server.err());
    assert.match(await run("off"), /^server: debug logs are off$/m);
    assert.equal(existsSync(join(folder, FLAG)), false);
  }));

test("callmend debug off finds what was switched on in another folder", () =>
  inFolder(async (folder) => {
    const environment = { HOME: folder, XDG_CONFIG_HOME: join(folder, "config") };
    const run = async (what: string, cwd: string) => {
      await using running = program(["debug", what], environment, { task: "callmend", cwd });
      assert.equal(await running.code, 0, running.err());
    };
    const [one, other, third] = ["one", "other", "third"].map((name) => join(folder, name));
    for (const each of [one!, other!, third!]) mkdirSync(each);
    await run("on", one!);
    await run("on", other!);
    await run("off", third!);
    for (const each of [one!, other!, join(folder, "config/callmend")]) {
      assert.equal(existsSync(join(each, FLAG)), false, each);
    }
  }));

test("callmend debug: a folder that cannot be written in does not keep the user's own from being switched", () =>
  inFolder(async (folder) => {
    const [cwd, home] = [join(folder, "work"), join(folder, "home")];
    mkdirSync(join(cwd, FLAG, "in the way"), { recursive: true });
    const own = join(home, ".config", "callmend", FLAG);
    const run = async (what: string) => {
      await using running = program(["debug", what], { HOME: home }, { task: "callmend", cwd });
      return { code: await running.code, err: running.err() };
    };
    const on = await run("on");
    assert.deepEqual([on.code, existsSync(own)], [0, true], on.err);
    assert.match(on.err, /^Cannot write \S+work\/\.debug-logging: /m);
    const off = await run("off");
    assert.deepEqual([off.code, existsSync(own)], [1, false], off.err);
    assert.match(off.err, /^Cannot remove \S+work\/\.debug-logging: /m);
  }));
