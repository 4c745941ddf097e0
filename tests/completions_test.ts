/** Completions, run by the shells themselves; and every command has an example that can be typed. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { Command } from "commander";
import type { Context } from "../src/cli/command.ts";
import { completionScript, installation, type Shell } from "../src/cli/completion_scripts.ts";
import { type Place, placesOf } from "../src/cli/completion_model.ts";
import { commands } from "../src/cli/commands.ts";
import { makeProgram } from "../src/cli/program.ts";
import { dialects } from "../src/dialects/mod.ts";
import { fixes } from "../src/fixes/mod.ts";
import { settingRows } from "../src/settings/settings.ts";
import { program } from "./_servers.ts";
import { test } from "./_test.ts";

const context: Context = { environment: {}, print: () => {}, log: () => {}, exit: () => {} };
const places = placesOf(makeProgram(context, commands), "serve");

/** Whether a shell is installed; says so where it is not. */
function has(shell: string): boolean {
  const there = spawnSync(shell, ["-c", "exit 0"]).status === 0;
  if (!there) console.log(`skipped: ${shell} is not installed`);
  return there;
}

/** Runs a shell with the completions of it in a file, to which `$1` leads. */
function shell(name: Shell, command: string, code: string, given: readonly string[] = []): string[] {
  const folder = mkdtempSync(join(tmpdir(), "callmend-completions-"));
  try {
    const path = join(folder, "script");
    writeFileSync(path, completionScript(name, places));
    const env = { PATH: process.env["PATH"] ?? "", HOME: folder };
    const ran = spawnSync(command, ["-c", code, ...(command === "fish" ? [] : [command]), path, ...given], {
      cwd: folder,
      env,
      encoding: "utf8",
    });
    assert.equal(ran.stderr, "");
    assert.equal(ran.status, 0, ran.stdout);
    return ran.stdout.split("\n").filter((line) => line !== "").sort();
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const names = places[0]!.commands.map(({ name }) => name);
const beginning = (words: readonly string[], begin: string) =>
  words.filter((word) => word.startsWith(begin)).sort();

/** What the last word of a command line may become. */
const cases: readonly (readonly [line: readonly string[], wanted: readonly string[]])[] = [
  [["callmend", ""], names.toSorted()],
  [["callmend", "con"], beginning(names, "con")],
  [["callmend", "help", "ser"], beginning(names, "ser")],
  [["callmend", "--port", "9000", "ver"], ["version"]],
  [["callmend", "--mode", ""], ["bridge", "fallback", "native"]],
  [["callmend", "serve", "--reasoning", "s"], ["split"]],
  [["callmend", "serve", "--ups"], beginning(settingRows.map(([, { flag }]) => flag), "--ups")],
  [["callmend", "--disable-fix", "claude/"], beginning(fixes.map(({ id }) => id), "claude/")],
  [["callmend", "convert", "--dialects", "her"], beginning(dialects.map(({ id }) => id), "her")],
  [["callmend", "convert", "--arguments", "w"], ["whole"]],
  [["callmend", "convert", "--tools", "scr"], ["script"]],
  [["callmend", "debug", "o"], ["off", "on"]],
  [["callmend", "completions", ""], ["bash", "fish", "powershell", "zsh"]],
  [["callmend", "service", "systemd", "--us"], ["--user"]],
  [["callmend", "service", "systemd", "--", "--keep"], ["--keep-alive"]],
  [["callmend", "service", "systemd", "--user", "--", "--mode", "b"], ["bridge"]],
];

test("bash completes commands, flags, values and files", () => {
  if (!has("bash")) return;
  const code = 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _callmend; ' +
    'complete -p callmend > /dev/null && printf "%s\\n" "${COMPREPLY[@]}"';
  const inOneWord: typeof cases = [[["callmend", "--mode", "=", ""], ["bridge", "fallback", "native"]], [
    ["callmend", "--mode", "=", "b"],
    ["bridge"],
  ], [["callmend", "--mode", "=", "bridge", "--upstream-o"], ["--upstream-origin"]]];
  for (const [line, wanted] of [...cases, ...inOneWord]) {
    const found = shell("bash", "bash", code, line).filter((word) => wanted.length > 0 || word !== "");
    assert.ok(wanted.length > 0, line.join(" "));
    assert.deepEqual(found, wanted.toSorted(), line.join(" "));
  }
});

test("zsh completes the same", () => {
  if (!has("zsh")) return;
  // What zsh's completion system does with the words is not run without a terminal: it is replaced.
  const code = `compdef() { :; }
    _describe() { local each; for each in "\${(@P)2}"; do each="\${each%%:*}"; [[ $each == \${word}* ]] && print -r -- "$each"; done; true; }
    _files() { print -rl -- \${word}*(N); }
    _message() { :; }
    path_of_script=$1; shift; words=("$@"); CURRENT=$#; source "$path_of_script"; _callmend`;
  for (const [line, wanted] of cases) {
    assert.deepEqual(shell("zsh", "zsh", code, line), wanted.toSorted(), line.join(" "));
  }
});

test("fish completes the same", () => {
  if (!has("fish")) return;
  for (const [line, wanted] of cases) {
    if (line.includes("--") && line.includes("--mode")) continue; // behind -- fish completes no values
    const code = `source $argv[1]; complete -C '${line.join(" ")}'`;
    const found = shell("fish", "fish", code).map((each) => each.split("\t")[0]!);
    assert.deepEqual(found, wanted.toSorted(), line.join(" "));
  }
});

test("PowerShell reads its script, and completes", () => {
  if (!has("pwsh")) return;
  const code = (line: string) =>
    `. ([scriptblock]::Create((Get-Content -Raw $args[0]))); ` +
    `(TabExpansion2 '${line}' ${line.length}).CompletionMatches | ForEach-Object { $_.CompletionText }`;
  for (const [line, wanted] of cases.filter(([line]) => !line.includes("scr"))) {
    const text = line.join(" ");
    assert.deepEqual(shell("powershell", "pwsh", code(text)), wanted.toSorted(), text);
  }
});

test("what PowerShell reads holds every command and flag, as JSON", () => {
  const script = completionScript("powershell", places);
  const [, data] = /@'\n(.*)\n'@ \| ConvertFrom-Json/.exec(script) ?? [];
  assert.deepEqual(JSON.parse(data!), JSON.parse(JSON.stringify(places)));
});

test("`callmend completions` prints a script that says how to install it; other shells are refused", async () => {
  await using printed = program(["completions", "bash"]);
  await using refused = program(["completions", "tcsh"]);
  await using help = program(["completions", "--help"]);
  assert.deepEqual([await printed.code, await refused.code, await help.code], [0, 2, 0]);
  assert.equal(printed.out(), completionScript("bash", places));
  assert.ok(printed.out().includes(installation.bash));
  assert.match(refused.err(), /tcsh.*bash, zsh, fish, powershell/);
  for (const line of Object.values(installation)) assert.ok(help.out().includes(line), line);
});

/** The command and all below it. */
function all(command: Command, path: string): (readonly [path: string, command: Command])[] {
  return [[path, command], ...command.commands.flatMap((each) => all(each, `${path} ${each.name()}`))];
}

test("the help of every command and of those below it has an example that can be typed", () => {
  const made = makeProgram(context, commands);
  const found = all(made, "callmend");
  assert.ok(found.length > 10);
  for (const [path, command] of found) {
    let help = "";
    command.configureOutput({ writeOut: (text) => help += text });
    command.outputHelp();
    const [, examples] = /^Examples?:\n((?: {2}.+\n?)+)/m.exec(help) ?? [];
    assert.ok(examples, `\`${path} --help\` has no example`);
    for (const line of examples.trim().split("\n")) check(line.trim(), path);
  }
});

/** An example names its command, and only flags that are there. */
function check(line: string, path: string): void {
  const typed = line.replace(/\s+#.*$/, "").replace(/^(?:[A-Z_]+=\S+ )+/, "").split(/ [|<>] /)[0]!;
  const words = typed.split(" ");
  assert.equal(words[0], "callmend", line);
  let place: Place = places[0]!;
  let behind = false;
  for (const word of words.slice(1)) {
    const next = places.find((each) => each.path === `${place.path} ${word}`.trim());
    if (word === "--") behind = true;
    else if (next !== undefined && !behind) place = next;
    if (!/^--./.test(word)) continue;
    const flags: Place["flags"] = (behind ? places[0]! : place).flags;
    const name = word.split("=")[0]!;
    assert.ok(flags.some(({ names }) => names.includes(name)), `${line}: there is no ${name}`);
  }
  const own = path === "callmend" ? "" : path.slice("callmend ".length);
  assert.ok(own === "serve" || place.path.startsWith(own), `${line} is no example of ${path}`);
}
