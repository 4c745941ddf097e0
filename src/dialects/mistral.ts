/** Mistral's `[TOOL_CALLS]`, in its three layouts. */
import type { Dialect, Out } from "../parse/dialect.ts";
import { chars, either, type Hit, type Marker, shape, space } from "../parse/marker.ts";
import type { Scanner, Step } from "../parse/scanner.ts";
import { jsonCalls } from "./json_calls.ts";
import { readName } from "./named_json.ts";
import { acceptBehindSpace } from "./said.ts";
import { opensObject } from "./token_json.ts";

// Mistral 7B v0.3 to Large 2, Nemo (which gives ids), xLAM:
//   [TOOL_CALLS] [{"name": "get_weather", "arguments": {"city": "Paris", "days": 3}, "id": "abc123def"}]
// Tokenizer v11, each call with its own marker:
//   [TOOL_CALLS]get_weather{"city": "Paris", "days": 3}
// Tokenizer v13 (Magistral, Devstral 2, Ministral 3; Small 3.2 gives ids):
//   [TOOL_CALLS]get_weather[CALL_ID]123456789[ARGS]{"city": "Paris", "days": 3}
// Nothing closes a call but its JSON; some servers add [/TOOL_CALLS].
// Elsewhere: vLLM mistral, Ollama ministral, llama.cpp "Mistral Nemo" and "Magistral".
const OPENER = "[TOOL_CALLS]";
const CLOSER = "[/TOOL_CALLS]";
const ID = shape(
  "[CALL_ID]",
  chars("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", 1, 64),
  "[ARGS]",
);

/** The oldest layout. Its calls wait until they are whole: Nemo's id is the last thing in them. */
export const mistralList: Dialect = {
  id: "mistral-list",
  aka: ["mistral", "mistral_nemo", "xlam"],
  models: "Mistral 7B v0.3, Mixtral, Large 2, Nemo; xLAM",
  opens: [{ marker: OPENER, form: "wrapped", counts: "ended" }],

  *block(scan, out) {
    if (!(yield* opensObject(scan)) || !(yield* jsonCalls(scan, out))) return false;
    yield* acceptBehindSpace(scan, CLOSER);
    return true;
  },
};

/** A name before the arguments. */
export const mistral: Dialect = {
  id: "mistral",
  aka: ["mistral_v11", "mistral_v13", "ministral", "magistral", "devstral"],
  models: "Mistral Small 3, Magistral, Devstral, Ministral, Codestral",
  opens: [{ marker: OPENER, form: "wrapped" }],
  // The marker is a special token, which some servers drop: then a tool's name opens the call.
  opensFor: (tools) => tools.map(({ name }) => ({ marker: name, form: "recovered", where: "line" })),

  *block(scan, out, hit, { form }) {
    if (form === "recovered") return yield* unmarkedCall(scan, out, hit.text);
    do {
      if (!(yield* call(scan, out))) return false;
    } while (yield* acceptBehindSpace(scan, OPENER));
    yield* acceptBehindSpace(scan, CLOSER);
    return true;
  },
};

/** `NAME[ARGS]{…}`, or `NAME{…}` if what follows the brace is strict JSON: `button{color: red}` is none. */
function* unmarkedCall(scan: Scanner, out: Out, name: string): Step<boolean> {
  const separator = yield* scan.accept<Marker>("[ARGS]", ID);
  if (separator === undefined && !(yield* scan.sees(STRICT))) return false;
  if ((yield* scan.peek()) !== "{") return false;
  const call = out.call(name, idIn(separator));
  return call !== undefined && (yield* call.json(scan)) && call.end();
}

function* call(scan: Scanner, out: Out): Step<boolean> {
  yield* scan.skipSpace();
  const name = yield* readName(scan);
  yield* scan.skipSpace();
  const separator = yield* scan.accept<Marker>("[ARGS]", ID);
  yield* scan.skipSpace();
  const next = yield* scan.peek();
  if (name === "" || (next !== "{" && next !== "")) return false;
  const call = out.call(name, idIn(separator));
  return call !== undefined && (yield* call.json(scan)) && call.end();
}

const idIn = (separator: Hit | undefined): string | undefined =>
  separator?.text.match(/^\[CALL_ID\](.*)\[/)?.[1];
const STRICT = shape("{", space, either('"', "}\n", "}\r"));
