/** The program as its users run it: a process of its own, with no more permissions than the tasks give. */
import assert from "node:assert/strict";
import type http from "node:http";
import process from "node:process";
import manifest from "../deno.json" with { type: "json" };
import { demoModels } from "../src/cli/demo_upstream.ts";
import { fixes } from "../src/fixes/mod.ts";
import { settingRows } from "../src/settings/settings.ts";
import { ask, httpUpstream, open, program, replyOf, responseTo, until } from "./_servers.ts";
import { test } from "./_test.ts";

/** Runs the program to its end. */
async function ran(given: readonly string[], environment: { [name: string]: string } = {}) {
  await using running = program(given, environment);
  const code = await running.code;
  return { code, out: running.out(), err: running.err() };
}

test("the program says where it listens, and port 0 picks a free port", async () => {
  await using upstream = await httpUpstream((request, response) => void response.end(request.url));
  const address = `http://127.0.0.1:${upstream.port}/api/v1`;
  await using running = program(["--port", "0"], { UPSTREAM_BASE_URL: address });
  const port = await running.port();
  const line =
    `callmend ${manifest.version} listening on http://127.0.0.1:${port} -> ${address} (mode native)\n`;
  assert.equal(running.out(), line);
  assert.equal((await ask(port, "/v1/models")).body.toString(), "/api/v1/models");
  await until(
    "the request is in the log",
    () =>
      /^\{"time":"\S+","level":"info","message":"request","method":"GET","path":"\/v1\/models","status":200,"total_ms":\d+\}$/m
        .test(running.err()),
  );
});

test("SIGTERM: no new requests, running answers end, exit code 0", async () => {
  const held: http.ServerResponse[] = [];
  await using upstream = await httpUpstream((_, response) => {
    response.write("one ");
    held.push(response);
  });
  await using running = program([
    "serve",
    "--port",
    "0",
    "--upstream",
    `http://127.0.0.1:${upstream.port}/v1`,
  ]);
  const port = await running.port();
  const request = open(port, "/v1/stream", { method: "GET" });
  request.end();
  const response = await responseTo(request);
  running.signal("SIGTERM");
  running.signal("SIGTERM"); // as npx and `deno task` hand it on
  await until("the signal is told", () => running.err().includes("SIGTERM: no new requests"));
  await assert.rejects(ask(port, "/health"));
  held[0]!.end("two");
  assert.equal((await replyOf(response)).body.toString(), "one two");
  assert.equal(await running.code, 0);
});

test("running answers are cut off when the drain timeout is over, and at once by a second signal", async () => {
  await using upstream = await httpUpstream((_, response) => void response.write("one "));
  const address = `http://127.0.0.1:${upstream.port}/v1`;
  for (const [timeout, signals, code] of [["0.1", 1, 0], ["60", 2, 1]] as const) {
    await using running = program(["--port", "0", "--upstream", address, "--drain-timeout", timeout]);
    const request = open(await running.port(), "/v1/stream", { method: "GET" });
    request.on("error", () => {}).end();
    const reply = responseTo(request).then(replyOf);
    await until("the answer has begun", () => running.err().includes('"path":"/v1/stream","status":200'));
    running.signal("SIGINT");
    await until("the signal is told", () => running.err().includes("SIGINT"));
    if (signals === 2) {
      await new Promise((resolve) => setTimeout(resolve, 600)); // sooner, it would be the same Ctrl-C
      running.signal("SIGINT");
    }
    assert.equal(await running.code, code);
    assert.equal((await reply).broken, true);
  }
});

test("a port in use: exit code 1, the port, and the flag to change it", async () => {
  await using other = await httpUpstream(() => {});
  for (const command of [[], ["demo", "--once"]]) {
    const { code, out, err } = await ran([...command, "--port", String(other.port)]);
    assert.deepEqual([code, out], [1, ""]);
    assert.match(err, new RegExp(`port ${other.port} is in use.*--port \\(PROXY_PORT\\)`));
  }
});

test("two of the program do not share a port", async () => {
  await using first = program(["--port", "0"]);
  const port = await first.port();
  await using second = program(["--port", String(port)]);
  await until("the second has listened, or said why not", () => second.out() + second.err() !== "");
  assert.equal(second.out(), "");
  assert.equal(await second.code, 1);
});

test("bad settings: exit code 2, and all of them are named before anything starts", async () => {
  const { code, out, err } = await ran(["--port", "x", "--mode", "other"], { UPSTREAM_URL: "http://h/v2" });
  assert.deepEqual([code, out], [2, ""]);
  assert.match(err, /--port "x".*\n.*--mode "other".*allowed: native/);
  assert.match(err, /UPSTREAM_URL "http:\/\/h\/v2".*UPSTREAM_BASE_URL/);
});

