/** Qwen3-Coder's XML: `<function=NAME>` with `<parameter=KEY>` inside. */
import type { Dialect, Out } from "../parse/dialect.ts";
import { either, MarkerSet, shape, space } from "../parse/marker.ts";
import type { Scanner, Step } from "../parse/scanner.ts";
import { unwrapLineBreaks } from "../parse/sinks.ts";
import { type CallEnd, elementBody, elementCalls, type ElementGrammar, type Tags } from "./elements.ts";

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

export const QWEN_TAGS: Tags = {
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
  tags: [QWEN_TAGS],
  blockStart: ["<tool_call>"],
  blockEnd: [shape("</", space, "tool_call", space, ">")],
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
      return yield* elementCalls(scan, out, GRAMMAR, { ...hit, marker: QWEN_TAGS.call[0]! });
    }
    yield* scan.skipSpace();
    // The `<` of the first tag is lost now and then.
    const lost = yield* scan.accept(shape("function", space, "="));
    if (lost) return yield* elementCalls(scan, out, GRAMMAR, { ...lost, marker: QWEN_TAGS.call[0]! });
    const name = yield* otherHead(scan, out);
    if (name === undefined) return yield* elementCalls(scan, out, GRAMMAR, undefined);
    const call = out.call(name);
    if (call === undefined) return false;
    const end: CallEnd = yield* elementBody(scan, out, closedBy(name), call);
    if (end === "none" || end === "block-ended") return end !== "none";
    return yield* elementCalls(scan, out, GRAMMAR, end === "ended" ? undefined : end, 1);
  },
};

/**
 * The name of a call that begins with `<get_weather>`, `get_weather` or `<function>get_weather</function>` for
 * `<function=get_weather>`; undefined, with nothing eaten, unless a parameter or a closer is behind it.
 */
function* otherHead(scan: Scanner, out: Out): Step<string | undefined> {
  const start = scan.mark();
  const tag = yield* scan.accept("<function>", "<");
  const behind = scan.mark();
  const word = yield* scan.take(NAME_END, 160);
  scan.rewind(behind);
  if (word !== undefined && out.knows(word.text)) {
    scan.skip(word.text.length);
    yield* scan.accept(tag?.text === "<function>" ? "</function>" : ">");
    yield* scan.skipSpace();
    if (yield* scan.sees(...QWEN_TAGS.parameter, `</${word.text}>`)) {
      scan.release();
      return word.text;
    }
  }
  scan.rewind(start);
  return undefined;
}

/** The grammar of a call that ends with its name. */
function closedBy(name: string): ElementGrammar {
  const callEnd = [...QWEN_TAGS.callEnd, shape("</", space, name, space, ">")];
  return { ...GRAMMAR, tags: [{ ...QWEN_TAGS, callEnd }] };
}

const NAME_END = new MarkerSet(["<", ">", " ", "\t", "\r", "\n"]);
