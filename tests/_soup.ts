/** The worst kinds of text a model could write, and what has to hold for each of them. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { Tool } from "../src/parse/dialect.ts";
import { fold, merge, parse, type Turn } from "./_turn.ts";
import { piecesOf, vectorFiles } from "./_vectors.ts";

/** The tools that the vectors call. */
export const tools: readonly Tool[] = Object.entries(vectorFiles[0]!.tools)
  .map(([name, { parameters }]) => ({ name, parameters }));

/** What the vectors of a dialect write (of all dialects when none is named), as plain text. */
export function textsOf(id?: string): string[] {
  const files = vectorFiles.filter(({ dialect }) => id === undefined || dialect === id);
  return files.flatMap(({ cases }) =>
    cases.map((vector) =>
      piecesOf(vector).map((piece) =>
        typeof piece === "string" ? piece : piece.content ?? piece.reasoning ?? ""
      ).join("")
    )
  );
}

const NASTY: readonly string[] = [
  ..."<>{}\"'\\`~|[]():,=x \n\t",
  "</",
  "```",
  "😀",
  "\ud83d",
  "｜",
  "<think>",
  "</think>",
  "get_weather",
  "write_file",
  "<|im_end|>",
  "&lt;",
];

/** Text made of pieces of markup. */
export function soupOf(texts: readonly string[]): fc.Arbitrary<string> {
  const bits = [...new Set(texts.flatMap((text) => text.split(/(?<=[>\n "|\]])|(?=[<[])/)))].filter((bit) =>
    bit !== ""
  );
  return fc.array(fc.constantFrom(...bits, ...NASTY), { maxLength: 28 }).map((parts) => parts.join(""));
}

/** Whole calls, parts of calls, prose and code, one behind the other. */
export function mixOf(texts: readonly string[]): fc.Arbitrary<string> {
  const text = fc.constantFrom(...texts);
  const part = fc.oneof(
    text,
    fc.constantFrom(
      "Some prose. ",
      "\n",
      "a < b ",
      "`code` ",
      "```\nx\n```\n",
      "<think>hm</think>",
      "\n\n",
      "[a](b) ",
    ),
    text.chain((whole) => fc.nat(whole.length).map((at) => whole.slice(0, at))),
    text.chain((whole) => fc.nat(whole.length).map((at) => whole.slice(at))),
    text.chain((whole) =>
      fc.tuple(fc.nat(whole.length), fc.nat(8)).map(([at, size]) =>
        whole.slice(0, at) + whole.slice(at + size)
      )
    ),
  );
  return fc.array(part, { maxLength: 4 }).map((parts) => parts.join(""));
}

/** A text, and places to cut it. */
export function cutOf(
  texts: fc.Arbitrary<string>,
): fc.Arbitrary<readonly [whole: string, pieces: readonly string[]]> {
  return texts.chain((whole) =>
    fc.array(fc.nat(whole.length), { maxLength: 8 }).map((at) => {
      const points = [0, ...at.sort((a, b) => a - b), whole.length];
      return [whole, points.slice(1).map((to, n) => whole.slice(points[n], to))] as const;
    })
  );
}

/** How a text is cut never shows (rule 17). */
export function cuttingNeverShows(whole: string, pieces: readonly string[]): void {
  assert.deepEqual(merge(parse(pieces, tools)), merge(parse([whole], tools)));
}

/** Events nest, arguments of ended calls are one JSON object, nothing is lost, nothing is invented. */
export function turnIsSound(whole: string): void {
  const turn = fold(parse([whole], tools));
  for (const call of turn.calls) {
    assert.ok(
      typeof call.arguments === "object" && call.arguments !== null && !Array.isArray(call.arguments),
    );
    assert.ok(tools.some(({ name }) => name === call.name) || whole.includes(call.name), call.name);
  }
  assert.ok(isSubsequence(turn.content, whole), "content is part of the text, in order");
  if (
    turn.calls.length > 0 || turn.cut || turn.problems.some((code) => DROPS.test(code)) ||
    MARKS_REASONING.test(whole)
  ) return;
  assert.equal(turn.content, whole);
}

/** Problems that tell of something that was dropped. */
const DROPS = /^(special-token|result-invented)$/;

/** Markup that says of text that it is reasoning or content, and is itself neither. */
const MARKS_REASONING =
  /<\/?(?:mm:|seed:|longcat_)?(?:think|thinking|thought)\b|\[\/?THINK\]|◁\/?think▷|<\||\|>|<channel|>>>|to=|response|channel|answer>|FINAL|"response"/i;

/** Calls that go out whole say the same as calls that stream. */
export function wholeCallsSayTheSame(whole: string): void {
  const streamed = fold(parse([whole], tools)), held = fold(parse([whole], tools, { wholeCalls: true }));
  // An id that comes behind the arguments is too late for a call that has gone out.
  const said = ({ calls }: Turn) => calls.map((call) => [call.name, call.arguments]);
  if (!streamed.cut && !held.cut) assert.deepEqual(said(held), said(streamed));
}

function isSubsequence(part: string, whole: string): boolean {
  let at = 0;
  for (const char of part) {
    at = whole.indexOf(char, at);
    if (at === -1) return false;
    at += char.length;
  }
  return true;
}
