/** Gemma's calls: `call:NAME{…}` between tokens, with literals of their own. */
import type { Dialect, Opener } from "../parse/dialect.ts";
import { chars, type Marker, MarkerSet, shape, space } from "../parse/marker.ts";
import type { Scanner, Step } from "../parse/scanner.ts";
import { literalArguments, type LiteralTokens } from "./gemma_literal.ts";
import { IDENTIFIER } from "./python_string.ts";

interface Row extends Pick<Dialect, "id" | "aka" | "models">, LiteralTokens {
  readonly opens: readonly Opener[];
}

const BARE = shape("call:", chars(IDENTIFIER, 1, 96), space, "{");

const ROWS: readonly Row[] = [
  {
    // <|tool_call>call:get_weather{city:<|"|>Paris<|"|>,days:3}<tool_call|>
    // Servers that lose tokens leave `call:get_weather{…}`; multimodal ones wrote `<call>get_weather{…}`.
    // Elsewhere: vLLM gemma4, SGLang gemma4, llama.cpp "Gemma 4".
    id: "gemma4",
    aka: ["gemma4"],
    models: "Gemma 4",
    opens: [
      { marker: "<|tool_call>", form: "wrapped" },
      { marker: "<call>", form: "recovered" },
      { marker: BARE, shown: "call:NAME{", form: "recovered", where: "line" },
    ],
    quote: '<|"|>',
    callEnd: "<tool_call|>",
    behind: ["<|tool_call>", "<turn|>", "<|tool_response>"],
  },
  {
    // <start_function_call>call:get_weather{city:<escape>Paris<escape>,days:3}<end_function_call>
    id: "functiongemma",
    aka: ["functiongemma"],
    models: "FunctionGemma",
    opens: [{ marker: "<start_function_call>", form: "wrapped" }],
    quote: "<escape>",
    callEnd: "<end_function_call>",
    behind: ["<start_function_call>", "<start_function_response>", "<end_of_turn>"],
  },
];

export const gemma: readonly Dialect[] = ROWS.map((row): Dialect => ({
  id: row.id,
  aka: row.aka,
  models: row.models,
  opens: row.opens,

  *block(scan, out, hit) {
    if (hit.marker === BARE) scan.rewind(scan.mark(hit.text));
    for (let calls = 0;; calls++) {
      const behind = scan.mark();
      if (calls === 0) yield* scan.accept(":");
      yield* scan.skipSpace();
      const named = calls === 0 || (yield* scan.sees("call:")) !== undefined;
      if (!named) {
        scan.rewind(behind);
        return true;
      }
      scan.release();
      yield* scan.accept("call:");
      const name = (yield* scan.take(BRACE, 128))?.text.trim();
      const call = name !== undefined && NAME.test(name) ? out.call(name) : undefined;
      if (call === undefined) return false;
      const end = yield* literalArguments(scan, out, call, row);
      if (end === "none" || !call.end(end === "call-end")) return false;
      while (yield* closer(scan, row.callEnd));
    }
  },
}));

/** The closer, behind white space; eats nothing when something else comes. */
function* closer(scan: Scanner, marker: Marker): Step<boolean> {
  const behind = scan.mark();
  yield* scan.skipSpace();
  const found = (yield* scan.accept(marker)) !== undefined;
  if (found) scan.release();
  else scan.rewind(behind);
  return found;
}

const BRACE = new MarkerSet(["{"]);
const NAME = /^[A-Za-z_][\w.:/-]*$/;
