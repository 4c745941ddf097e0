/**
 * The executable, as a user gets it: `deno task test:executable` compiles it and names it in EXECUTABLE; without that
 * variable there is nothing to test. Each test runs it in an empty folder with an empty HOME. `deno task test:platforms`
 * names another platform in PLATFORM, and in EMULATOR the command that runs its executables here.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type http from "node:http";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import manifest from "../deno.json" with { type: "json" };
import { demoModels } from "../src/cli/demo_upstream.ts";
import { ask, httpUpstream, open, type Program, replyOf, responseTo, spawned, until } from "./_servers.ts";
import { test as register } from "./_test.ts";
import { compareStart, startReport } from "./bench/start.ts";

const executable = process.env["EXECUTABLE"] && resolve(process.env["EXECUTABLE"]);
const host = `${process.platform.replace("win32", "windows")}-${process.arch}`;
const platform = process.env["PLATFORM"] ?? host;
const emulator = process.env["EMULATOR"]?.split(" ") ?? [];
const test: typeof register = (name, body) => {
  if (executable) register(`${platform === host ? "executable" : platform}: ${name}`, body);
};

/** What the emulator itself needs in the environment. */
const emulated = Object.fromEntries(
  Object.entries(process.env).filter((entry): entry is [string, string] => entry[0].startsWith("WINE")),
);

/** Beyond this, something is wrong; the goals themselves are for a quiet machine (`deno task bench:start`). */
const LIMIT = 10;

/** Two empty folders, one of them HOME; fails at the end when something was left in them. */
function empty(): { readonly cwd: string; readonly home: string } & Disposable {
  const [cwd, home] = [
    mkdtempSync(join(tmpdir(), "callmend-cwd-")),
    mkdtempSync(join(tmpdir(), "callmend-home-")),
  ];
  return {
    cwd,
    home,
    [Symbol.dispose]() {
      const left = [...readdirSync(cwd), ...readdirSync(home)].filter((name) => !name.startsWith("kept"));
      for (const folder of [cwd, home]) rmSync(folder, { recursive: true, force: true });
      assert.deepEqual(left, [], "files that it left behind");
    },
  };
}

/** Runs it with an environment that holds HOME and nothing else. */
function run(
  { cwd, home }: { readonly cwd: string; readonly home: string },
  given: readonly string[],
  environment: { [name: string]: string } = {},
  input?: string,
): Program {
  const [program, ...words] = [...emulator, executable!, ...given];
  return spawned(program!, words, {
    cwd,
    env: { HOME: home, ...emulated, ...environment },
    ...(input !== undefined && { input }),
  });
}

/** Runs it to its end. */
async function ran(given: readonly string[], environment: { [name: string]: string } = {}, input?: string) {
  using folders = empty();
  await using running = run(folders, given, environment, input);
  const code = await running.code;
  return { code, out: running.out(), err: running.err() };
}

