/** Qwen3-Coder's XML: `<function=NAME>` with `<parameter=KEY>` inside. */
import type { Dialect } from "../parse/dialect.ts";
import { either, maybe, shape, space } from "../parse/marker.ts";
import { unwrapLineBreaks } from "../parse/sinks.ts";
import { elementCalls, type ElementGrammar, type Tags } from "./elements.ts";

// Qwen3-Coder, Qwen3.5 and later, Nemotron 3, Step-3.5, MiMo-V2, K-EXAONE 2 and others:
//   <tool_call>
//   <function=get_weather>
//   <parameter=city>
//   Paris
//   </parameter>
//   </function>
//   </tool_call>
// The opener is lost often: QwenLM/Qwen3-Coder#475, ollama/ollama#11621, ggml-org/llama.cpp#15012.
// Elsewhere: vLLM qwen3_coder/qwen3_xml, SGLang qwen3_coder, mlx-lm qwen3_coder.
const CALL = either("function", "call", "tool", "invoke");
const PARAMETER = either("parameter", "param", "argument", "arg");
const WHITE = either(" ", "\n", "\t");

const TAGS: Tags = {
  call: [shape("<", space, CALL, space, "="), shape("<", space, CALL, WHITE, space, "name", space, "=")],
  callEnd: [shape("</", space, CALL, space, ">")],
  parameter: [
    shape("<", space, PARAMETER, space, "="),
    shape("<", space, PARAMETER, WHITE, space, "name", space, "="),
    shape("<", PARAMETER, ">"),
  ],
  parameterEnd: [shape("</", space, PARAMETER, space, ">")],
};

const GRAMMAR: ElementGrammar = {
  tags: [TAGS],
  blockStart: ["<tool_call>"],
  blockEnd: [shape("</tool_call", maybe(" "), ">")],
  wrap: unwrapLineBreaks,
};

const BARE = shape("<", space, "function", space, "=");

export const qwen3Coder: Dialect = {
  id: "qwen3-coder",
  aka: ["qwen3_coder", "qwen3_xml", "qwen_xml", "step3p5", "nemotron_v3", "mimo"],
  models: "Qwen3-Coder, Qwen3.5 and later; Nemotron 3; Step-3.5; MiMo-V2; K-EXAONE 2",
  opens: [{ marker: "<tool_call>", form: "wrapped" }, { marker: BARE, form: "recovered" }],

  *block(scan, out, hit, { form }) {
    if (form === "recovered") {
      return yield* elementCalls(scan, out, GRAMMAR, { ...hit, marker: TAGS.call[0]! });
    }
    yield* scan.skipSpace();
    // The `<` of the first tag is lost now and then.
    const lost = yield* scan.accept(shape("function", space, "="));
    return yield* elementCalls(scan, out, GRAMMAR, lost && { ...lost, marker: TAGS.call[0]! });
  },
};
