/** `install.sh` against a local server of files: nothing is placed that is not what the release promises. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { httpUpstream, spawned } from "./_servers.ts";
import { test as register } from "./_test.ts";

const script = fileURLToPath(new URL("../.ci/install.sh", import.meta.url));
const test: typeof register = (name, body) => {
  if (process.platform !== "win32") register(`install.sh: ${name}`, body);
};

/** Stands in for an executable: tells its version, and holds what marks it as Callmend. */
const executable = (version: string) => `#!/bin/sh\n# callmendBuild\n[ "$1" = version ] && echo ${version}\n`;

/** This machine, as the files are named. */
const platform = `${process.platform}-${process.arch}`;

/** A release on a local server. */
async function release(version: string, change: (files: { [name: string]: string }) => void = () => {}) {
  const name = `callmend-${version}-${platform}`;
  const files: { [name: string]: string } = { [name]: executable(version) };
  const sum = createHash("sha256").update(files[name]!).digest("hex");
  files["SHA256SUMS"] = `${"0".repeat(64)}  other-${name}\n${sum}  ${name}\n`;
  change(files);
  const server = await httpUpstream((request, response) => {
    const file = files[request.url!.replace("/v1/", "")];
    response.writeHead(file === undefined ? 404 : 200).end(file);
  });
  return Object.assign(server, { name, address: `http://127.0.0.1:${server.port}/v1` });
}

/** A folder to install into. */
function folder(): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), "callmend-install-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

async function install(given: readonly string[], env: { [name: string]: string } = {}) {
  await using running = spawned("sh", [script, ...given], {
    env: { PATH: process.env.PATH ?? "", TMPDIR: tmpdir(), ...env },
  });
  const code = await running.code;
  return { code, out: running.out(), err: running.err() };
}

test("shellcheck finds nothing", () => {
  const scripts = ["install.sh", "run", "smoke", "tools"].map((name) =>
    fileURLToPath(new URL(`../.ci/${name}`, import.meta.url))
  );
  const { error, status, stdout } = spawnSync("shellcheck", scripts, { encoding: "utf8" });
  if (error) return console.log("skipped: there is no shellcheck");
  assert.equal(status, 0, stdout);
});

test("installs into ~/.local/bin, again and newer, and leaves nothing else behind", async () => {
  using home = folder();
  const bin = join(home.path, ".local/bin");
  for (const version of ["1.0.0", "1.0.0", "1.1.0"]) {
    await using server = await release(version);
    const env = { HOME: home.path, CALLMEND_FROM: server.address, CALLMEND_VERSION: version };
    const { code, out, err } = await install([], env);
    assert.deepEqual([code, err], [0, ""]);
    assert.ok(out.includes(`callmend ${version} is in ${bin}/callmend\n`), out);
    assert.match(out, /not in PATH/);
    assert.deepEqual(readdirSync(bin), ["callmend"]);
    assert.equal(readFileSync(join(bin, "callmend"), "utf8"), executable(version));
    assert.equal(spawnSync(join(bin, "callmend"), ["version"], { encoding: "utf8" }).stdout, `${version}\n`);
  }
});

const refused: readonly [what: string, change: (files: { [name: string]: string }) => void, says: RegExp][] =
  [
    [
      "a file that was changed",
      (files) => files[`callmend-1.0.0-${platform}`] += "# and more\n",
      /not what the release promises.*nothing was placed/,
    ],
    ["no checksums", (files) => delete files["SHA256SUMS"], /cannot download .*SHA256SUMS/],
    [
      "no checksum for it",
      (files) => files["SHA256SUMS"] = `${"0".repeat(64)}  other\n`,
      /the release has no /,
    ],
    ["two of them", (files) => files["SHA256SUMS"] += files["SHA256SUMS"]!, /SHA256SUMS cannot be used/],
    ["no file", (files) => delete files[`callmend-1.0.0-${platform}`], /cannot download /],
    ["one that does not start", (files) => {
      const broken = "#!/bin/sh\nexit 7\n";
      files[`callmend-1.0.0-${platform}`] = broken;
      const sum = createHash("sha256").update(broken).digest("hex");
      files["SHA256SUMS"] = `${sum}  callmend-1.0.0-${platform}\n`;
    }, /does not start.*nothing was placed/],
  ];