test("version, commit and build time are inside", async () => {
  const [plain, json] = await Promise.all([ran(["--version"]), ran(["version", "--json"])]);
  assert.deepEqual(plain, { code: 0, out: `${manifest.version}\n`, err: "" });
  const facts = JSON.parse(json.out);
  assert.equal(facts.version, manifest.version);
  const head = execFileSync("git", ["rev-parse", "HEAD"], { encoding: "utf8" }).trim();
  assert.equal(facts.commit.replace("-dirty", ""), head);
  assert.match(facts.built, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  assert.ok(Date.parse(facts.built) <= Date.now());
  assert.equal(facts.platform, platform.replace("windows", "win32"));
  assert.match(facts.runtime, /^(bun|deno) \d/);
});

test("help, and exit code 2 for what cannot be used", async () => {
  const [help, bad] = await Promise.all([ran(["--help"]), ran(["--port", "x"])]);
  assert.equal(help.code, 0);
  for (const word of ["serve", "demo", "healthcheck", "--upstream", "UPSTREAM_BASE_URL"]) {
    assert.ok(help.out.includes(word), word);
  }
  assert.equal(bad.code, 2);
  assert.match(bad.err, /--port "x"/);
});

test("demo --once shows every dialect", async () => {
  const { code, out } = await ran(["demo", "--once"]);
  assert.equal(code, 0, out);
  assert.ok(out.includes(`${demoModels.length} of ${demoModels.length} models`));
});

test("convert reads a file of the folder that it is in, and standard input", async () => {
  using folders = empty();
  writeFileSync(join(folders.cwd, "kept-tools.json"), JSON.stringify([{ name: "ls", parameters: {} }]));
  const raw = '<tool_call>{"name": "ls", "arguments": {}}</tool_call>';
  writeFileSync(join(folders.cwd, "kept-raw.txt"), raw);
  const flags = ["convert", "--tools", "kept-tools.json"];
  const ways: [string[], string?][] = [[["kept-raw.txt"]], [[], raw]];
  if (emulator.join().includes("wine")) {
    console.log("skipped: standard input: Bun cannot read a pipe in Wine");
    ways.pop();
  }
  for (const [file, input] of ways) {
    await using running = run(folders, [...flags, ...file], {}, input);
    assert.equal(await running.code, 0, running.err());
    assert.equal(JSON.parse(running.out()).finish_reason, "tool_calls");
  }
});

test("the OpenCode plugin and provider are inside", async () => {
  for (const kind of ["plugin", "provider"]) {
    using folders = empty();
    const config = join(folders.home, "kept-opencode.json");
    const server = kind === "plugin" ? [] : ["--upstream", "http://127.0.0.1:9/v1", "--model", "m"];
    await using running = run(folders, ["opencode", kind, "--write", "--config", config, ...server], {
      XDG_CONFIG_HOME: join(folders.home, "kept"),
    });
    assert.equal(await running.code, 0, running.err());
    const named = /file:\/\/[^"]+\.mjs/.exec(readFileSync(config, "utf8"))![0];
    const file = new URL(named.replace("/Z:", "")); // so Wine calls this machine's root
    assert.match(readFileSync(file, "utf8"), /^\/\/ Callmend /);
  }
});

test("install.sh puts it where it is told, and knows it again", async () => {
  if (process.platform === "win32") return console.log("skipped: there is no sh");
  if (platform !== host) return console.log("skipped: install.sh installs what the machine itself runs");
  using target = empty();
  const script = fileURLToPath(new URL("../.ci/install.sh", import.meta.url));
  const flags = [
    "--from",
    dirname(executable!),
    "--version",
    manifest.version,
    "--to",
    join(target.cwd, "kept"),
  ];
  for (const _ of ["new", "again"]) {
    await using installing = spawned("sh", [script, ...flags], { env: { PATH: process.env.PATH ?? "" } });
    assert.equal(await installing.code, 0, installing.err());
  }
  assert.equal(
    execFileSync(join(target.cwd, "kept/callmend"), ["version"], { encoding: "utf8" }),
    `${manifest.version}\n`,
  );
});

test("nothing that lies in its folder changes what it does", async () => {
  using folders = empty();
  writeFileSync(join(folders.cwd, ".env"), "PROXY_PORT=nonsense\n");
  writeFileSync(join(folders.cwd, "bunfig.toml"), 'preload = ["./kept.ts"]\n');
  writeFileSync(join(folders.cwd, "kept.ts"), "console.log('preloaded'); process.exit(3);\n");
  writeFileSync(join(folders.cwd, "deno.json"), '{"imports": {"zod": "./kept.ts"}}');
  await using running = run(folders, ["--port", "0"]);
  assert.ok(await running.port() > 0, running.err());
  assert.doesNotMatch(running.out(), /preloaded/);
  for (const name of [".env", "bunfig.toml", "deno.json"]) rmSync(join(folders.cwd, name));
});

/** What a model writes, in pieces. */
const pieces = ["Let me see. ", "<tool_", "call>\n<function=write_file>\n<parameter=path>\na.txt\n</para"]
  .concat("meter>\n<parameter=content>\none\n", "two\n</parameter>\n</function>\n</tool_call>");

const properties = { path: { type: "string" }, content: { type: "string" } };
const tools = [{
  type: "function",
  function: { name: "write_file", parameters: { type: "object", properties } },
}];

function chunk(delta: object, finish: string | null = null): string {
  const choices = [{ index: 0, delta, finish_reason: finish }];
  const envelope = { id: "chatcmpl-1", object: "chat.completion.chunk", created: 1, model: "qwen3-coder" };
  return `data: ${JSON.stringify({ ...envelope, choices })}\n\n`;
}

test("a server on this machine is not asked by way of an HTTP proxy", async () => {
  using folders = empty();
  await using models = await httpUpstream((_, response) => void response.end("{}"));
  const proxy = { HTTP_PROXY: "http://127.0.0.1:9", http_proxy: "http://127.0.0.1:9" };
  const given = ["--port", "0", "--upstream", `http://127.0.0.1:${models.port}/v1`];
  await using running = run(folders, given, proxy);
  assert.equal((await ask(await running.port(), "/v1/models")).status, 200);
});

test("a streaming tool call goes through; SIGTERM lets it end; the health check says both", async () => {
  const held: http.ServerResponse[] = [];
  await using upstream = await httpUpstream((request, response) => {
    request.resume();
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(chunk({ role: "assistant", content: pieces[0]! }));
    held.push(response);
  });
  using folders = empty();
  await using running = run(folders, ["--port", "0"], {
    UPSTREAM_BASE_URL: `http://127.0.0.1:${upstream.port}/v1`,
  });
  const port = await running.port();
  const check = await ran(["healthcheck"], { PROXY_PORT: String(port) });
  assert.equal(check.code, 0, check.err);

  const request = open(port, "/v1/chat/completions", {
    method: "POST",
    headers: { "content-type": "application/json" },
  });
  request.end(JSON.stringify({ model: "qwen3-coder", stream: true, messages: [], tools }));
  const response = await responseTo(request);
  const reply = replyOf(response);
  const signals = !platform.startsWith("windows"); // Windows has none
  if (signals) {
    running.signal("SIGTERM");
    await until("the signal is told", () => running.err().includes("SIGTERM: no new requests"));
    await assert.rejects(ask(port, "/health"));
    assert.equal((await ran(["healthcheck", "--port", String(port)])).code, 1);
  }
  for (const content of pieces.slice(1)) {
    held[0]!.write(chunk({ content }));
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  held[0]!.end(`${chunk({}, "stop")}data: [DONE]\n\n`);

  const { body, broken } = await reply;
  assert.equal(broken, false);
  const events = body.toString().split("\n\n").filter((event) => event.startsWith("data: {"));
  const choices = events.map((event) => JSON.parse(event.slice(6)).choices[0]);
  const text = choices.map(({ delta }) => delta.content ?? "").join("");
  const written = choices.map(({ delta }) => delta.tool_calls?.[0].function?.arguments ?? "");
  assert.equal(text.trim(), "Let me see.");
  assert.deepEqual(JSON.parse(written.join("")), { path: "a.txt", content: "one\ntwo" });
  assert.ok(written.filter((part) => part !== "").length > 1, "the arguments came in parts");
  assert.equal(choices.at(-1).finish_reason, "tool_calls");
  assert.match(body.toString(), /data: \[DONE\]\n\n$/);
  if (signals) assert.equal(await running.code, 0);
});

test("start and idle memory, against an empty server of the same runtime", async () => {
  if (process.platform !== "linux") return console.log("skipped: memory is read from /proc");
  if (platform !== host) return console.log("skipped: the emulator would be measured");
  const figures = await compareStart(executable!, 7);
  console.log(startReport(figures));
  assert.ok(figures.callmend.startMs <= LIMIT * figures.empty.startMs, "start");
  assert.ok(figures.callmend.memoryMiB <= LIMIT * figures.empty.memoryMiB, "memory");
});
