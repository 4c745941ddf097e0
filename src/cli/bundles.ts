/** Finds the provider and the plugin as single files, made by `deno task bundle`. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** What runs inside OpenCode. */
export type Kind = "provider" | "plugin";

export function bundleName(kind: Kind): string {
  return `callmend-${kind}.mjs`;
}

/** What of Bun is used here; its types are not at hand under Deno. */
interface Bun {
  readonly embeddedFiles: readonly (Blob & { readonly name: string })[];
}

/** The bundle's text; undefined when it is nowhere. */
export async function readBundle(kind: Kind): Promise<string | undefined> {
  return await embedded(kind) ?? beside(kind);
}

/**
 * In an executable: `bun build --compile --loader .txt:file src/main.ts <copies of the bundles>`, the copies named
 * `callmend-provider.mjs.txt` and `callmend-plugin.mjs.txt`, as a `.mjs` would be taken for more source.
 */
async function embedded(kind: Kind): Promise<string | undefined> {
  const { Bun } = globalThis as { Bun?: Bun };
  const name = bundleName(kind).replace(".mjs", "");
  const file = Bun?.embeddedFiles.find((each) =>
    each.name.startsWith(name) || each.name.includes(`/${name}`)
  );
  return await file?.text();
}

/** In `dist/` of a checkout, or beside an executable. */
function beside(kind: Kind): string | undefined {
  const folders = [join(here(), "../../dist"), dirname(process.execPath)];
  const path = folders.map((folder) => join(folder, bundleName(kind))).find((each) => existsSync(each));
  return path === undefined ? undefined : readFileSync(path, "utf8");
}

function here(): string {
  return import.meta.url.startsWith("file:") ? dirname(fileURLToPath(import.meta.url)) : ".";
}
