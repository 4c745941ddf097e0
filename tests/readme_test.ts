/** What the README claims of the code is what the code says. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import manifest from "../deno.json" with { type: "json" };
import counts from "../src/cli/vector_counts.json" with { type: "json" };
import { upToDate, vectorCounts } from "./_readme.ts";
import { test } from "./_test.ts";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

test("the README's tables are those of the registry and the settings", () => {
  const { now, wanted } = upToDate();
  assert.equal(now, wanted, "run `deno task readme`");
});

test("`callmend dialects` counts the vectors that are there", () => {
  assert.deepEqual(counts, vectorCounts(), "run `deno task readme`");
});

test("every task that the README names is there", () => {
  const named = [...readme.matchAll(/deno task ([\w:-]+)/g)].map(([, name]) => name!);
  assert.ok(named.length > 5);
  for (const name of named) assert.ok(name in manifest.tasks, `deno task ${name}`);
});

test("every file that the README links to is there", () => {
  for (const [, target] of readme.matchAll(/\]\((?!https?:|#)([^)]+)\)/g)) {
    assert.ok(existsSync(new URL(`../${target}`, import.meta.url)), `${target}`);
  }
});
