/** Calls as Python, with markers around them, a row a model, and with none. */
import type { Dialect, Opener } from "../parse/dialect.ts";
import { chars, shape, space } from "../parse/marker.ts";
import type { Scanner, Step } from "../parse/scanner.ts";
import { jsonCalls } from "./json_calls.ts";
import { callee, pythonCall, pythonCalls, pythonList } from "./python_calls.ts";
import { IDENTIFIER } from "./python_string.ts";
import { PYTHONIC_ROWS } from "./pythonic_rows.ts";
import { opensCalls } from "./tagged_json.ts";

const wrapped: readonly Dialect[] = PYTHONIC_ROWS.map(({ id, aka, models, opener, closer }): Dialect => ({
  id,
  aka,
  models,
  opens: [{ marker: opener, form: "wrapped" }],

  *block(scan, out) {
    const json = yield* opensCalls(scan);
    if (json ? !(yield* jsonCalls(scan, out)) : !(yield* pythonList(scan, out, true))) return false;
    const behind = scan.mark();
    yield* scan.skipSpace();
    while (yield* scan.accept(";")) yield* scan.skipSpace();
    if (yield* scan.accept(closer)) scan.release();
    else scan.rewind(behind);
    return true; // without its closer the last call has closed all the same
  },
}));

// Llama 3.2 and 4, Gemma 3 as vLLM prompts it, ToolACE:
//   [get_weather(city="Paris", days=3), refresh()]
// Prose has links and check boxes in such brackets, so a tool's name and `(` have to follow, and the list has to
// have its line to itself; in the middle of an answer it has to be the last thing said.
// Elsewhere: vLLM and SGLang pythonic.
const LIST = shape("[", space, chars(IDENTIFIER, 1, 96), "(");
const FENCES: readonly string[] = ["", "tool_code", "tool_call", "tool_calls", "tool"];

const bareList: Dialect = {
  id: "pythonic",
  aka: ["pythonic"],
  models: "Llama 3.2 and 4; Gemma 3; ToolACE",
  opens: [
    { marker: LIST, shown: "[NAME(", form: "bare", where: "turn", counts: "whole", fences: FENCES },
    { marker: LIST, shown: "[NAME(", form: "bare", where: "line", counts: "last", fences: FENCES },
  ],

  *block(scan, out, { text }) {
    if (!out.knows(text.slice(1, -1).trim())) return false;
    scan.rewind(scan.mark(text));
    if (!(yield* pythonList(scan, out))) return false;
    return yield* lineEnds(scan);
  },
};

// Granite, in lines with nothing around them; Gemma 3, in a fence:
//   ```tool_code
//   get_weather(city="Paris", days=3)
//   ```
// Such a line is what an answer in Python looks like, so it has to be all there is. Gemini, whose prompts Gemma
// was taught with, puts the call into `print()`.
const pythonLines: Dialect = {
  id: "python-lines",
  aka: ["granite_pythonic", "gemma3"],
  models: "Granite; Gemma 3 and 3n",
  opens: [pythonLine("print("), pythonLine("default_api.")],
  opensFor: (tools) => tools.map(({ name }) => pythonLine(`${name}(`)),

  *block(scan, out, { text }) {
    scan.rewind(scan.mark(text));
    const printed = text === "print(" && !out.knows("print");
    if (!printed) return yield* pythonCalls(scan, out);
    while (yield* scan.accept("print(")) {
      const name = yield* callee(scan);
      if (name === undefined || !(yield* pythonCall(scan, out, name))) return false;
      yield* scan.skipSpace();
      if (!(yield* scan.accept(")"))) return false;
      yield* scan.skipSpace();
    }
    return true;
  },
};

function pythonLine(marker: string): Opener {
  return { marker, form: "bare", where: "turn", counts: "last", fences: FENCES.slice(1) };
}

// Llama 3, for its own tools and for others:
//   <|python_tag|>{"name": "get_weather", "parameters": {"city": "Paris", "days": 3}}; {…}
//   <|python_tag|>brave_search.call(query="weather")
// Any other Python behind the token is code for an interpreter: text.
const pythonTag: Dialect = {
  id: "llama3-python-tag",
  aka: ["llama3_json"],
  models: "Llama 3.1 to 3.3",
  opens: [{ marker: "<|python_tag|>", form: "wrapped" }],

  *block(scan, out) {
    if (yield* opensCalls(scan)) return yield* jsonCalls(scan, out);
    yield* scan.skipSpace();
    if ((yield* scan.peek()) === "[") return yield* pythonList(scan, out);
    for (let calls = 0;; calls++) {
      const behind = scan.mark();
      yield* scan.skipSpace();
      while (calls > 0 && (yield* scan.accept(";"))) yield* scan.skipSpace();
      const name = (yield* callee(scan))?.replace(/\.call$/, "");
      if (name === undefined || !out.knows(name)) {
        scan.rewind(behind);
        return calls > 0;
      }
      scan.release();
      if (!(yield* pythonCall(scan, out, name))) return false;
    }
  },
};

/** Nothing but blanks, or an end token, stands on the rest of the line; eats nothing. */
function* lineEnds(scan: Scanner): Step<boolean> {
  const behind = scan.mark();
  yield* scan.run(NOT_BLANK, () => {});
  const ends = ["", "\n", "\r", "<"].includes(yield* scan.peek());
  scan.rewind(behind);
  return ends;
}

const NOT_BLANK = /[^ \t]/g;

export const pythonic: readonly Dialect[] = [...wrapped, bareList, pythonLines, pythonTag];
