/** Installs a client from npm, at one version, into a cache of its own: once, then it is there. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import process from "node:process";

const cache = process.env.CLIENTS_DIR ?? join(homedir(), ".cache", "callmend-clients");

/** The folder of installed packages; `specs` are names with versions. */
export function installed(folder: string, ...specs: readonly string[]): string {
  const home = join(cache, folder);
  const modules = join(home, "node_modules");
  const there = specs.every((spec) => {
    const at = spec.lastIndexOf("@");
    const manifest = join(modules, spec.slice(0, at), "package.json");
    return existsSync(manifest) &&
      JSON.parse(readFileSync(manifest, "utf8")).version.startsWith(spec.slice(at + 1));
  });
  if (there) return modules;
  const begin = Date.now();
  mkdirSync(home, { recursive: true });
  if (!existsSync(join(home, "package.json"))) {
    writeFileSync(join(home, "package.json"), '{"private":true}\n');
  }
  console.log(`installing ${specs.join(" ")} in ${home}: this is done once, and may take minutes`);
  const flags = ["install", "--no-audit", "--no-fund", "--loglevel=error", ...specs];
  const { status, stderr } = spawnSync("npm", flags, { cwd: home, encoding: "utf8" });
  if (status !== 0) throw new Error(`Cannot install ${specs.join(" ")} in ${home}: ${stderr}`);
  console.log(`installed ${specs.join(" ")} in ${home} (${seconds(begin)})`);
  return modules;
}

/** How long it has been, for people. */
export function seconds(since: number): string {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`;
}