for (const [what, change, says] of refused) {
  test(`${what}: exit code 1, and what was there stays`, async () => {
    using home = folder();
    await using server = await release("1.0.0", change);
    const given = ["--to", home.path, "--from", server.address, "--version", "1.0.0"];
    const fresh = await install(given);
    assert.deepEqual([fresh.code, fresh.out, readdirSync(home.path)], [1, "", []]);
    assert.match(fresh.err, says);
    writeFileSync(join(home.path, "callmend"), executable("0.9.0"));
    const upgrade = await install(given);
    assert.equal(upgrade.code, 1);
    assert.deepEqual(readdirSync(home.path), ["callmend"]);
    assert.equal(readFileSync(join(home.path, "callmend"), "utf8"), executable("0.9.0"));
  });
}

test("a foreign command, a link or a folder of that name is not overwritten, run or downloaded for", async () => {
  await using server = await release("1.0.0");
  const makers: readonly ((path: string) => void)[] = [
    (path) => writeFileSync(path, `#!/bin/sh\ntouch "$0.ran"\n`, { mode: 0o755 }),
    (path) => symlinkSync("/bin/true", path),
    (path) => symlinkSync("/nowhere", path),
    (path) => mkdirSync(path),
  ];
  for (const make of makers) {
    using home = folder();
    make(join(home.path, "callmend"));
    const { code, err } = await install([
      ...["--to", home.path, "--from", server.address],
      ...["--version", "1.0.0"],
    ]);
    assert.equal(code, 1);
    assert.match(err, /is not a Callmend.*--to/);
    assert.deepEqual(readdirSync(home.path), ["callmend"]);
  }
  assert.equal(server.connections(), 0);
});

test("works with wget where there is no curl, and from a folder", async () => {
  using tools = folder();
  const needed = [
    "sh",
    "uname",
    "ls",
    "mktemp",
    "rm",
    "awk",
    "sha256sum",
    "chmod",
    "mkdir",
    "cp",
    "mv",
    "grep",
  ];
  for (const name of [...needed, "wget"]) {
    const { stdout, status } = spawnSync("sh", ["-c", 'command -v "$1"', "sh", name], { encoding: "utf8" });
    if (status !== 0) return console.log(`skipped: there is no ${name}`);
    symlinkSync(stdout.trim(), join(tools.path, name));
  }
  await using server = await release("1.0.0");
  using files = folder();
  const sum = createHash("sha256").update(executable("1.0.0")).digest("hex");
  writeFileSync(join(files.path, server.name), executable("1.0.0"));
  writeFileSync(join(files.path, "SHA256SUMS"), `${sum}  ${server.name}\n`);
  for (const from of [server.address, files.path]) {
    using home = folder();
    const given = ["--to", join(home.path, "a b"), "--from", from, "--version", "1.0.0"];
    const { code, err } = await install(given, { PATH: tools.path });
    assert.deepEqual([code, err], [0, ""]);
    assert.ok(existsSync(join(home.path, "a b/callmend")));
  }
});

test("a system without an executable, plain http and bad flags are refused before anything is asked for", async () => {
  using tools = folder();
  using home = folder();
  const uname = (system: string, machine: string) => {
    const path = join(tools.path, "uname");
    writeFileSync(path, `#!/bin/sh\n[ "$1" = -s ] && echo ${system} || echo ${machine}\n`);
    chmodSync(path, 0o755);
    return { PATH: `${tools.path}:${process.env.PATH}` };
  };
  const given = ["--to", home.path, "--from", "http://127.0.0.1:1/", "--version", "1.0.0"];
  const cases: readonly [readonly string[], { [name: string]: string }, number, RegExp][] = [
    [given, uname("FreeBSD", "amd64"), 1, /no executable for FreeBSD/],
    [given.with(3, "http://example.com/"), {}, 2, /cannot use --from/],
    [given.with(5, "../1"), {}, 2, /cannot use the version/],
    [["--prefix", "/"], {}, 2, /cannot use --prefix; allowed/],
    [["--to"], {}, 2, /--to needs a value/],
    [[], { HOME: home.path }, 2, /belongs to no release/],
    [[], {}, 2, /no HOME/],
  ];
  for (const [flags, env, code, says] of cases) {
    const ran = await install(flags, env);
    assert.deepEqual([ran.code, ran.out], [code, ""], ran.err);
    assert.match(ran.err, says);
  }
  const machine = await install(given, uname("Linux", "riscv64"));
  assert.match(machine.err, /no executable for riscv64/);
  assert.deepEqual(readdirSync(home.path), []);
  assert.match((await install(["--help"])).out, /^Installs Callmend[^]*--version/);
});
