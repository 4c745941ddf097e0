/** `deno task ok`: all that must hold before a change goes in; the last line counts the tests of both runtimes. */
import { spawn } from "node:child_process";
import process from "node:process";
import { bun } from "../.ci/bun.ts";

const deno = process.execPath;

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

let [passed, failed] = [0, 0];
const broken: string[] = [];
for (const step of steps) {
  const name = step.map((word) => word === deno ? "deno" : word).join(" ");
  console.log(`\n$ ${name}`);
  const { code, text } = await run(step);
  if (code !== 0) broken.push(name);
  passed += count(text, /\| (\d+) passed/) + count(text, /^ *(\d+) pass$/m);
  failed += count(text, /\| (\d+) failed/) + count(text, /^ *(\d+) fail$/m);
}

console.log("");
for (const name of broken) console.log(`failed: ${name}`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(broken.length === 0 && failed === 0 && passed > 0 ? 0 : 1);
