/** Every vector of every dialect, all dialects live: whole, at every split, one code unit at a time, at random cuts. */
import assert from "node:assert/strict";
import { test } from "./_test.ts";
import { fold, merge, parse, type Piece, splits, type Turn } from "./_turn.ts";
import { piecesOf, toolsOf, type Vector, vectorFiles } from "./_vectors.ts";

for (const file of vectorFiles) {
  for (const vector of file.cases) {
    test(`${file.dialect} ${vector.id}: ${vector.why}`, () => {
      const tools = toolsOf(file, vector);
      const run = (pieces: readonly Piece[]) =>
        merge(parse(pieces, tools, { startsInReasoning: vector.startsInReasoning ?? false }));
      const whole = run(piecesOf(vector));
      const check = () => assert.deepEqual(outcome(fold(whole)), expected(vector));
      if (vector.knownBroken !== undefined) assert.throws(check, "a case that is known to be broken passes");
      else check();
      for (const pieces of cuts(piecesOf(vector))) {
        assert.deepEqual(run(pieces), whole, JSON.stringify(pieces));
      }
    });
  }
}

function outcome({ content, reasoning, calls, problems, cut }: Turn) {
  return { content, reasoning, calls, problems, finish: cut ? "length" : undefined };
}

function expected({ expect }: Vector) {
  return { finish: undefined, ...expect };
}

function* cuts(pieces: readonly Piece[]): Generator<Piece[]> {
  for (const [n, piece] of pieces.entries()) {
    const [field, text] = typeof piece === "string" ? [undefined, piece] : Object.entries(piece)[0]!;
    for (const parts of splits(text)) {
      yield [
        ...pieces.slice(0, n),
        ...parts.map((part) => field === undefined ? part : { [field]: part }),
        ...pieces.slice(n + 1),
      ];
    }
  }
  yield pieces.flatMap((piece): Piece[] => {
    if (typeof piece === "string") return piece.split("");
    const [field, text] = Object.entries(piece)[0]!;
    return text.split("").map((char) => ({ [field]: char }));
  });
  for (let seed = 1; seed <= 20; seed++) {
    yield pieces.flatMap((piece): Piece[] => {
      if (typeof piece === "string") return randomCut(piece, seed);
      const [field, text] = Object.entries(piece)[0]!;
      return randomCut(text, seed).map((part) => ({ [field]: part }));
    });
  }
}

/** Cuts a text at random but repeatable places, into pieces of 1 to 12 code units. */
function randomCut(text: string, seed: number): string[] {
  const parts: string[] = [];
  let state = seed * 2654435761 >>> 0;
  for (let at = 0; at < text.length;) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const size = 1 + (state >>> 16) % 12;
    parts.push(text.slice(at, at + size));
    at += size;
  }
  return parts;
}
