/** Reasoning that the prompt has opened: only its closing tag comes. */
import assert from "node:assert/strict";
import { REASONING_TAGS } from "../src/parse/signals.ts";
import { test } from "./_test.ts";
import { fold, merge, parse, splits } from "./_turn.ts";

for (const [, closer] of REASONING_TAGS) {
  test(`reasoning that the prompt has opened ends with ${closer}`, () => {
    const text = `plan\nin two lines${closer}Hi`;
    for (const pieces of [[text], ...splits(text), text.split("")]) {
      const turn = fold(merge(parse(pieces, [], { startsInReasoning: true })));
      assert.equal(turn.reasoning, "plan\nin two lines");
      assert.equal(turn.content, "Hi");
    }
  });
}

test("white space between the reasoning and the answer goes with the tag; an indent stays", () => {
  const cases: [text: string, content: string][] = [
    ["<think>plan</think>\n\nHi\n\nthere", "Hi\n\nthere"],
    ["<think>plan</think> \n\n  - Hi", "  - Hi"],
    ["</think>\r\n\r\nHi", "Hi"],
    ["\n<think>plan</think>\nHi", "Hi"],
    ["<think>plan</think> Hi", "Hi"],
    ["\n\nHi", "\n\nHi"],
    ["Well.\n</think>\n\nHi", "Well.\n\n\nHi"],
  ];
  for (const [text, content] of cases) {
    for (const pieces of [[text], ...splits(text), text.split("")]) {
      assert.equal(fold(merge(parse(pieces, []))).content, content, JSON.stringify(pieces));
    }
  }
  const kept = fold(merge(parse(["<think>plan</think>\n\nHi"], [], { keepReasoning: true })));
  assert.equal(kept.content, "<think>plan</think>\n\nHi");
});
