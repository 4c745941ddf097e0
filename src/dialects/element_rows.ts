/** Dialects of calls as elements that differ in nothing but their tags: one row each. */
import type { Dialect, Opener } from "../parse/dialect.ts";
import { either, type Marker, maybe, shape, space } from "../parse/marker.ts";
import { unwrapLineBreaks, unwrapPairedLineBreaks } from "../parse/sinks.ts";
import { bareCalls, elementCalls, type ElementGrammar, type Tags } from "./elements.ts";
import { INVOKE_TAGS } from "./invoke.ts";
import { QWEN_TAGS } from "./qwen3_coder.ts";
import { otherBody } from "./wrapper.ts";

// MiniMax M2 (Dots says <dots_function_call>, Anthropic's prompts <function_calls>, both also with JSON inside;
// with Anthropic each tag may have the prefix `antml:`):
//   <minimax:tool_call>
//   <invoke name="get_weather">
//   <parameter name="city">Paris</parameter>
//   </invoke>
//   </minimax:tool_call>
// Seed-OSS: <seed:tool_call> round Qwen3-Coder's <function=get_weather><parameter=city>Paris</parameter></function>
// Step3: <｜tool_calls_begin｜>
//   <｜tool_call_begin｜>function<｜tool_sep｜><steptml:invoke name="get_weather">
//   <steptml:parameter name="city">Paris</steptml:parameter></steptml:invoke><｜tool_call_end｜>
//   <｜tool_calls_end｜>
// MiniCPM5, without a wrapper: <function name="get_weather"><param name="city"><![CDATA[Paris]]></param></function>
// Elsewhere: vLLM minimax_m2/seed_oss/step3, SGLang minimax-m2/seed_oss/step3, xgrammar minimax.
const WHITE = either(" ", "\n", "\t", "\r");

/** Invoke tags with a prefix. */
function invokeTags(prefix: string | ReturnType<typeof maybe>): Tags {
  return {
    call: [shape("<", prefix, "invoke", WHITE)],
    callEnd: [shape("</", prefix, "invoke", maybe(" "), ">")],
    parameter: [
      shape("<", prefix, "parameter", WHITE),
      shape("<", prefix, "parameter>"),
      shape("<", prefix, "parameter", space, "="),
    ],
    parameterEnd: [shape("</", prefix, "parameter", maybe(" "), ">")],
  };
}

export const ATEM_TAGS: Tags = invokeTags("atem:");
const ANTHROPIC_TAGS = invokeTags(maybe("antml:"));
const STEP_TAGS: Tags = {
  ...invokeTags("steptml:"),
  callEnd: ["</steptml:invoke>", "</steptml:invoke><｜tool_call_end｜>"],
};

const MINICPM_TAGS: Tags = {
  call: [shape("<function", WHITE, space, "name", space, "=")],
  callEnd: [shape("</function", maybe(" "), ">")],
  parameter: [shape("<param", WHITE)],
  parameterEnd: [shape("</param", maybe(" "), ">")],
};

/** A wrapper of fixed tags. */
const wrapper = (...names: readonly string[]): Pick<ElementGrammar, "blockStart" | "blockEnd"> => ({
  blockStart: names.map((name) => `<${name}>`),
  blockEnd: names.map((name) => shape(`</${name}`, maybe(" "), ">")),
});

interface Row extends Pick<Dialect, "id" | "aka" | "models"> {
  readonly grammar: ElementGrammar;
  /** Its block may hold JSON as well. */
  readonly json?: true;
  /** What opens a call whose wrapper was lost; those of `invoke` and `qwen3-coder` have their own dialect. */
  readonly recovered?: readonly Marker[];
}

const ROWS: readonly Row[] = [
  {
    id: "minimax-m2",
    aka: ["minimax_m2", "minimax-m2", "minimax"],
    models: "MiniMax M2, M2.1, M2.5",
    grammar: { tags: [INVOKE_TAGS], ...wrapper("minimax:tool_call"), wrap: unwrapPairedLineBreaks },
    json: true,
  },
  {
    id: "dots",
    aka: ["dots"],
    models: "Dots",
    grammar: { tags: [INVOKE_TAGS], ...wrapper("dots_function_call"), wrap: unwrapPairedLineBreaks },
    json: true,
  },
  {
    id: "anthropic",
    aka: [],
    models: "Claude through resellers, and what was trained on its transcripts",
    grammar: {
      tags: [ANTHROPIC_TAGS],
      ...wrapper("function_calls", "antml:function_calls"),
      wrap: unwrapPairedLineBreaks,
    },
    json: true,
    recovered: invokeTags("antml:").call,
  },
  {
    id: "step3",
    aka: ["step3"],
    models: "Step3",
    grammar: {
      tags: [STEP_TAGS],
      blockStart: ["<｜tool_calls_begin｜>"],
      blockEnd: ["<｜tool_calls_end｜>"],
      between: ["<｜tool_call_begin｜>function<｜tool_sep｜>", "<｜tool_call_end｜>"],
      wrap: unwrapPairedLineBreaks,
    },
    recovered: STEP_TAGS.call,
  },
  {
    id: "seed-oss",
    aka: ["seed_oss"],
    models: "Seed-OSS",
    grammar: { tags: [QWEN_TAGS], ...wrapper("seed:tool_call"), wrap: unwrapLineBreaks },
    json: true,
  },
];

export const elementDialects: readonly Dialect[] = ROWS.map((row): Dialect => {
  const { grammar, json, recovered = [], ...about } = row;
  return {
    ...about,
    opens: [
      ...grammar.blockStart.map((marker): Opener => ({ marker, form: "wrapped" })),
      ...recovered.map((marker): Opener => ({ marker, form: "recovered" })),
    ],

    *block(scan, out, hit, { form }) {
      if (form === "recovered") return yield* elementCalls(scan, out, grammar, hit);
      const closed = json ? yield* otherBody(scan, out, grammar.blockEnd) : undefined;
      return closed ?? (yield* elementCalls(scan, out, grammar, undefined));
    },
  };
});

const MINICPM: ElementGrammar = {
  tags: [MINICPM_TAGS],
  blockStart: [],
  blockEnd: [],
  wrap: unwrapPairedLineBreaks,
};

export const minicpm5: Dialect = {
  id: "minicpm5",
  aka: ["minicpm5"],
  models: "MiniCPM5",
  opens: MINICPM_TAGS.call.map((marker) => ({ marker, form: "bare" })),
  block: (scan, out, hit) => bareCalls(scan, out, MINICPM, hit),
};
