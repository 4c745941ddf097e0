/** The units that `callmend service` prints: read by what reads them, and their commands really run. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { systemdUnit } from "../src/cli/service_units.ts";
import { ask, program, spawned } from "./_servers.ts";
import { test } from "./_test.ts";

async function printed(...given: string[]): Promise<string> {
  await using running = program(["service", ...given]);
  assert.equal(await running.code, 0, running.err());
  return running.out();
}

/** A folder of a test's own. */
function folder(): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), "callmend-service-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** Whether a tool is here; says so where it is not. */
function has(tool: string, ...given: string[]): boolean {
  const there = spawnSync(tool, given).status === 0;
  if (!there) console.log(`skipped: ${tool} is not installed`);
  return there;
}

/** The words of a line of systemd, as systemd cuts it. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(([, quoted, plain]) =>
    (quoted?.replace(/\\(.)/g, "$1") ?? plain!).replaceAll("%%", "%").replaceAll("$$", "$")
  );
}

const line = (unit: string, name: string) => new RegExp(`^${name}=(.*)$`, "m").exec(unit)?.[1];

test("systemd finds nothing wrong with the unit, for the machine and for a user", async () => {
  if (!has("systemd-analyze", "--version")) return;
  using files = folder();
  mkdirSync(join(files.path, "run"));
  for (const [name, given] of [["machine", []], ["user", ["--user"]]] as const) {
    const path = join(files.path, "callmend.service");
    writeFileSync(path, await printed("systemd", ...given, "--", "--host", "0.0.0.0", "--port", "0"));
    const env = {
      PATH: process.env["PATH"] ?? "",
      XDG_RUNTIME_DIR: join(files.path, "run"),
      HOME: files.path,
    };
    const { status, stderr } = spawnSync("systemd-analyze", [...given, "verify", path], {
      env,
      encoding: "utf8",
    });
    const about = stderr.split("\n").filter((text) => text.includes("callmend"));
    assert.deepEqual([status, about], [0, []], `${name}: ${stderr}`);
  }
});

test("the unit's command runs the proxy with the settings, from any folder", async () => {
  using files = folder();
  const unit = await printed(
    "systemd",
    "--",
    "--port",
    "0",
    "--upstream",
    "http://127.0.0.1:9/a%20b/v1",
    "--mode=bridge",
  );
  const [file, ...given] = wordsOf(line(unit, "ExecStart")!);
  const env = Object.fromEntries(
    [...unit.matchAll(/^Environment=(\w+)=(.*)$/gm)].map((
      [, name, value],
    ) => [name!, value!.replace("%C", files.path)]),
  );
  await using running = spawned(file!, given, {
    env: { ...env, PATH: "", HOME: files.path },
    cwd: files.path,
  });
  const port = await running.port();
  const health = JSON.parse((await ask(port, "/health")).body.toString());
  assert.deepEqual([health.upstream, health.mode], ["http://127.0.0.1:9/a%20b/v1", "bridge"]);
  running.signal("SIGTERM");
  assert.equal(await running.code, 0);
});

test("the unit is hardened, restarts, reads a file of variables and waits for running answers", async () => {
  const machine = await printed("systemd", "--environment-file", "/etc/other", "--", "--drain-timeout", "90");
  for (
    const wanted of [
      "Restart=on-failure",
      "RestartPreventExitStatus=2",
      "NoNewPrivileges=yes",
      "ProtectSystem=strict",
      "CapabilityBoundingSet=",
      "EnvironmentFile=-/etc/other",
      "TimeoutStopSec=95",
      "WantedBy=multi-user.target",
    ]
  ) assert.ok(machine.includes(`\n${wanted}\n`), wanted);
  assert.match(machine, /^(?:DynamicUser=yes|User=\d+)$/m);
  const user = await printed("systemd", "--user");
  assert.match(
    user,
    /\nEnvironmentFile=-%h\/\.config\/callmend\/environment\n[^]*\nWantedBy=default\.target\n/,
  );
  assert.doesNotMatch(user, /DynamicUser|^User=|CapabilityBoundingSet|ProtectSystem/m);
});

test("words that systemd would read otherwise are quoted; a program in somebody's home is still found", () => {
  using files = folder();
  const home = join(files.path, "my home");
  mkdirSync(home, { mode: 0o700 });
  const path = join(home, "call%mend");
  writeFileSync(path, "", { mode: 0o755 });
  const own = { command: [path], environment: {}, files: [path], caches: false };
  const settings = ["--upstream", "http://h/$v1", '--x="quoted" \\ 50%'];
  const unit = systemdUnit({ own, settings, user: false, home: "/", drainSeconds: 30 });
  assert.deepEqual(wordsOf(line(unit, "ExecStart")!), [path, "serve", ...settings]);
  assert.ok(line(unit, "ExecStart")!.includes("call%%mend"));
  if (process.platform !== "win32") assert.match(unit, /^User=\d+$/m); // nobody else may enter the folder
  // It lies in the common folder of temporary files, which a private one would hide.
  if (/^\/(?:var\/)?tmp\//.test(path)) assert.doesNotMatch(unit, /PrivateTmp/);
});

test("launchd's property list is well-formed, and says what systemd's unit says", async () => {
  if (!has("python3", "-c", "import plistlib")) return;
  using files = folder();
  const path = join(files.path, "callmend.plist");
  const env = join(files.path, "a & b <c>");
  const text = await printed(
    "launchd",
    "--user",
    "--environment-file",
    env,
    "--",
    "--port",
    "0",
    "--mode",
    "bridge",
  );
  writeFileSync(path, text);
  const code = "import json, plistlib, sys; print(json.dumps(plistlib.load(open(sys.argv[1], 'rb'))))";
  const { status, stdout, stderr } = spawnSync("python3", ["-c", code, path], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  const list = JSON.parse(stdout);
  assert.deepEqual([list.Label, list.RunAtLoad, list.KeepAlive, list.ExitTimeOut], [
    "callmend",
    true,
    { SuccessfulExit: false },
    35,
  ]);
  const words: string[] = list.ProgramArguments;
  assert.deepEqual(words.slice(-5), ["serve", "--port", "0", "--mode", "bridge"]);
  if (process.platform === "win32") return;
  writeFileSync(env, "UPSTREAM_BASE_URL=http://127.0.0.1:9/v1\n");
  const variables = { ...list.EnvironmentVariables, PATH: "", HOME: files.path };
  await using running = spawned(words[0]!, words.slice(1), { env: variables, cwd: files.path });
  const health = JSON.parse((await ask(await running.port(), "/health")).body.toString());
  assert.equal(health.upstream, "http://127.0.0.1:9/v1", "the file of variables has been read");
});

test("the property list for the machine is XML too", async () => {
  if (!has("xmllint", "--version")) return;
  const input = await printed("launchd", "--", "--upstream", "http://h/a&b");
  const { status, stderr } = spawnSync("xmllint", ["--noout", "--nonet", "-"], { input, encoding: "utf8" });
  assert.deepEqual([status, stderr], [0, ""]);
});

test("bad settings and unknown managers are refused: exit code 2, nothing printed", async () => {
  for (
    const [given, said] of [
      [["systemd", "--", "--port", "x"], /--port "x"/],
      [["systemd", "--", "--prot", "1"], /unknown option '--prot'/],
      [["upstart"], /upstart.*systemd, launchd/],
      [[], /missing required argument/],
    ] as const
  ) {
    await using running = program(["service", ...given]);
    assert.deepEqual([await running.code, running.out()], [2, ""]);
    assert.match(running.err(), said);
  }
});
