/** The bun at hand when it is the one that is meant; else npm brings it. */
import { spawnSync } from "node:child_process";

const VERSION = "1.4.4";

const atHand = spawnSync("bun", ["--version"], { encoding: "utf8" }).stdout?.trim() === VERSION;

/** The words of a command that is Bun. */
export const bun: readonly string[] = atHand ? ["bun"] : ["npx", "-y", `bun@${VERSION}`];