test("an unknown flag or command: exit code 2 and a hint", async () => {
  const [flag, command, operand, help] = await Promise.all([
    ran(["--prot", "1"]),
    ran(["sevre"]),
    ran(["demo", "x"]),
    ran(["help", "sevre"]),
  ]);
  assert.deepEqual([flag.code, command.code, operand.code, help.code], [2, 2, 2, 2]);
  assert.match(help.err, /unknown command 'sevre'/);
  assert.match(flag.err, /unknown option '--prot'[^]*--port[^]*--help/);
  assert.match(command.err, /unknown command 'sevre'.*serve[^]*--help/);
  assert.match(operand.err, /too many arguments[^]*demo --help/);
});

test("--help of each command has an example, and every setting is in it; a leading -- is no operand", async () => {
  const [all, ...each] = await Promise.all([
    ran(["--", "--help"]),
    ran(["serve", "--", "--help"]),
    ran(["demo", "--help"]),
    ran(["version", "--help"]),
  ]);
  for (const { code, out } of [all!, ...each]) {
    assert.equal(code, 0);
    assert.match(out, /Examples?:\n {2}callmend/);
  }
  for (const [, { flag, variable, example }] of settingRows) {
    for (const { out } of [all!, each[0]!]) {
      for (const word of [flag, variable, example]) assert.ok(out.includes(word), word);
    }
  }
});

test("fixes lists every fix; flags switch them, and may be repeated", async () => {
  const [plain, json, refused] = await Promise.all([
    ran(["fixes"]),
    ran(["fixes", "--json"]),
    ran(["--disable-fix", "claude/end-turn", "--disable-fix", "x/y,z", "--port", "0"]),
  ]);
  assert.deepEqual([plain.code, json.code, refused.code], [0, 0, 2]);
  const rows: { id: string; why: string; on: boolean }[] = JSON.parse(json.out);
  assert.deepEqual(rows.map(({ id }) => id), fixes.map(({ id }) => id));
  for (const { id, why } of rows) assert.ok(plain.out.includes(`${id}`) && plain.out.includes(why), id);
  assert.deepEqual(rows.filter(({ on }) => !on).map(({ id }) => id), [
    "any/null-content",
    "claude/cache-control",
  ]);
  assert.match(refused.err, /--disable-fix "claude\/end-turn,x\/y,z": there is no fix x\/y, z;/);
});

test("version prints the version of deno.json", async () => {
  const [plain, flag, json] = await Promise.all([
    ran(["version"]),
    ran(["--version"]),
    ran(["version", "--json"]),
  ]);
  assert.deepEqual([plain.out, flag.out], [`${manifest.version}\n`, `${manifest.version}\n`]);
  const { version, commit, built, runtime, os, arch } = JSON.parse(json.out);
  assert.deepEqual([version, os, arch], [manifest.version, process.platform, process.arch]);
  assert.deepEqual([commit, built], [null, null]); // it runs from its sources
  assert.match(runtime, /^(deno|bun) \d/);
});

test("demo --once shows every dialect through the proxy", async () => {
  const { code, out } = await ran(["demo", "--once"]);
  assert.equal(code, 0, out);
  for (const { id } of demoModels) assert.match(out, new RegExp(`── ${id}\n {3}the model wrote `));
  assert.match(out, /── demo-native\n.*\n {3}the client gets {3}tool_calls \[\{"name":"get_weather"/);
});

test("demo stays up: any client can call a tool of its own there and bring back the result", async () => {
  await using running = program(["demo", "--port", "0"]);
  await until("the demo invites", () => running.out().includes("curl"), 60_000);
  const port = Number(/^curl -N http:\/\/127\.0\.0\.1:(\d+)/m.exec(running.out())?.[1]);
  const properties = { path: { type: "string" }, limit: { type: "integer" }, deep: { type: "boolean" } };
  const tools = [{
    type: "function",
    function: { name: "list_files", parameters: { type: "object", properties } },
  }];
  const first = { model: "demo-native", tools, messages: [{ role: "user", content: "go" }] };
  const post = async (body: object) => {
    const reply = await ask(port, "/chat/completions", { body: JSON.stringify(body) });
    return JSON.parse(reply.body.toString()).choices[0];
  };
  const called = await post(first);
  assert.equal(called.finish_reason, "tool_calls");
  const [call] = called.message.tool_calls;
  assert.equal(call.function.name, "list_files");
  assert.deepEqual(JSON.parse(call.function.arguments), { path: "README.md", limit: 3, deep: true });
  const result = { role: "tool", tool_call_id: call.id, content: "two files" };
  const answered = await post({ ...first, messages: [...first.messages, called.message, result] });
  assert.deepEqual([answered.finish_reason, answered.message.content], [
    "stop",
    "The tool answered: “two files”",
  ]);
  const models = await ask(port, "/v1/models");
  assert.equal(JSON.parse(models.body.toString()).data.length, demoModels.length);
});
