/** DeepSeek's DSML: calls as elements whose tags carry a namespace between bars. */
import type { Dialect } from "../parse/dialect.ts";
import { chars, either, maybe, shape, space } from "../parse/marker.ts";
import { verbatim } from "../parse/sinks.ts";
import { elementCalls, type ElementGrammar, type Tags } from "./elements.ts";
import { INVOKE_TAGS } from "./invoke.ts";
import { otherBody } from "./wrapper.ts";

// DeepSeek V4 (V3.2 says `function_calls`, V4.1 ` calls`; GigaChat 3.5 says GCML for DSML):
//   <｜DSML｜tool_calls>
//   <｜DSML｜invoke name="get_weather">
//   <｜DSML｜parameter name="city" string="true">Paris</｜DSML｜parameter>
//   <｜DSML｜parameter name="days" string="false">3</｜DSML｜parameter>
//   </｜DSML｜invoke>
//   </｜DSML｜tool_calls>
// The model itself drifts: doubled, ASCII or lost bars, spaces and line breaks inside the tags, other words for
// the block, the namespace lost in the inner tags, a `<name>`/`<parameters>` body. So tags are read by shape.
// Elsewhere: vLLM deepseek_v32/deepseek_v4, SGLang deepseekv32/deepseekv4, xgrammar deepseek_v3_2.
const BARS = chars("|｜‖", 0, 2);
const NAMESPACE = [space, BARS, space, either("DSML", "GCML"), space, chars("|｜‖>: ", 1, 2), space] as const;
const WHITE = either(" ", "\n", "\t", "\r");
const BLOCK = either(
  "tool_calls",
  "toolcalls",
  "tool_call",
  "function_calls",
  "function_call",
  "calls",
  "tool_use",
);

const BLOCK_START = shape("<", ...NAMESPACE, BLOCK, space, ">");
const BLOCK_END = shape("<", space, BARS, "/", ...NAMESPACE, BLOCK, space, ">");
const INVOKE = shape("<", ...NAMESPACE, "invoke", WHITE);

const DSML_TAGS: Tags = {
  call: [INVOKE],
  callEnd: [shape("<", space, BARS, "/", ...NAMESPACE, "invoke", space, ">")],
  parameter: [
    shape("<", ...NAMESPACE, "parameter", WHITE),
    shape("<", ...NAMESPACE, "parameter", space, ">"),
  ],
  parameterEnd: [shape("<", space, BARS, "/", ...NAMESPACE, "parameter", space, ">")],
};

const GRAMMAR: ElementGrammar = {
  tags: [DSML_TAGS, INVOKE_TAGS],
  blockStart: [BLOCK_START],
  blockEnd: [BLOCK_END, shape("</", either("tool_calls", "function_calls", "calls"), maybe(" "), ">")],
  wrap: verbatim,
};

export const dsml: Dialect = {
  id: "dsml",
  aka: ["deepseek_v32", "deepseekv32", "deepseek_v4", "deepseekv4", "deepseek_v4_1"],
  models: "DeepSeek V3.2, V4, V4.1; GigaChat 3.5",
  opens: [{ marker: BLOCK_START, shown: "<｜DSML｜tool_calls>", form: "wrapped" }, {
    marker: INVOKE,
    form: "recovered",
  }],

  *block(scan, out, hit, { form }) {
    if (form === "recovered") return yield* elementCalls(scan, out, GRAMMAR, hit);
    const closed = yield* otherBody(scan, out, GRAMMAR.blockEnd);
    return closed ?? (yield* elementCalls(scan, out, GRAMMAR, undefined));
  },
};
