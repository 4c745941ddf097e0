/** Text that is no call leaves soon: what has to be looked at is held no longer than it takes to tell (rule 19). */
import assert from "node:assert/strict";
import { dialects } from "../src/dialects/mod.ts";
import { createParser } from "../src/parse/parser.ts";
import { test } from "./_test.ts";
import { piecesOf, toolsOf, vectorFiles } from "./_vectors.ts";

/** More than the longest name with what stands around it. */
const LIMIT = 160;

/** Examples of calls: only what comes behind shows that they are none. */
const WHOLE = /^(?:json-fence-then-text|json-then-text|md-fence-open|own-.*)$/;

const file = vectorFiles.find(({ dialect }) => dialect === "text")!;

for (const vector of file.cases.filter(({ id }) => !WHOLE.test(id))) {
  test(`text ${vector.id} is not held for longer than ${LIMIT} characters`, () => {
    const parser = createParser({ tools: toolsOf(file, vector), dialects });
    let given = 0, got = 0;
    for (const char of piecesOf(vector).join("").trimStart()) {
      given += char.length;
      for (const event of parser.feed(char)) if (event.type === "content-delta") got += event.text.length;
      assert.ok(given - got <= LIMIT, `${given - got} characters are held`);
    }
  });
}

test("a long answer in JSON leaves as it comes", () => {
  const tools = toolsOf(file, file.cases[0]!);
  const words = "all work and no play ".repeat(200);
  for (
    const start of [
      `{"name": "${words}`,
      `{"${words}`,
      `{"name": {"${words}`,
      `{"input": "${words}`,
      `{"arguments": {"a": "${words}`,
      `[{"title": "${words}`,
      `[${words}`,
      `{"type": "object", "${words}`,
      `{"type": "${words}`,
      `{"id": ${"7".repeat(4000)}`,
      `[get_weathers(${words}`,
      `{"tool_calls": [{"id": "${words}`,
      `get_weather ${words}`,
      `<tool_call>get_weather ${words}`,
      `Action: ${words}`,
      `call:${words}`,
      `\`\`\`json\n{"name": "${words}`,
      `\`\`\`json\n{"a": 1, "b": "${words}`,
      `\`\`\`tool_code\n${words}`,
    ]
  ) {
    const parser = createParser({ tools, dialects });
    let given = 0, got = 0;
    for (const piece of start.match(/[^]{1,7}/g)!) {
      given += piece.length;
      for (const event of parser.feed(piece)) if (event.type === "content-delta") got += event.text.length;
      assert.ok(given - got <= 256, `${start.slice(0, 30)}: ${given - got} characters are held`);
    }
  }
});
