/** The shape of the tree: imports point up one list, no runtime's own names in the core, everything in its registry. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dialectIds } from "../src/dialects/ids.ts";
import { dialects } from "../src/dialects/mod.ts";
import { fixIds } from "../src/fixes/ids.ts";
import type { Fix } from "../src/fixes/fix.ts";
import { fixes } from "../src/fixes/mod.ts";
import { test } from "./_test.ts";
import { vectorFiles } from "./_vectors.ts";

/** A file may import what stands above it (design.md §4), and, in a folder that is named as a whole, its neighbours. */
const LAYERS: readonly string[] = [
  "parse/event.ts",
  "parse/marker.ts",
  "parse/step.ts",
  "parse/seams.ts",
  "parse/trail.ts",
  "parse/scanner.ts",
  "parse/sinks.ts",
  "parse/dialect.ts",
  "parse/names.ts",
  "parse/json_string.ts",
  "parse/json_word.ts",
  "parse/json.ts",
  "parse/schema.ts",
  "parse/coerce.ts",
  "parse/tree.ts",
  "parse/members.ts",
  "parse/string_value.ts",
  "parse/arguments.ts",
  "parse/signals.ts",
  "parse/markdown.ts",
  "parse/outbox.ts",
  "parse/block.ts",
  "parse/live.ts",
  "parse/turn.ts",
  "parse/skim.ts",
  "parse/code.ts",
  "parse/openings.ts",
  "parse/fences.ts",
  "parse/asides.ts",
  "parse/parser.ts",
  "dialects/",
  "dialects/mod.ts",
  "repair_config.ts",
  "wire/",
  "bridge/",
  "fixes/",
  "fixes/mod.ts",
  "fixes/plan.ts",
  "fixes/exchange.ts",
  "way_back.ts",
  "repair.ts",
  "wrap_fetch.ts",
  "inside_options.ts",
  "provider.ts",
  "version.ts",
  "process.ts",
  "settings/",
  "upstream/",
  "config/",
  "config.ts",
  "exposure.ts",
  "access.ts",
  "observe/",
  "plugin_patch.ts",
  "plugin.ts",
  "upstream.ts",
  "error_answer.ts",
  "inspector/",
  "listen.ts",
  "routing/",
  "own_routes.ts",
  "handler.ts",
  "server.ts",
  "doctor/",
  "cli/",
  "cli/mod.ts",
  "main.ts",
];

/** What runs in a browser, a worker or a plugin as well: no runtime's own names. */
const CORE =
  /^(?:parse|dialects|wire|bridge|fixes)\/|^(?:repair|repair_config|way_back|wrap_fetch|inside_options|provider)\.ts$/;

const root = new URL("../src/", import.meta.url);
const files = (readdirSync(root, { recursive: true }) as string[])
  .map((path) => path.replaceAll("\\", "/")).filter((path) => path.endsWith(".ts")).sort();
const sources = new Map(files.map((path) => [path, readFileSync(new URL(path, root), "utf8")]));

/** The page's files are no modules of the program: it takes them as texts. */
const isPage = (path: string) => /^\/?inspector\/page\/[\w.]+$/.test(path);
const pages = new Map(
  readdirSync(new URL("inspector/page/", root)).map((name): [string, string] => [
    `inspector/page/${name}`,
    readFileSync(new URL(`inspector/page/${name}`, root), "utf8"),
  ]),
);

function layerOf(path: string): number {
  const exact = LAYERS.indexOf(path);
  const layer = exact === -1
    ? LAYERS.findIndex((entry) => entry.endsWith("/") && path.startsWith(entry))
    : exact;
  assert.notEqual(layer, -1, `src/${path} has no place in the list of layers`);
  return layer;
}

test("imports point up the list of layers", () => {
  for (const [path, source] of sources) {
    for (const [, target] of source.matchAll(/from "(\.[^"]+)"/g)) {
      const { pathname } = new URL(target!, new URL(path, "http://src/"));
      if (pathname.endsWith(".json")) continue;
      if (isPage(pathname)) {
        assert.ok(
          pages.has(pathname.slice(1)),
          `src/${path} imports ${pathname.slice(1)}, which is not there`,
        );
        continue;
      }
      const imported = pathname.slice(1);
      assert.ok(sources.has(imported), `src/${path} imports ${imported}, which is not there`);
      const own = layerOf(path), other = layerOf(imported);
      const neighbours = own === other && LAYERS[own]!.endsWith("/");
      assert.ok(other < own || neighbours, `src/${path} must not import ${imported}`);
    }
  }
});

test("every layer has a file", () => {
  for (const layer of LAYERS) assert.ok(files.some((path) => path.startsWith(layer)), layer);
});

