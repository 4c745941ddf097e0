/** An agent that edits this repository works through Callmend: its files are full of the markup that is looked for. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { demoModels } from "../src/cli/demo_models.ts";
import { test } from "./_test.ts";
import { fold, parse } from "./_turn.ts";

const root = new URL("../", import.meta.url);
const files = [
  "README.md",
  "fixtures/README.md",
  ...["src/cli", "src/dialects", "src/parse", "tests"].flatMap((folder) =>
    readdirSync(new URL(`${folder}/`, root)).filter((name) => name.endsWith(".ts")).map((name) =>
      `${folder}/${name}`
    )
  ),
].map((path) => [path, readFileSync(new URL(path, root), "utf8")] as const).filter(([, { length }]) =>
  length < 40_000
);

const tool = (name: string, ...properties: string[]) => ({
  name,
  parameters: {
    type: "object",
    properties: Object.fromEntries(properties.map((property) => [property, { type: "string" }])),
    required: properties,
  },
});
const tools = [tool("write_file", "path", "content"), tool("read", "path"), tool("bash", "command")];

/** Gemma's strings have no escapes: a file that holds their delimiter cannot be written in it, by any parser. */
const cannotHold = (id: string, content: string): boolean => id === "demo-gemma" && content.includes('<|"|>');

for (const { id, write } of demoModels) {
  if (write === undefined) continue;
  test(`${id}: every source file arrives as it was written`, () => {
    for (const [path, content] of files) {
      if (cannotHold(id, content)) continue;
      const { calls, content: text, cut } = fold(
        parse([write({ name: "write_file", arguments: { path, content } })], tools),
      );
      assert.equal(calls.length, 1, path);
      assert.deepEqual(calls[0]!.arguments, { path, content }, path);
      assert.deepEqual([text.trim(), cut], ["", false], path);
    }
  });
}

test("a source file that is shown in a code fence is text", () => {
  for (const [path, content] of files) {
    const fence = "`".repeat(Math.max(3, ...(content.match(/`+/g) ?? []).map(({ length }) => length + 1)));
    const shown = `Here it is:\n${fence}ts\n${content}\n${fence}\nDone.`;
    const { calls, content: text } = fold(parse([shown], tools));
    assert.deepEqual(calls, [], path);
    assert.equal(text, shown, path);
  }
});
