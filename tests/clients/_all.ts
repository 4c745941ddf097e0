/** `deno task test:clients`: each program of this folder, one after the other, and how long it took. */
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { seconds } from "./_install.ts";

const folder = fileURLToPath(new URL(".", import.meta.url));
const names = readdirSync(folder).filter((name) => name.endsWith(".ts") && !name.startsWith("_")).sort();
const failed: string[] = [];
const start = Date.now();
for (const name of names) {
  const begin = Date.now();
  console.log(`\n$ deno run -A tests/clients/${name}`);
  const { status } = spawnSync(process.execPath, ["run", "-A", folder + name], { stdio: "inherit" });
  if (status !== 0) failed.push(name);
  console.log(`${status === 0 ? "passed" : "FAILED"}: ${name} (${seconds(begin)})`);
}
console.log(`\ntest:clients: ${failed.length === 0 ? "all passed" : `${failed} failed`} (${seconds(start)})`);
process.exit(failed.length === 0 && names.length > 0 ? 0 : 1);
