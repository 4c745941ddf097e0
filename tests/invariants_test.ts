/** What holds for every registered dialect, with all of them live, whatever a model writes. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { dialects } from "../src/dialects/mod.ts";
import { createParser } from "../src/parse/parser.ts";
import {
  cutOf,
  cuttingNeverShows,
  mixOf,
  soupOf,
  textsOf,
  tools,
  turnIsSound,
  wholeCallsSayTheSame,
} from "./_soup.ts";
import { test } from "./_test.ts";
import { fold, parse } from "./_turn.ts";

const RUNS = 200;

for (const { id } of dialects) {
  const texts = textsOf(id);
  const text = fc.oneof(soupOf(texts), mixOf(texts));

  test(`${id}: how the text is cut never shows (rule 17)`, () => {
    fc.assert(fc.property(cutOf(text), ([whole, pieces]) => cuttingNeverShows(whole, pieces)), {
      numRuns: RUNS,
    });
  });

  test(`${id}: events nest, nothing is lost, nothing is invented`, () => {
    fc.assert(fc.property(text, turnIsSound), { numRuns: RUNS });
  });

  test(`${id}: arguments that go out whole say the same as arguments that stream`, () => {
    fc.assert(fc.property(text, wholeCallsSayTheSame), { numRuns: RUNS / 2 });
  });
}

test("prose without the start of a marker leaves at once (rule 19)", () => {
  const parser = createParser({ tools, dialects });
  for (const word of "the quick, brown fox: jumps over (the) lazy dog. ".repeat(50).split(/(?= )/)) {
    parser.feed(word);
    assert.equal(parser.held, 0);
    assert.equal(parser.holding, false);
  }
});

test("text that holds starts of markers is held no longer than a marker is (rule 19)", () => {
  const parser = createParser({ tools, dialects });
  let given = 0, got = 0;
  const text = "a < b, <t <to <tool <｜ </x> [a](b) x[1] | call: functions. {a} ".repeat(50);
  for (const char of text) {
    given += char.length;
    for (const event of parser.feed(char)) if (event.type === "content-delta") got += event.text.length;
    assert.ok(given - got < 80, `${given - got} characters are held`);
  }
});

test("text without any marker comes through untouched", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      fc.pre(!/[<[{`~>|◁]|Observation|Action|call|to=|functools/.test(text));
      const turn = fold(parse(text.split(""), tools));
      assert.deepEqual(turn, { content: text, reasoning: "", calls: [], problems: [], cut: false });
    }),
    { numRuns: RUNS },
  );
});

test("a turn made of nothing but openers is text, and is not looked at for ever", () => {
  for (
    const unit of [
      '<tool_call>{"name": "get_weather"',
      ["function=get_weather", "parameter=city"].map((tag) => `<${tag}>`).join(""),
      "<tool_call>",
    ]
  ) {
    const text = unit.repeat(3_000);
    const turn = fold(parse([text], tools));
    assert.deepEqual([turn.content, turn.calls], [text, []]);
  }
  const { problems } = fold(parse(['<tool_call>{"name": "get_weather"'.repeat(3_000)], tools));
  assert.ok(problems.includes("too-ambiguous"), "that it was given up is told");
});
