/** Runs a benchmark of this folder under Bun, whose sockets cost least: what is measured is then the proxy. */
import { spawnSync } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { bun } from "../../.ci/bun.ts";

const [name, ...rest] = process.argv.slice(2).filter((word) => word !== "--");
const file = fileURLToPath(new URL(`${name}.ts`, import.meta.url));
const [program, ...given] = bun;
const { status } = spawnSync(program!, [...given, file, ...rest], { stdio: "inherit" });
process.exit(status ?? 1);
