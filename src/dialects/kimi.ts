/** Kimi K2's sections: numbered calls whose header is their id. */
import type { Dialect } from "../parse/dialect.ts";
import { either, shape } from "../parse/marker.ts";
import type { Header, NamedGrammar } from "./named_json.ts";
import { namedCalls, readName } from "./named_json.ts";

// Kimi K2, K2-Thinking, K2.5 to K2.7:
//   <|tool_calls_section_begin|>
//   <|tool_call_begin|>functions.get_weather:0<|tool_call_argument_begin|>{"city": "Paris", "days": 3}<|tool_call_end|>
//   <|tool_calls_section_end|>
// The header is the call's id, counted over the whole conversation: the model gets worse if it comes back changed.
// Where the markers were stripped, `functions.get_weather:0{"city": "Paris"}` is left.
// Elsewhere: vLLM and SGLang kimi_k2, xgrammar kimi.
const SECTION = shape("<|tool_call", either("s", ""), "_section_begin|>");
const CALL = "<|tool_call_begin|>";
const STRIPPED = "functions.";

const GRAMMAR: NamedGrammar = {
  blockStart: [SECTION],
  blockEnd: [shape("<|tool_call", either("s", ""), "_section_end|>")],
  callStart: [CALL],
  callEnd: ["<|tool_call_end|>"],
  separator: ["<|tool_call_argument_begin|>"],
  separated: "optional",
  header: headerOf,
};

/** `functions.NAME:IDX`; a name may hold dots and colons of its own (MCP). */
function headerOf(text: string): Header {
  const name = text.replace(/^functions\./, "").replace(/:\d+$/, "");
  return { name, id: /:\d+$/.test(text) ? text : undefined };
}

export const kimi: Dialect = {
  id: "kimi",
  aka: ["kimi_k2", "kimik2"],
  models: "Kimi K2, K2-Thinking, K2.5, K2.6, K2.7",
  opens: [
    { marker: SECTION, shown: "<|tool_calls_section_begin|>", form: "wrapped" },
    { marker: CALL, form: "recovered" },
    { marker: STRIPPED, form: "recovered" },
  ],

  *block(scan, out, hit) {
    if (hit.text !== STRIPPED) return yield* namedCalls(scan, out, GRAMMAR, hit);
    const rest = yield* readName(scan);
    if (!/:\d+$/.test(rest)) return false;
    yield* scan.skipSpace();
    if ((yield* scan.peek()) !== "{") return false;
    const { name, id } = headerOf(STRIPPED + rest);
    const call = out.knows(name) ? out.call(name, id) : undefined;
    return call !== undefined && (yield* call.json(scan)) && call.end();
  },
};
