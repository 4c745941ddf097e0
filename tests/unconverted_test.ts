/** Markup that nobody converts is noticed, and only that. */
import assert from "node:assert/strict";
import { repair } from "../src/repair.ts";
import { onEnd } from "../src/wire/watcher.ts";
import { test } from "./_test.ts";
import { chat, chunk, data, DONE, readTool, upstream } from "./_upstream.ts";

/** What is noticed in a text that comes in pieces of `size`. */
async function noticed(text: string, size: number, tools: unknown[] = [readTool]): Promise<string[]> {
  const pieces = text.match(new RegExp(`[^]{1,${size}}`, "g")) ?? [];
  const chunks = pieces.map((content) => chunk({ content }));
  const answer = data(chunk({ role: "assistant", content: "" }), ...chunks, chunk({}, "stop")) + DONE;
  let found: string[] = [];
  const fetch = repair(
    upstream([answer]).next,
    {},
    onEnd(({ problems }) =>
      found = problems.filter(({ code }) => code === "markup-left").map(({ detail }) => detail)
    ),
  );
  const said = await (await fetch(chat({ tools }))).text();
  assert.ok(said.includes("[DONE]"));
  return found;
}

const missed = [
  "Sure.\n<new_tool_dialect:tool_call>read(path=a)</new_tool_dialect:tool_call>",
  "<|tool▁use▁begin|>read a.txt<|tool▁use▁end|>",
  "<tool_request>\nread: a.txt\n</tool_request>",
  "I will [FUNCTION_CALL] read a.txt [/FUNCTION_CALL]",
  'Now: {"tool": "read", "tool_input": {"path": "a.txt"}, "thought": "x"} and then we see.',
  "See `code` first. <function_call name=read>a.txt",
  "<function_call name=read>a.txt. See `code` behind it.",
  "[FUNCTION_CALL] read a.txt\n```sh\nls\n```",
];

for (const [n, text] of missed.entries()) {
  test(`markup that is not converted is noticed once: ${n + 1}`, async () => {
    for (const size of [1, 2, 3, 7, 1000]) {
      const found = await noticed(text, size);
      assert.equal(found.length, 1, `${text} in pieces of ${size}`);
    }
  });
}

const fine = [
  "A plain answer about tools, functions and calls: a < b, [1], {x}.",
  "Write `<tool_call>` and then the JSON.",
  "```xml\n<tool_call>\n{}\n</tool_call>\n```\nThat is how it looks.",
  "~~~\n[TOOL_CALLS]\n~~~",
  "Escaped: &lt;tool_call&gt;",
  'An object: {"name": "Ann", "arguments": "none"} is a person.',
  "<div>HTML</div> and Array<Function> and <T extends Tool>",
];

for (const [n, text] of fine.entries()) {
  test(`text that only sounds like it is not: ${n + 1}`, async () => {
    for (const size of [1, 2, 5, 1000]) assert.deepEqual(await noticed(text, size), [], `${text} in ${size}`);
  });
}

test("a call that is converted leaves nothing to notice", async () => {
  const call = '<tool_call>{"name": "read", "arguments": {"path": "a"}}</tool_call>';
  assert.deepEqual(await noticed(`Reading.\n${call}`, 4), []);
});
