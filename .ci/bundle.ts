/** `deno task bundle`: the provider and the plugin, each as one file that needs nothing beside it, in `dist/`. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import manifest from "../deno.json" with { type: "json" };
import { bun } from "./bun.ts";

const root = fileURLToPath(new URL("../", import.meta.url));

/** The files that are made. */
export const bundles = ["provider", "plugin"] as const;

/** Writes both bundles into a folder; gives their paths. */
export function bundle(
  folder: string = join(root, "dist"),
): { readonly [Name in typeof bundles[number]]: string } {
  mkdirSync(folder, { recursive: true });
  const paths = bundles.map((name) => {
    const path = join(folder, `callmend-${name}.mjs`);
    const [program, ...flags] = [...bun, "build", "--target=node", "--format=esm", `--outfile=${path}`];
    const { status, stderr, stdout } = spawnSync(program!, [...flags, `src/${name}.ts`], {
      cwd: root,
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(`Cannot bundle src/${name}.ts: ${stderr || stdout}`);
    const head =
      `// Callmend ${manifest.version}, MIT licence: made from src/${name}.ts by \`deno task bundle\`.\n`;
    writeFileSync(path, head + readFileSync(path, "utf8"));
    return [name, path];
  });
  return Object.fromEntries(paths);
}

if (import.meta.main) {
  for (const path of Object.values(bundle())) console.log(path);
  process.exit(0);
}
