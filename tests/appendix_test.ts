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

/** Lines whose dialect is not in the registry yet. */
const notYet: readonly { readonly dialects: readonly string[]; readonly why: string }[] = [
  {
    why: "families A and E to H are being written",
    dialects: [
      "gemma4",
      "gemma4_thought",
      "functiongemma",
      "apertus",
      "cwm",
      "llama3_json",
      "llama3_python_tag",
      "lmstudio_tool_request",
      "phi4_mini",
      "firefunction_v2",
      "granite3",
      "nemotron_toolcall",
      "xlam_bare",
      "sarashina",
      "functionary_v32",
      "llamacpp_generic",
      "pythonic",
      "llama4_pythonic",
      "olmo3",
      "lfm2",
      "tool_named_xml",
      "tool_named_xml_attr",
      "yaml_xml",
      "react",
      "fenced_json",
      "hyperclovax_14b",
    ],
  },
];

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
  const excuse = notYet.find(({ dialects }) => dialects.includes(example.dialect));
  test(`appendix A, ${example.dialect}${excuse === undefined ? "" : ` (not yet: ${excuse.why})`}`, () => {
    const options = { startsInReasoning: example.prompt_opened_think ?? false };
    const run = (pieces: readonly string[]) => merge(parse(pieces, tools, options));
    const whole = run([example.text]);
    const check = () => assert.deepEqual(outcome(fold(whole)), expected(example));
    if (excuse !== undefined) assert.throws(check, "it passes: take it out of `notYet`");
    else check();
    for (const pieces of [...splits(example.text), example.text.split("")]) {
      assert.deepEqual(run(pieces), whole, JSON.stringify(pieces));
    }
  });
}

test("every line that is excused exists", () => {
  for (const name of notYet.flatMap(({ dialects }) => dialects)) {
    assert.ok(examples.some(({ dialect }) => dialect === name), name);
  }
});

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
