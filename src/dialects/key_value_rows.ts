/** Dialects of the key and value family: one row of tags each. */
import type { Dialect } from "../parse/dialect.ts";
import { chars, type Marker, shape, space } from "../parse/marker.ts";
import { keyValueCalls, type KeyValueGrammar } from "./key_values.ts";

// GLM 4.5 and 4.6 (from 4.7 on without the line breaks; without arguments `<tool_call>refresh</tool_call>`):
//   <tool_call>get_weather
//   <arg_key>city</arg_key>
//   <arg_value>Paris</arg_value>
//   </tool_call>
// Hunyuan 3 puts <tool_sep> behind the name and <tool_calls> round it all; Hunyuan 4 a suffix into each tag:
//   <tool_calls:6124c78e><tool_call:6124c78e>get_weather<arg_key:6124c78e>city</arg_key:6124c78e>…
// K2-Horizon: <ifm|tool_calls><ifm|tool_call>get_weather<ifm|arg_key>city</ifm|arg_key>
//   <ifm|arg_type>string</ifm|arg_type><ifm|arg_value>Paris</ifm|arg_value></ifm|tool_call></ifm|tool_calls>
// Solar Open 2: <|tool_call:start|>get_weather
//   <|tool_arg:start|>city<|tool_arg:value|>Paris<|tool_arg:end|>
//   <|tool_call:end|>
// Elsewhere: vLLM glm45/glm47/hy_v3/hy_v4, SGLang glm45/hunyuan/solar_open2, llama.cpp "GLM 4.5", Ollama glm-4.7.

/** The markers of one word: its opener and its closer. */
type Tag = (word: string) => readonly [open: readonly Marker[], close: readonly Marker[]];

const plain: Tag = (word) => [[`<${word}>`], [`</${word}>`]];

const HEX = chars("0123456789abcdef", 1, 16);
const suffixed: Tag = (word) => [
  [`<${word}>`, shape(`<${word}:`, HEX, ">")],
  [`</${word}>`, shape(`</${word}:`, HEX, ">")],
];

/** The tags of a grammar whose words all look alike. */
function tags(tag: Tag, word: { block?: string; call: string; inside?: string }): KeyValueGrammar {
  const { block, call, inside = "" } = word;
  const [blockStart, blockEnd] = block === undefined ? [[], []] : tag(block);
  const [callStart, callEnd] = tag(call);
  const [keyStart, keyEnd] = tag(`${inside}arg_key`);
  const [typeStart, typeEnd] = tag(`${inside}arg_type`);
  const [valueStart, valueEnd] = tag(`${inside}arg_value`);
  return {
    blockStart,
    blockEnd,
    callStart,
    callEnd,
    nameEnd: tag("tool_sep")[0],
    keyStart,
    keyEnd,
    typeStart,
    typeEnd,
    valueStart,
    valueEnd,
  };
}

const SOLAR: KeyValueGrammar = {
  blockStart: [],
  blockEnd: [],
  callStart: ["<|tool_call:start|>"],
  callEnd: ["<|tool_call:end|>"],
  nameEnd: [],
  keyStart: ["<|tool_arg:start|>"],
  keyEnd: [],
  typeStart: [],
  typeEnd: [],
  valueStart: ["<|tool_arg:value|>"],
  valueEnd: ["<|tool_arg:end|>"],
  firstWins: true,
};

const HUNYUAN_TAGS = tags(suffixed, { block: "tool_calls", call: "tool_call" });
/** An answer that is nothing but calls is marked as one all the same. */
const HUNYUAN: KeyValueGrammar = {
  ...HUNYUAN_TAGS,
  blockStart: [...HUNYUAN_TAGS.blockStart, shape("<answer>", space, "<tool_calls>")],
  blockEnd: [shape("</tool_calls>", space, "</answer>"), ...HUNYUAN_TAGS.blockEnd],
};

type Row = Pick<Dialect, "id" | "aka" | "models"> & { readonly grammar: KeyValueGrammar };

const ROWS: readonly Row[] = [
  {
    id: "glm",
    aka: [
      "glm45",
      "glm47",
      "glm4_moe",
      "ling3",
      "spark25",
      "hyperclovax_seed_think",
      "poolside_v1",
      "laguna",
    ],
    models: "GLM 4.5 to 5.x; Ling 3, Spark 2.5 and 3, HyperCLOVA X SEED Think, Laguna",
    grammar: tags(plain, { call: "tool_call" }),
  },
  {
    id: "iquest-q1",
    aka: ["iquest_q1"],
    models: "IQuest-Q1",
    grammar: tags(plain, { call: "iquest_tool_call" }),
  },
  {
    id: "hunyuan",
    aka: ["hy_v3", "hy_v4", "hunyuan"],
    models: "Hunyuan HY3 and HY4",
    grammar: HUNYUAN,
  },
  {
    id: "longcat",
    aka: ["longcat"],
    models: "LongCat",
    grammar: tags(plain, { call: "longcat_tool_call", inside: "longcat_" }),
  },
  {
    id: "k2-horizon",
    aka: ["k2_v3"],
    models: "K2-Horizon",
    grammar: tags(plain, { block: "ifm|tool_calls", call: "ifm|tool_call", inside: "ifm|" }),
  },
  { id: "solar-open2", aka: ["solar_open2"], models: "Solar Open 2, Solar Pro 4", grammar: SOLAR },
];

export const keyValueDialects: readonly Dialect[] = ROWS.map(({ grammar, ...row }): Dialect => ({
  ...row,
  opens: [...grammar.blockStart, ...grammar.callStart]
    .filter((marker) => marker !== "<tool_call>" || row.id === "glm") // without its wrapper Hunyuan's is GLM's
    .map((marker) => ({ marker, form: "wrapped" })),
  block: (scan, out, { marker }) => keyValueCalls(scan, out, grammar, grammar.callStart.includes(marker)),
}));
