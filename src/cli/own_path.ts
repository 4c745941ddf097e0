/** How this very program is started again: its own executable, or the runtime and the sources that it runs from. */
import { existsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import manifest from "../../deno.json" with { type: "json" };

/** A command line that starts this program. */
export interface OwnPath {
  /** The executable and what stands in front of the program's own arguments. */
  readonly command: readonly string[];
  /** Variables that it needs, as the tasks set them. */
  readonly environment: { readonly [name: string]: string };
  /** The files that have to be there. */
  readonly files: readonly string[];
  /** Deno, which keeps a cache, runs it from its sources. */
  readonly caches: boolean;
}

/** Finds out how this process was started. */
export function ownPath(): OwnPath {
  const { execPath } = process;
  const main = sourcePath();
  if (main === undefined) return { command: [execPath], environment: {}, files: [execPath], caches: false };
  const files = [execPath, main];
  if ("Bun" in globalThis) return { command: [execPath, main], environment: {}, files, caches: false };
  // As the task does it: with its permissions and its variables.
  const words = manifest.tasks.start.command.split(" ");
  const run = words.slice(words.indexOf("run"), -1);
  const variables = words.slice(0, words.indexOf("deno")).map((word) => word.split("=") as [string, string]);
  return {
    command: [execPath, ...run, main],
    environment: Object.fromEntries(variables),
    files,
    caches: true,
  };
}

/** The program's source file; undefined in an executable. */
function sourcePath(): string | undefined {
  const { Deno } = globalThis as { Deno?: { build: { standalone?: boolean } } };
  if (Deno?.build.standalone === true || !import.meta.url.startsWith("file:")) return undefined;
  const path = fileURLToPath(new URL("../main.ts", import.meta.url));
  return existsSync(path) && !/\$bunfs|~BUN/.test(path) ? path : undefined;
}

/** The owner of the first of the files that not everybody on this machine may read; undefined when all may. */
export function ownerOf({ files }: OwnPath): number | undefined {
  for (const file of files) {
    for (let path = file;; path = dirname(path)) {
      const { mode, uid } = statSync(path);
      if ((mode & (path === file ? 0o4 : 0o1)) === 0) return uid;
      if (dirname(path) === path) break;
    }
  }
}
