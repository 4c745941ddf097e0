/** The canonical example of every dialect (dialects.md, Appendix A): whole, at every split, one code unit at a time. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { Schema, Tool } from "../src/parse/dialect.ts";
import { test } from "./_test.ts";
import { fold, merge, parse, splits, type Turn } from "./_turn.ts";

/** One line of the appendix; white space round `content` and `reasoning` does not count. */
interface Example {
  readonly dialect: string;
  readonly text: string;
  readonly calls: readonly { readonly name: string; readonly arguments: unknown }[];
  readonly content?: string;
  readonly reasoning?: string;
  /** Ids that the dialect carries. */
  readonly ids?: readonly string[];
  readonly prompt_opened_think?: boolean;
}

const examples = readFileSync(new URL("../fixtures/appendix_a.jsonl", import.meta.url), "utf8")
  .split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as Example);

const tools: readonly Tool[] = [
  tool("get_weather", { city: "string", days: "integer" }),
  tool("write_file", { path: "string", content: "string" }),
  tool("refresh", {}),
  tool("bash", { command: "string" }),
  tool("send", { from: "string", to: "string" }),
];

function tool(name: string, types: { readonly [parameter: string]: string }): Tool {
  const properties: Schema = Object.fromEntries(Object.entries(types).map(([key, type]) => [key, { type }]));
  return { name, parameters: { type: "object", properties } };
}

for (const example of examples) {
  test(`appendix A, ${example.dialect}`, () => {
    const options = { startsInReasoning: example.prompt_opened_think ?? false };
    const run = (pieces: readonly string[]) => merge(parse(pieces, tools, options));
    const whole = run([example.text]);
    assert.deepEqual(outcome(fold(whole)), expected(example));
    for (const pieces of [...splits(example.text), example.text.split("")]) {
      assert.deepEqual(run(pieces), whole, JSON.stringify(pieces));
    }
  });
}

function outcome({ content, reasoning, calls }: Turn) {
  return {
    content: content.trim(),
    reasoning: reasoning.trim(),
    calls: calls.map(({ name, arguments: values }) => ({ name, arguments: values })),
    ids: calls.flatMap(({ id }) => id ?? []),
  };
}

function expected({ content = "", reasoning = "", calls, ids = [] }: Example) {
  return { content: content.trim(), reasoning: reasoning.trim(), calls, ids };
}
