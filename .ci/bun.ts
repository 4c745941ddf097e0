/** The Bun that the tests run under and that executables are made of. */
import { spawnSync } from "node:child_process";
import tools from "./tools.json" with { type: "json" };

export const BUN: string = tools.dependencies.bun;

// The bun at hand when it is the one that is meant; else npm brings it.
const atHand = spawnSync("bun", ["--version"], { encoding: "utf8" }).stdout?.trim() === BUN;

/** The words that begin a command for Bun. */
export const bun: readonly string[] = atHand ? ["bun"] : ["npx", "-y", `bun@${BUN}`];