/** What a file cannot be run without: files of the tree by their paths, all else as it stands there. */
function importsOf(path: string): string[] {
  return [...sources.get(path)!.matchAll(/^(?:import|export) (?!type)(?:[^;"]*? from )?"([^"]+)"/gm)]
    .map(([, target]) =>
      target!.startsWith(".") ? new URL(target!, new URL(path, "http://src/")).pathname.slice(1) : target!
    );
}

test("no import runs in a circle", () => {
  const open = new Set<string>(), done = new Set<string>();
  const visit = (path: string): void => {
    if (done.has(path)) return;
    assert.ok(!open.has(path), `src/${path} imports itself by way of ${[...open].join(", ")}`);
    open.add(path);
    importsOf(path).filter((imported) => sources.has(imported)).forEach(visit);
    open.delete(path);
    done.add(path);
  };
  files.forEach(visit);
});

test("a plain start loads no package and no module of Node: each takes as long as all that is ours", () => {
  const loaded = new Set(["main.ts"]);
  for (const path of loaded) {
    for (const imported of importsOf(path)) {
      if (sources.has(imported)) loaded.add(imported);
      else assert.match(imported, /\.json$/, `src/${path}`);
    }
  }
  assert.ok(loaded.has("server.ts") && loaded.has("settings/settings.ts"));
});

test("the core names no runtime", () => {
  for (const [path, source] of sources) {
    if (!CORE.test(path)) continue;
    const code = source.replace(/\/\*[^]*?\*\/|\/\/.*/g, "");
    assert.doesNotMatch(code, /\b(?:Deno|Bun|process)\.|"node:|\bBuffer\b/, `src/${path}`);
  }
});

test("files stay short enough to be one idea", () => {
  for (const [path, source] of sources) {
    const lines = source.trimEnd().split("\n").length;
    assert.ok(lines <= 275, `src/${path} has ${lines} lines`);
  }
});

test("each file says first what it is for", () => {
  for (const [path, source] of sources) assert.match(source, /^\/\*\*/, `src/${path}`);
});

test("the page's files are short, say what they are for, reach for nothing outside, and are all served", () => {
  const served = sources.get("inspector/page_files.ts")!;
  const head =
    /^(?:(?:\/\/ @ts-check\n)(?:\/\/\/ <reference lib="dom(?:\.iterable)?" \/>\n)*)?\/\*|^<!DOCTYPE html>\n<!--/;
  for (const [path, source] of pages) {
    assert.ok(source.trimEnd().split("\n").length <= 275, `src/${path} is too long`);
    if (!path.endsWith(".svg")) assert.match(source, head, `src/${path}`);
    assert.doesNotMatch(
      source.replaceAll("http://www.w3.org/2000/svg", ""),
      /https?:|innerHTML|eval\(/,
      `src/${path}`,
    );
    assert.ok(served.includes(`./page/${path.slice(15)}"`), `src/${path} is not served`);
    for (const [, target] of source.matchAll(/from "\.\/([^"]+)"/g)) {
      assert.ok(pages.has(`inspector/page/${target}`), `src/${path} imports ${target}, which is not there`);
    }
  }
});

test("every file of fixes is in the registry, or helps one that is", async () => {
  const paths = files.filter((path) => path.startsWith("fixes/"));
  for (const path of paths) {
    const exported = Object.values(await import(new URL(path, root).href) as Record<string, unknown>);
    for (const fix of exported.filter(isFix)) assert.ok(fixes.includes(fix), `${fix.id} of src/${path}`);
    const helps = [...sources].some(([other, source]) =>
      other !== path && source.includes(`/${path.slice(6)}"`)
    );
    assert.ok(helps, `nothing imports src/${path}`);
  }
});

function isFix(value: unknown): value is Fix {
  return typeof value === "object" && value !== null && "applies" in value && "why" in value;
}

test("the lists of ids say what the registries hold, in their order", () => {
  assert.deepEqual(dialectIds, dialects.map(({ id }) => id));
  assert.deepEqual(fixIds, fixes.map(({ id }) => id));
});

test("every dialect is in the registry once, and has vectors", () => {
  const ids = dialects.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length, "ids are unique");
  for (const id of ids) {
    assert.match(id, /^[a-z0-9]+(-[a-z0-9]+)*$/);
    assert.ok(vectorFiles.some(({ dialect }) => dialect === id), `${id} has a vector file`);
  }
  for (const { dialect } of vectorFiles) {
    // `text` is no dialect: it holds what must not become a call in any.
    assert.ok(
      ids.includes(dialect) || dialect === "text",
      `fixtures for ${dialect}, which is not registered`,
    );
  }
});
