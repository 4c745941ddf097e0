/** What holds for every registered dialect, with all of them live, whatever a model writes. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { dialects } from "../src/dialects/mod.ts";
import type { Tool } from "../src/parse/dialect.ts";
import { createParser } from "../src/parse/parser.ts";
import { test } from "./_test.ts";
import { fold, merge, parse } from "./_turn.ts";
import { piecesOf, vectorFiles } from "./_vectors.ts";

const RUNS = 400;
const tools: readonly Tool[] = Object.entries(vectorFiles[0]!.tools).map(([name, { parameters }]) => ({
  name,
  parameters,
}));

/** What vectors of a dialect write, as plain text. */
function textsOf(id: string): string[] {
  const files = vectorFiles.filter(({ dialect }) => dialect === id);
  return files.flatMap(({ cases }) =>
    cases.map((vector) =>
      piecesOf(vector).map((piece) =>
        typeof piece === "string" ? piece : piece.content ?? piece.reasoning ?? ""
      ).join("")
    )
  );
}

const nasty = [
  "<",
  "</",
  ">",
  "😀",
  "\ud83d",
  "{",
  "}",
  '"',
  "\\",
  "x",
  "\n",
  "`",
  "```",
  "<think>",
  "</think>",
  "get_weather",
  "[",
  "]",
  ":",
  ",",
  "'",
];

/** Text made of pieces of a dialect's own markup: the worst kind of prose. */
function soupOf(texts: readonly string[]): fc.Arbitrary<string> {
  const bits = [...new Set(texts.flatMap((text) => text.split(/(?<=[>\n "|\]])|(?=[<[])/)))].filter((bit) =>
    bit !== ""
  );
  return fc.array(fc.constantFrom(...bits, ...nasty), { maxLength: 28 }).map((parts) => parts.join(""));
}

/** Whole calls and prose one behind the other, with bits missing. */
function mixOf(texts: readonly string[]): fc.Arbitrary<string> {
  const part = fc.oneof(
    fc.constantFrom(...texts),
    fc.constantFrom("Some prose. ", "\n", "a < b ", "`code` ", "```\nx\n```\n", "<think>hm</think>"),
    fc.constantFrom(...texts).chain((text) => fc.nat(text.length).map((at) => text.slice(0, at))),
    fc.constantFrom(...texts).chain((text) => fc.nat(text.length).map((at) => text.slice(at))),
  );
  return fc.array(part, { maxLength: 4 }).map((parts) => parts.join(""));
}

const cutsOf = (text: string) =>
  fc.array(fc.nat(text.length), { maxLength: 8 }).map((at) => {
    const points = [0, ...at.sort((a, b) => a - b), text.length];
    return points.slice(1).map((to, n) => text.slice(points[n], to));
  });

for (const { id } of dialects) {
  const texts = textsOf(id);
  const text = fc.oneof(soupOf(texts), mixOf(texts));

  test(`${id}: how the text is cut never shows (rule 17)`, () => {
    const cut = text.chain((whole) => fc.tuple(fc.constant(whole), cutsOf(whole)));
    fc.assert(
      fc.property(cut, ([whole, pieces]) => {
        assert.deepEqual(merge(parse(pieces, tools)), merge(parse([whole], tools)));
      }),
      { numRuns: RUNS },
    );
  });

  test(`${id}: events nest, and the arguments of an ended call are one JSON object`, () => {
    fc.assert(
      fc.property(text, (whole) => {
        for (const call of fold(parse([whole], tools)).calls) {
          assert.ok(
            typeof call.arguments === "object" && call.arguments !== null && !Array.isArray(call.arguments),
          );
        }
      }),
      { numRuns: RUNS },
    );
  });

  test(`${id}: nothing is lost, nothing is invented`, () => {
    fc.assert(
      fc.property(text, (whole) => {
        const turn = fold(parse([whole], tools));
        for (const call of turn.calls) {
          assert.ok(tools.some(({ name }) => name === call.name) || whole.includes(call.name), call.name);
        }
        assert.ok(isSubsequence(turn.content, whole), "content is part of the text, in order");
        const dropped = turn.problems.some((code) => /^(special-token|result-invented)$/.test(code));
        if (
          turn.calls.length > 0 || turn.cut || dropped || /<\/?think/.test(whole) ||
          MARKUP_OF_REASONING.test(whole)
        ) return;
        assert.equal(turn.content, whole);
      }),
      { numRuns: RUNS },
    );
  });

  test(`${id}: arguments that go out whole say the same as arguments that stream`, () => {
    fc.assert(
      fc.property(text, (whole) => {
        const streamed = fold(parse([whole], tools)),
          held = fold(parse([whole], tools, { wholeCalls: true }));
        if (streamed.cut || held.cut) return;
        assert.deepEqual(held.calls, streamed.calls);
      }),
      { numRuns: RUNS / 2 },
    );
  });
}

const MARKUP_OF_REASONING =
  /<\/?(?:mm:|seed:|longcat_)?(?:think|thinking|thought)>|\[\/?THINK\]|◁\/?think▷|<\||>>>all\n|FINAL RESPONSE\]/;

function isSubsequence(part: string, whole: string): boolean {
  let at = 0;
  for (const char of part) {
    at = whole.indexOf(char, at);
    if (at === -1) return false;
    at += char.length;
  }
  return true;
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
