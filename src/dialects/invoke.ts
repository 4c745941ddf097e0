/** Calls as `<invoke>` elements in plain tags: what is left of DSML without its bars, and what models imitate. */
import type { Dialect } from "../parse/dialect.ts";
import { either, maybe, shape, space } from "../parse/marker.ts";
import { unwrapPairedLineBreaks } from "../parse/sinks.ts";
import { elementCalls, type ElementGrammar, type Tags } from "./elements.ts";
import { otherBody } from "./wrapper.ts";

// As Anthropic's models were prompted, and as DeepSeek, Qwen and others write when they lose their own tags:
//   <tool_calls>
//   <invoke name="get_weather">
//   <parameter name="city">Paris</parameter>
//   <parameter name="days">3</parameter>
//   </invoke>
//   </tool_calls>
// RWKV has the same body in <tool_call>; for <function_calls> see element_rows.ts.
const WHITE = either(" ", "\n", "\t", "\r");

export const INVOKE_TAGS: Tags = {
  call: [shape("<invoke", WHITE)],
  callEnd: [shape("</invoke", maybe(" "), ">")],
  parameter: [shape("<parameter", WHITE), "<parameter>"],
  parameterEnd: [shape("</parameter", maybe(" "), ">")],
};

/** Also what is left of the others' wrappers where only their opener was lost. */
const BLOCKS = ["tool_calls", "function_calls", "tool_call", "minimax:tool_call", "dots_function_call"];
const BLOCK_STARTS = ["<tool_calls>", "<tool_call>"] as const;

const GRAMMAR: ElementGrammar = {
  tags: [INVOKE_TAGS],
  blockStart: [...BLOCK_STARTS, "<function_calls>"],
  blockEnd: [shape("</", either(...BLOCKS), maybe(" "), ">")],
  wrap: unwrapPairedLineBreaks,
};

/** Hunyuan-A13B's answer may have begun with text. */
const JSON_END = [shape("</tool_calls>", space, "</answer>"), ...GRAMMAR.blockEnd];

export const invoke: Dialect = {
  id: "invoke",
  aka: ["rwkv"],
  models: "RWKV; DeepSeek, Qwen and Claude through resellers",
  opens: [
    ...BLOCK_STARTS.map((marker) => ({ marker, form: "wrapped" as const })),
    ...INVOKE_TAGS.call.map((marker) => ({ marker, form: "recovered" as const })),
  ],

  *block(scan, out, hit, { form }) {
    if (form === "recovered") return yield* elementCalls(scan, out, GRAMMAR, hit);
    const closed = hit.text === "<tool_call>" ? undefined : yield* otherBody(scan, out, JSON_END);
    return closed ?? (yield* elementCalls(scan, out, GRAMMAR, undefined));
  },
};
