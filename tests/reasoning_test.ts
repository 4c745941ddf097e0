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
