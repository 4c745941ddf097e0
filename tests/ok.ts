/** `deno task ok`: all that must hold before a change goes in; the last line counts the tests of both runtimes. */
import { spawn } from "node:child_process";
import process from "node:process";
import { stripVTControlCharacters } from "node:util";
import { bun } from "../.ci/bun.ts";

const deno = process.execPath;

/** Characters that are told again of a step that failed. */
const mostTold = 8_000;

const steps: readonly (readonly string[])[] = [
  [deno, "fmt", "--check"],
  [deno, "lint"],
  [deno, "check", "--quiet", "src", "tests", ".ci"],
  [deno, "test", "-A"],
  [...bun, "test", "./tests"],
];

/** Runs one step, shows what it writes, and gives its exit code with all that it wrote. */
function run([program, ...given]: readonly string[]): Promise<{ code: number; text: string }> {
  const child = spawn(program!, given, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NO_COLOR: "1" },
  });
  let text = "";
  const show = (bytes: Uint8Array) => {
    text += new TextDecoder().decode(bytes);
    process.stdout.write(bytes);
  };
  child.stdout.on("data", show);
  child.stderr.on("data", show);
  return new Promise((resolve) => {
    child.on("error", (error) => resolve({ code: 127, text: `${text}${error.message}` }));
    child.on("close", (code) => resolve({ code: code ?? 1, text }));
  });
}

/** Adds up what `deno test` ("| 12 passed | 0 failed") and `bun test` (" 12 pass", " 0 fail") say at their end. */
function count(text: string, word: RegExp): number {
  return Number(word.exec(text)?.[1] ?? 0);
}

/** What a step said of its failures: what Deno lists under ERRORS, the lines before each `(fail)` of Bun, or its end. */
function failures(text: string): string {
  const plain = stripVTControlCharacters(text);
  const errors = plain.lastIndexOf("\n ERRORS ");
  if (errors >= 0) return plain.slice(errors);
  const lines = plain.split("\n");
  const failing = lines.flatMap((line, at) =>
    line.startsWith("(fail)") ? lines.slice(Math.max(0, at - 20), at + 1) : []
  );
  return (failing.length > 0 ? failing : lines.slice(-40)).join("\n");
}

let [passed, failed] = [0, 0];
const told: string[] = [];
const broken: string[] = [];
for (const step of steps) {
  const name = step.map((word) => word === deno ? "deno" : word).join(" ");
  console.log(`\n$ ${name}`);
  const { code, text } = await run(step);
  if (code !== 0) {
    broken.push(name);
    told.push(`\nof ${name}:\n${failures(text).slice(0, mostTold)}`);
  }
  passed += count(text, /\| (\d+) passed/) + count(text, /^ *(\d+) pass$/m);
  failed += count(text, /\| (\d+) failed/) + count(text, /^ *(\d+) fail$/m);
}

// Again at the end: of a long log, often only the end is kept.
for (const text of told) console.log(text);
console.log("");
for (const name of broken) console.log(`failed: ${name}`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(broken.length === 0 && failed === 0 && passed > 0 ? 0 : 1);
