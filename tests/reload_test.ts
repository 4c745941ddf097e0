/** The configuration file while the program runs: a good change is applied, a bad one refused, and SIGHUP reads at once. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import type http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import {
  ask,
  commandOf,
  configOf,
  httpUpstream,
  open,
  type Program,
  program,
  proxyWith,
  replyOf,
  responseTo,
  spawned,
  until,
} from "./_servers.ts";
import { test } from "./_test.ts";

/** An upstream that answers with a word of its own. */
const saying = (word: string) => httpUpstream((_, response) => void response.end(word));

/** A folder for a file, and the program in it. */
async function withFile(body: (file: string, start: (...flags: string[]) => Program) => Promise<void>) {
  const folder = mkdtempSync(join(tmpdir(), "callmend-reload-"));
  try {
    await body(
      join(folder, "callmend.jsonc"),
      (...flags) => program(["--port", "0", ...flags], { HOME: folder }, { cwd: folder, task: "callmend" }),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const to = ({ port }: { readonly port: number }, more: object = {}) =>
  JSON.stringify({ upstreams: [{ name: "u", baseUrl: `http://127.0.0.1:${port}/v1` }], ...more });

const said = async (port: number) => (await ask(port, "/v1/x")).body.toString();

/** How often the program has said something. */
const times = (running: Program, what: RegExp) => running.err().match(new RegExp(what, "g"))?.length ?? 0;

const APPLIED = /is applied to new requests/;
const REFUSED = /stays in force/;

test("a good change is applied, and a bad one refused with its errors", async () => {
  await using one = await saying("one");
  await using two = await saying("two");
  await withFile(async (file, start) => {
    writeFileSync(file, to(one));
    await using running = start();
    const port = await running.port();
    assert.equal(await said(port), "one");

    writeFileSync(file, to(two));
    await until("a change is applied", () => times(running, APPLIED) === 1);
    assert.equal(await said(port), "two");

    writeFileSync(file, '{ "upstreams": [],\n "mode": "sk-secret", "auth": { "keys": ["not good"] } }');
    await until("a bad one is refused", () => times(running, REFUSED) === 1);
    assert.match(running.err(), /callmend\.jsonc:1:16: upstreams: .*\n.*callmend\.jsonc:2:10: mode: /);
    assert.doesNotMatch(running.err(), /not good/);
    assert.equal(await said(port), "two");
    running.signal("SIGTERM");
    assert.equal(await running.code, 0);
  });
});

test("a file that is replaced is read, and one that goes away may come back", async () => {
  await using one = await saying("one");
  await using two = await saying("two");
  await withFile(async (file, start) => {
    writeFileSync(file, to(two));
    await using running = start();
    const port = await running.port();
    writeFileSync(`${file}.new`, to(one));
    renameSync(`${file}.new`, file);
    await until("one that is put in its place is applied", () => times(running, APPLIED) === 1);
    assert.equal(await said(port), "one");

    rmSync(file);
    await until("that it is gone is told", () => times(running, REFUSED) === 1);
    assert.equal(await said(port), "one");
    writeFileSync(file, to(two));
    await until("it is back", () => times(running, APPLIED) === 2);
    assert.equal(await said(port), "two");
  });
});

test("SIGHUP reads the file at once, also when it has not changed; what needs a restart is told", async () => {
  await using one = await saying("one");
  await using two = await saying("two");
  await withFile(async (file, start) => {
    writeFileSync(file, to(one));
    await using running = start("--host", "localhost");
    const port = await running.port();
    await said(port);
    const begun = Date.now();
    writeFileSync(file, to(two, { listen: { host: "127.0.0.1", port: 1 } }));
    running.signal("SIGHUP");
    await until("it is applied", () => times(running, APPLIED) === 1);
    assert.ok(Date.now() - begun < 900, "sooner than the file is looked at");
    assert.equal(await said(port), "two");
    running.signal("SIGHUP");
    await until("it is read again", () => times(running, APPLIED) === 2);
    assert.doesNotMatch(running.err(), /listen\./, "flags win over the file");
    writeFileSync(file, "{");
    running.signal("SIGHUP");
    await until("it is refused", () => times(running, REFUSED) === 1);
    assert.equal(await said(port), "two");
  });
});

test("the server ends with the terminal that it runs in, and answers that run end first", async () => {
  if (spawnSync("script", ["--version"]).status !== 0) return; // util-linux's, which makes a terminal
  const held: http.ServerResponse[] = [];
  await using upstream = await httpUpstream((_, response) => {
    response.write("begun ");
    held.push(response);
  });
  await withFile(async (file) => {
    writeFileSync(file, to(upstream));
    const command = commandOf(["--port", "0", "--config", file], "callmend");
    const line = `exec ${command.map((word) => `'${word}'`).join(" ")}`;
    const env = {
      PATH: process.env.PATH ?? "",
      HOME: process.env.HOME ?? "",
      NO_COLOR: "1",
      SHELL: "/bin/sh",
    };
    await using terminal = spawned("script", ["-qfc", line, "/dev/null"], { env });
    const port = await terminal.port();
    const running = open(port, "/v1/x", { method: "GET" });
    running.end();
    const response = await responseTo(running);
    process.kill(terminal.pid, "SIGKILL");
    const gone = () => ask(port, "/health").then(() => false, () => true);
    for (const start = Date.now(); !await gone();) assert.ok(Date.now() - start < 10_000, "it goes on");
    held[0]!.end("ended");
    assert.equal((await replyOf(response)).body.toString(), "begun ended");
  });
});

test("whoever has read where it listens may send a signal at once", () =>
  withFile(async (file, start) => {
    writeFileSync(file, "{}");
    for (const name of ["SIGHUP", "SIGTERM", "SIGHUP", "SIGTERM"] as const) {
      await using running = start();
      while (!running.out().includes("listening on")) await new Promise((resolve) => setImmediate(resolve));
      running.signal(name);
      if (name === "SIGHUP") {
        await until("the file is read", () => APPLIED.test(running.err()));
        running.signal("SIGTERM");
      }
      assert.equal(await running.code, 0, name);
    }
  }));

test("where it listens needs a restart; without keys it must not go on where others reach it", async () => {
  await withFile(async (file) => {
    const file1 = { listen: { host: "0.0.0.0", port: 0 }, auth: { keys: ["a-key"] } };
    await using one = await saying("one");
    writeFileSync(file, to(one, file1));
    await using running = program(["--config", file], { HOME: "/nonexistent" }, { task: "callmend" });
    const port = await running.port();
    assert.equal((await ask(port, "/v1/x")).status, 401);
    const keys = { authorization: "Bearer other-key" };
    writeFileSync(file, to(one, { listen: { host: "0.0.0.0", port: 5 }, auth: { keys: ["other-key"] } }));
    running.signal("SIGHUP");
    await until("it is applied", () => times(running, APPLIED) === 1);
    await until(
      "the port is told",
      () => /listen\.port 5 needs a restart; it is still 0/.test(running.err()),
    );
    assert.equal((await ask(port, "/v1/x", { headers: keys })).status, 200);
    writeFileSync(file, to(one, { listen: { host: "127.0.0.1", port: 0 } }));
    running.signal("SIGHUP");
    await until("it is refused", () => times(running, REFUSED) === 1);
    assert.match(running.err(), /Cannot listen on 0\.0\.0\.0/);
    assert.equal((await ask(port, "/v1/x")).status, 401);
    assert.doesNotMatch(running.err() + running.out(), /a-key|other-key/);
  });
});

test("an answer that runs ends as it began, and an upstream that has not changed keeps what it knows", async () => {
  const held: http.ServerResponse[] = [];
  let asked = 0;
  await using old = await httpUpstream((_, response) => {
    response.write("begun ");
    held.push(response);
  });
  await using refusing = await httpUpstream(async (request, response) => {
    let body = "";
    for await (const piece of request) body += piece;
    asked++;
    if (JSON.parse(body).tools) {
      return response.writeHead(400, { "content-type": "application/json" })
        .end('{"error":{"message":"tools are not supported"}}');
    }
    const message = { role: "assistant", content: "[[OPENCODE_FINAL]]ok[[/OPENCODE_FINAL]]" };
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ choices: [{ index: 0, message, finish_reason: "stop" }] }));
  });
  await using other = await saying("new");
  const url = ({ port }: { readonly port: number }) => `http://127.0.0.1:${port}/v1`;
  const file = (first: { readonly port: number }, aliases: object, mode = "fallback") => ({
    upstreams: [
      { name: "first", baseUrl: url(first) },
      { name: "kept", baseUrl: url(refusing), mode, aliases },
    ],
  });
  await using proxy = proxyWith(file(old, { a: "m" }));
  const running = open(proxy.port, "/v1/x", { method: "GET" });
  running.end();
  const response = await responseTo(running);
  const tools = [{ type: "function", function: { name: "f", parameters: { type: "object" } } }];
  const body = (model: string) =>
    JSON.stringify({ model, tools, messages: [{ role: "user", content: "x" }] });
  await ask(proxy.port, "/v1/chat/completions", { body: body("a") });
  assert.equal(asked, 2, "it fell back");

  proxy.apply(configOf(file(other, { b: "m" })));
  assert.equal((await ask(proxy.port, "/v1/x")).body.toString(), "new");
  held[0]!.end("ended");
  assert.equal((await replyOf(response)).body.toString(), "begun ended");
  await ask(proxy.port, "/v1/chat/completions", { body: body("b") });
  assert.equal(asked, 3, "it knows that the model has fallen back");

  proxy.apply(configOf(file(other, {}, "native")));
  const refused = await ask(proxy.port, "/v1/chat/completions", { body: body("kept/m") });
  assert.equal(refused.status, 400, "with other settings it is another one");
});

