/** The fixtures are what fixtures/README.md says they are. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import * as z from "zod";
import { test } from "./_test.ts";
import type { VectorFile } from "./_vectors.ts";

const folder = new URL("../fixtures/", import.meta.url);
const read = (path: string): unknown => JSON.parse(readFileSync(new URL(path, folder), "utf8"));

const schema = z.fromJSONSchema(read("dialects.schema.json") as Parameters<typeof z.fromJSONSchema>[0]);
const { cases } = read("cases.json") as { cases: { case: string; everyDialect: boolean; means: string }[] };

for (const name of readdirSync(new URL("dialects/", folder)).sort()) {
  const json = read(`dialects/${name}`);

  test(`fixtures/dialects/${name} keeps the schema`, () => {
    const result = schema.safeParse(json);
    assert.ok(result.success, result.success ? "" : z.prettifyError(result.error));
    const file = json as VectorFile;
    assert.equal(name, `${file.dialect.replaceAll("-", "_")}.json`, "a file is named after its dialect");
    const ids = file.cases.map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length, "ids are unique");
    for (const vector of file.cases) {
      assert.ok(
        cases.some((each) => each.case === vector.case),
        `${vector.id}: ${vector.case} is in cases.json`,
      );
      for (const tool of vector.tools) {
        assert.ok(tool in file.tools, `${vector.id}: ${tool} is among the tools`);
      }
    }
  });

  test(`fixtures/dialects/${name} has every case, or says why not`, () => {
    const { dialect, cases: vectors, notApplicable = {} } = json as VectorFile;
    for (const excused of Object.keys(notApplicable)) {
      assert.ok(!vectors.some((vector) => vector.case === excused), `${excused} is excused, but there`);
    }
    if (dialect === "text") return; // what is a call in no dialect
    for (const wanted of cases.filter(({ everyDialect }) => everyDialect)) {
      const there = vectors.some((vector) => vector.case === wanted.case);
      assert.ok(there || wanted.case in notApplicable, `${wanted.case}: ${wanted.means}`);
    }
  });
}

test("the schema refuses what is no vector file", () => {
  const good = read("dialects/dsml.json") as Record<string, unknown>;
  assert.ok(schema.safeParse(good).success);
  assert.ok(!schema.safeParse({ ...good, format: 2 }).success);
  assert.ok(!schema.safeParse({ ...good, odd: true }).success);
  assert.ok(!schema.safeParse({ ...good, cases: [{ id: "x" }] }).success);
});

test("at least 60 texts must not become a call", () => {
  const { cases: vectors } = read("dialects/text.json") as VectorFile;
  assert.ok(vectors.length >= 60);
  for (const vector of vectors) {
    assert.deepEqual(vector.expect.calls, [], vector.id);
    assert.equal(vector.expect.content, vector.input, vector.id);
  }
});
