/** Calls as JSON with nothing around it, which is also what data looks like. */
import type { Dialect, Opener, Out } from "../parse/dialect.ts";
import { MarkerSet } from "../parse/marker.ts";
import type { Scanner, Step } from "../parse/scanner.ts";
import { jsonCalls } from "./json_calls.ts";

// The whole answer, or one code fence at its end, is one of
//   {"name": "get_weather", "parameters": {"city": "Paris", "days": 3}}
//   [{"name": "get_weather", "arguments": {"city": "Paris", "days": 3}}, …]
//   {"tool_calls": [{"type": "function", "function": {"name": "get_weather", "arguments": "{…}"}}]}
//   {"tool_call": {…}}   {"function_call": {…}}
// Llama 3 says `parameters`, xLAM writes the list, llama.cpp forces the third for models that know no form.
// Elsewhere: vLLM llama3_json and xlam, SGLang llama32 and json_array, llama.cpp "Generic".
//
// An answer in JSON must not become a call, and must not wait for long: within its first characters it has to
// name a tool, and it may hold nothing but names and arguments. `{"response": …}` is data like any other.
const NAME_KEYS = quoted("name", "tool_name", "tool", "function", "function_name");
const OTHER_KEYS = quoted("type", "id", "index", "tool_call_id", "call_id");
const ARGUMENTS_KEYS = quoted("arguments", "parameters", "args", "params", "input");
const ALL_CALLS_KEYS = quoted("tool_calls", "tool_call", "function_call");
const NAME_KEY = new MarkerSet(NAME_KEYS);
const QUOTE = new MarkerSet(['"', "'"]);
/** So far may the name be from the start of its object. */
const FARTHEST_NAME = 64;
const LONGEST_NAME = 128;
const FENCES: readonly string[] = ["", "json", "tool_call", "tool_calls", "tool", "tool_code", "xml"];
const STRICT = { strict: true } as const;

export const bareJson: Dialect = {
  id: "bare-json",
  aka: ["llama3_json", "llama32", "xlam", "json_array", "generic"],
  models: "Llama 3.1 to 3.3; xLAM; small models through Ollama; models that imitate OpenAI's API",
  opens: ["{", "["].map((marker): Opener => ({
    marker,
    form: "bare",
    where: "turn",
    counts: "last",
    fences: FENCES,
  })),

  *block(scan, out, hit) {
    scan.rewind(scan.mark(hit.text)); // the bracket is part of the JSON
    const wrapped = yield* opensAllCalls(scan);
    if (!(yield* namesTool(scan, out)) || !(yield* jsonCalls(scan, out, STRICT))) return false;
    for (let braces = wrapped ? -1 : 0;; braces++) {
      yield* scan.skipSpace();
      if (yield* scan.accept("}")) continue;
      if (braces > 0) out.problem("arguments-repaired", "a closing brace too many");
      return braces >= 0;
    }
  },
};

/** `{"tool_calls":` and the like; eats nothing else. */
function* opensAllCalls(scan: Scanner): Step<boolean> {
  const start = scan.mark();
  if (yield* scan.accept("{")) {
    yield* scan.skipSpace();
    if (yield* scan.accept(...ALL_CALLS_KEYS)) {
      yield* scan.skipSpace();
      if (yield* scan.accept(":")) {
        scan.release();
        return true;
      }
    }
  }
  scan.rewind(start);
  return false;
}

/** Whether the JSON that follows names a tool soon enough; eats nothing. */
function* namesTool(scan: Scanner, out: Out): Step<boolean> {
  const start = scan.mark();
  const name = yield* nameAhead(scan);
  scan.rewind(start);
  return name !== undefined && out.knows(name);
}

function* nameAhead(scan: Scanner): Step<string | undefined> {
  yield* scan.skipSpace();
  if (yield* scan.accept("[")) yield* scan.skipSpace();
  if (!(yield* scan.accept("{"))) return undefined;
  for (;;) {
    yield* scan.skipSpace();
    let key = yield* scan.accept(...NAME_KEYS, ...OTHER_KEYS, ...ARGUMENTS_KEYS);
    if (key !== undefined && ARGUMENTS_KEYS.includes(key.text)) {
      key = (yield* scan.take(NAME_KEY, FARTHEST_NAME))?.hit;
    }
    yield* scan.skipSpace();
    if (key === undefined || !(yield* scan.accept(":"))) return undefined;
    yield* scan.skipSpace();
    if (yield* scan.accept("{")) continue; // OpenAI's "function": {"name": …}
    const text = (yield* scan.accept('"', "'"))
      ? (yield* scan.take(QUOTE, LONGEST_NAME))?.text
      : yield* number(scan);
    if (text === undefined || NAME_KEYS.includes(key.text)) return text;
    yield* scan.skipSpace();
    if (!(yield* scan.accept(","))) return undefined;
  }
}

/** A number, as an `index` or an `id` is; undefined when there is none. */
function* number(scan: Scanner): Step<string | undefined> {
  let digits = "";
  while (digits.length < 16 && /\d/.test(yield* scan.peek())) digits += yield* scan.next();
  return digits === "" ? undefined : digits;
}

function quoted(...keys: readonly string[]): readonly string[] {
  return keys.flatMap((key) => [`"${key}"`, `'${key}'`]);
}
