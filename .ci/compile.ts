/**
 * `deno task compile` and `deno task compile:bun`: makes the executables, each one file, with checksums and an SBOM
 * in `dist/`.
 *
 *   --with <deno|bun>     what compiles them, and runs in them
 *   --target <platforms>  `all` (default), `host` (this machine's; dist/callmend is the same file), or some by comma
 *   --out <folder>        instead of dist
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, relative, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import manifest from "../deno.json" with { type: "json" };
import type { Build } from "../src/version.ts";
import { BUN, bun } from "./bun.ts";
import { bundle } from "./bundle.ts";
import { sbom } from "./sbom.ts";

/** Our names of the platforms, and Deno's; Bun's are `bun-` and ours. */
const platforms: { readonly [name: string]: string } = {
  "linux-x64": "x86_64-unknown-linux-gnu",
  "linux-arm64": "aarch64-unknown-linux-gnu",
  "darwin-x64": "x86_64-apple-darwin",
  "darwin-arm64": "aarch64-apple-darwin",
  "windows-x64": "x86_64-pc-windows-msvc",
};

const host = `${process.platform.replace("win32", "windows")}-${process.arch}`;
const root = fileURLToPath(new URL("../", import.meta.url));

const { values: options } = parseArgs({
  args: process.argv.slice(2).filter((word) => word !== "--"),
  options: {
    with: { type: "string", default: "bun" },
    target: { type: "string", default: "all" },
    out: { type: "string", default: resolve(root, "dist") },
  },
});
const out = resolve(options.out);

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}

/** What one of git's commands prints; undefined where there is no repository or no git. */
function git(...given: string[]): string | undefined {
  const { status, stdout } = spawnSync("git", given, { cwd: root, encoding: "utf8" });
  return status === 0 ? stdout.trim() : undefined;
}

/** A container is built without the repository, and is told the commit; SOURCE_DATE_EPOCH makes builds repeatable. */
function readBuild(): Build {
  const { CALLMEND_COMMIT, SOURCE_DATE_EPOCH } = process.env;
  const dirty = git("status", "--porcelain") ? "-dirty" : "";
  const commit = CALLMEND_COMMIT || `${git("rev-parse", "HEAD") ?? "unknown"}${dirty}`;
  const time = SOURCE_DATE_EPOCH ? new Date(Number(SOURCE_DATE_EPOCH) * 1000) : new Date();
  return { commit, built: time.toISOString().replace(/\.\d+/, "") };
}

/** Puts the build's facts in front of the program, outside of the tree; gives the file to compile. */
function writeEntry(build: Build): string {
  const folder = resolve(out, ".entry");
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    resolve(folder, "build.ts"),
    `Object.assign(globalThis, { callmendBuild: ${JSON.stringify(build)} });\n`,
  );
  const main = relative(folder, resolve(root, "src/main.ts")).replaceAll("\\", "/");
  const entry = resolve(folder, "main.ts");
  writeFileSync(entry, `import "./build.ts";\nimport "${main}";\n`);
  return entry;
}

/** Copies of the bundles under names that are not taken for more source, as src/cli/bundles.ts looks for them. */
function embedded(folder: string): string[] {
  return Object.values(bundle(folder)).map((path) => {
    copyFileSync(path, `${path}.txt`);
    return `${path}.txt`;
  });
}

/** The command that makes one executable. */
function commandFor(platform: string, entry: string, file: string): readonly string[] {
  if (options.with === "bun") {
    return [
      ...bun,
      "build",
      "--compile",
      `--target=bun-${platform}`,
      // Names stay: they stand in the log when something unexpected fails.
      "--splitting", // what is imported on demand is loaded on demand
      "--minify-syntax",
      "--minify-whitespace",
      "--bytecode", // starts in a third of the time
      "--compile-jit-policy=100", // what runs once is not worth compiling; `src/cli/start.ts` ends that
      "--format=esm",
      // What lies in the folder that it is started in is not its business.
      "--no-compile-autoload-dotenv",
      "--no-compile-autoload-bunfig",
      "--loader=.txt:file",
      entry,
      ...embedded(dirname(entry)),
      `--outfile=${file}`,
    ];
  }
  // The same permissions as `deno task callmend` gives.
  const allowed = manifest.tasks.callmend.command.split(" ").filter((word) =>
    /^--(?:no-prompt|allow-)/.test(word)
  );
  const config = `--config=${resolve(root, "deno.json")}`;
  return [
    process.execPath,
    "compile",
    "--quiet",
    config,
    ...allowed,
    `--target=${platforms[platform]}`,
    `--output=${file}`,
    entry,
  ];
}

function compile(platform: string, entry: string): string {
  const name = `callmend-${manifest.version}-${platform}${platform.startsWith("windows") ? ".exe" : ""}`;
  const file = resolve(out, name);
  rmSync(file, { force: true });
  const [program, ...given] = commandFor(platform, entry, file);
  console.error(`compiling ${name}`);
  // Bun leaves unfinished files in the folder that it runs in.
  const { status, stdout, stderr } = spawnSync(program!, given, { cwd: out, encoding: "utf8" });
  if (status !== 0) {
    const hint = options.with === "deno"
      ? "\n`deno compile` downloads a runtime from dl.deno.land; without it: deno task compile:bun"
      : "";
    fail(`Cannot compile ${name}: ${stdout}${stderr}${hint}`);
  }
  chmodSync(file, 0o755);
  console.log(`${name}  ${(readFileSync(file).length / 2 ** 20).toFixed(1)} MiB`);
  return file;
}

if (!["bun", "deno"].includes(options.with)) fail(`Cannot use --with ${options.with}: allowed: bun, deno`);
const wanted = options.target === "all"
  ? Object.keys(platforms)
  : options.target.split(",").map((word) => word === "host" ? host : word);
const unknown = wanted.find((platform) => !Object.hasOwn(platforms, platform));
if (unknown !== undefined) {
  fail(`Cannot use --target ${unknown}: allowed: all, host, ${Object.keys(platforms).join(", ")}`);
}

const build = readBuild();
const entry = writeEntry(build);
try {
  for (const platform of wanted) {
    const file = compile(platform, entry);
    if (platform !== host) continue;
    const stable = resolve(out, `callmend${host.startsWith("windows") ? ".exe" : ""}`);
    rmSync(stable, { force: true }); // it may be running
    copyFileSync(file, stable);
  }
} finally {
  rmSync(resolve(out, ".entry"), { recursive: true, force: true });
}
const version = options.with === "bun" ? BUN : process.versions["deno"]!;
writeFileSync(
  resolve(out, `callmend-${manifest.version}.cdx.json`),
  sbom(build, { name: options.with, version }),
);

// All files of this version, also those of an earlier run for another platform.
const names = readdirSync(out).filter((name) => name.startsWith(`callmend-${manifest.version}`)).sort();
const sums = names.map((name) =>
  `${createHash("sha256").update(readFileSync(resolve(out, name))).digest("hex")}  ${name}\n`
);
writeFileSync(resolve(out, "SHA256SUMS"), sums.join(""));
console.log(`SHA256SUMS  ${names.length} files, commit ${build.commit}`);
