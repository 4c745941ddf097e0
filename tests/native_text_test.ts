/** What becomes of text in front of a call that the upstream has parsed by itself, and behind it. */
import assert from "node:assert/strict";
import { dialects } from "../src/dialects/mod.ts";
import { createParser } from "../src/parse/parser.ts";
import { test } from "./_test.ts";
import { fold } from "./_turn.ts";

const tools = [{ name: "search" }];

for (
  const text of ["I use the functions", "Done.\nsearch", "An Action:", "the final analysis", "call tool="]
) {
  test(`words that might have become a call stay: ${text}`, () => {
    const parser = createParser({ tools, dialects });
    const turn = fold([...parser.feed(text), ...parser.nativeCall(), ...parser.end()]);
    assert.equal(turn.content, text);
  });
}

for (const marker of ["<|tool_calls_section_begin|>", "<|tool_calls_sec", "[TOOL_CALLS]", "<|channel|>"]) {
  test(`a dangling marker is dropped: ${marker}`, () => {
    const parser = createParser({ tools, dialects });
    const turn = fold([...parser.feed(`Hm. ${marker}`), ...parser.nativeCall(), ...parser.end()]);
    assert.equal(turn.content.trim(), "Hm.");
  });
}

for (
  const opener of ["<｜DSML｜function_calls>", "<tool_call>", "<｜DSML｜", "<|tool_calls_sec", "[TOOL_CALLS]"]
) {
  test(`an opener that is left over behind a native call is dropped: ${opener}`, () => {
    const parser = createParser({ tools, dialects });
    const turn = fold([...parser.nativeCall(), ...parser.feed(`I look. ${opener}`), ...parser.end()]);
    assert.equal(turn.content.trim(), "I look.");
    assert.equal(parser.cut, false);
  });
}

test("words behind a native call stay", () => {
  for (const text of ["I use the functions", "The <tool_call> opens it.", "Done.\nsearch"]) {
    const parser = createParser({ tools, dialects });
    const turn = fold([...parser.nativeCall(), ...parser.feed(text), ...parser.end()]);
    assert.equal(turn.content, text);
  }
});