test("what clients drop is remembered across other settings, not across another key or address", async () => {
  const sent: string[] = [];
  const id = "call_0123456789abcdef0123";
  const call = { id, type: "function", function: { name: "f", arguments: "{}" } };
  const deepseek = () =>
    httpUpstream(async (request, response) => {
      let body = "";
      for await (const piece of request) body += piece;
      sent.push(body);
      const message = { role: "assistant", content: null, reasoning_content: "why", tool_calls: [call] };
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ choices: [{ index: 0, message, finish_reason: "tool_calls" }] }));
    });
  await using one = await deepseek();
  await using two = await deepseek();
  const file = ({ port }: { readonly port: number }, key: string, own: object = {}, more: object = {}) => ({
    upstreams: [{ name: "u", baseUrl: `http://127.0.0.1:${port}/v1`, key, ...own }],
    ...more,
  });
  const question = { role: "user", content: "x" };
  const history = [question, { role: "assistant", content: null, tool_calls: [call] }, {
    role: "tool",
    tool_call_id: id,
    content: "r",
  }];
  const tools = [{ type: "function", function: { name: "f", parameters: { type: "object" } } }];
  await using proxy = proxyWith(file(one, "key-1"));
  const chat = async (messages: readonly object[]) => {
    const body = JSON.stringify({ model: "deepseek-v4", messages, tools });
    await ask(proxy.port, "/v1/chat/completions", { body });
    return sent.at(-1)!.includes('"reasoning_content":"why"');
  };
  await chat([question]);
  assert.equal(await chat(history), true);
  for (
    const [next, known] of [
      [file(one, "key-1", { timeouts: { idle: 9 } }), true],
      [file(one, "key-1", {}, { limits: { keepAlive: 5 } }), true],
      [file(one, "key-2"), false],
      [file(two, "key-2"), false],
    ] as const
  ) {
    proxy.apply(configOf(next));
    assert.equal(await chat(history), known, JSON.stringify(next));
  }
});
