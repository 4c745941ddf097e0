/** Calls as words: `Action:` and a name, with the input in text or in JSON behind it. */
import type { Call, Dialect } from "../parse/dialect.ts";
import { jsonText } from "../parse/json.ts";
import { MarkerSet } from "../parse/marker.ts";
import type { Scanner, Step } from "../parse/scanner.ts";

// Prompts in the manner of ReAct, LangChain's among them; any model:
//   Thought: I need data
//   Action: get_weather
//   Action Input: {"city": "Paris", "days": 3}
//   Observation:
// An input that is no JSON is the tool's one string. The parser drops the observation, which is made up.
const NEWLINE = new MarkerSet(["\n"]);
const LABELS = ["Action Input:", "Action input:", "ActionInput:"] as const;
const NEXT = ["Observation", "Thought:", "Action:", "Final Answer:"] as const;

export const react: Dialect = {
  id: "react",
  aka: [],
  models: "any, through prompts in the manner of ReAct",
  opens: [{ marker: "Action:", form: "bare", where: "line" }],

  *block(scan, out) {
    const line = yield* scan.take(NEWLINE, 160);
    const name = line?.text.trim().replace(/^[`"'*]+|[`"'*]+$|\(\)$/g, "");
    if (!name || !out.knows(name)) return false;
    yield* scan.skipSpace();
    if (!(yield* scan.accept(...LABELS))) return false;
    yield* scan.skipSpace();
    const call = out.call(name);
    if (call === undefined) return false;
    const next = yield* scan.peek();
    if (yield* scan.sees(...NEXT)) return call.required.length === 0 && call.end();
    if (next === "`" && (yield* scan.accept("```json", "```"))) {
      if (!(yield* call.json(scan))) return false;
      yield* scan.skipSpace();
      return (yield* scan.accept("```")) !== undefined && call.end();
    }
    if (next === "{" || next === "[") return (yield* call.json(scan)) && call.end();
    return (yield* plainInput(scan, call)) && call.end();
  },
};

/** Text up to the next label. At the end of the turn its line has to be whole: it may have been cut off. */
function* plainInput(scan: Scanner, call: Call): Step<boolean> {
  const [only, ...others] = call.required.length > 0 ? call.required : call.parameters;
  if (only === undefined || others.length > 0) return false;
  const behind = scan.mark();
  const quoted = (yield* scan.peek()) === '"' ? yield* jsonText(scan) : undefined;
  if (quoted !== undefined) {
    yield* blanks(scan);
    if (["\n", "\r"].includes(yield* scan.peek())) {
      scan.release();
      call.parameter(only, "string")(quoted);
      return true;
    }
  }
  scan.rewind(behind);
  const sink = call.parameter(only, "string");
  for (let first = true;; first = false) {
    if (!first) sink("\n");
    if (!(yield* scan.until(NEWLINE, sink))) return false;
    const start = scan.mark();
    yield* scan.skipSpace();
    const over = (yield* scan.peek()) === "" || (yield* scan.sees(...NEXT)) !== undefined;
    scan.rewind(start);
    if (over) return true;
  }
}

function* blanks(scan: Scanner): Step<void> {
  yield* scan.run(/[^ \t]/g, () => {});
}
