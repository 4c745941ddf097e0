/** Calls as JSON behind a marker that says so, a row a model (family A). */
import type { Dialect, Opener } from "../parse/dialect.ts";
import { type Marker, shape, space } from "../parse/marker.ts";
import type { Scanner, Step } from "../parse/scanner.ts";
import { jsonCalls, type JsonForm } from "./json_calls.ts";

// All of them are an opener, calls as in hermes.ts or a list of them, and at times a closer:
//   [TOOL_REQUEST]{"name": "get_weather", "arguments": {"city": "Paris", "days": 3}}[END_TOOL_REQUEST]
interface Row extends JsonForm, Pick<Dialect, "id" | "aka" | "models"> {
  readonly opens: readonly (Pick<Opener, "marker" | "where" | "shown"> & { readonly form?: "bare" })[];
  /** What closes the block; it may be missing. */
  readonly closers: readonly Marker[];
}

const ROWS: readonly Row[] = [
  {
    // <tools>
    // {"name": "get_weather", "arguments": {"city": "Paris", "days": 3}}
    // </tools>
    // The prompt lists the tools in the same tag: an echo of it has descriptions, and is no call.
    id: "qwen25-coder-tools",
    aka: ["qwen2_5_coder"],
    models: "Qwen2.5-Coder",
    opens: [{ marker: "<tools>", form: "bare" }],
    closers: ["</tools>"],
    strict: true,
  },
  {
    // What LM Studio's prompt teaches models that know no form of their own.
    id: "lm-studio",
    aka: ["tool_request"],
    models: "any, through LM Studio",
    opens: [{ marker: "[TOOL_REQUEST]" }],
    closers: ["[END_TOOL_REQUEST]", "[/TOOL_REQUEST]"],
  },
  {
    //  functools[{"name": "get_weather", "arguments": {"city": "Paris", "days": 3}}]
    id: "functools",
    aka: ["phi4_mini_json", "phi4", "firefunction_v2"],
    models: "Phi-4, Phi-4-mini; Firefunction v2",
    opens: [{ marker: "functools[", where: "line" }],
    closers: [],
    inList: true,
  },
  {
    // <|tool_call|>[{"name": "get_weather", "arguments": {"city": "Paris", "days": 3}}]
    // Phi-4 closes it with <|/tool_call|>.
    id: "granite3",
    aka: ["granite"],
    models: "Granite 3.0 to 3.3; Phi-4",
    opens: [{ marker: "<|tool_call|>" }],
    closers: ["<|/tool_call|>"],
  },
  {
    // <function_call> {"name": "get_weather", "arguments": {"city": "Paris", "days": 3}}
    id: "granite-20b-fc",
    aka: ["granite_20b_fc"],
    models: "Granite-20B-FunctionCalling; imitations of Hermes",
    opens: [{ marker: "<function_call>" }],
    closers: ["</function_call>"],
  },
  {
    // <TOOLCALL>[{"name": "get_weather", "arguments": {"city": "Paris", "days": 3}}]</TOOLCALL>
    id: "nemotron-toolcall",
    aka: ["nemotron", "llama_nemotron_json", "deci"],
    models: "Nemotron Ultra, Super and Nano v1 and v2; Deci",
    opens: [{ marker: "<TOOLCALL>" }],
    closers: ["</TOOLCALL>"],
  },
  {
    // <|tool_calls|>[{'name': 'get_weather', 'arguments': {'city': 'Paris', 'days': 3}}]
    id: "sarashina",
    aka: ["sarashina2"],
    models: "Sarashina 2.2",
    opens: [{ marker: "<|tool_calls|>" }],
    closers: ["<|/tool_calls|>"],
  },
  {
    // <|tools_prefix|>[{"get_weather": {"city": "Paris", "days": 3}}]<|tools_suffix|>
    id: "apertus",
    aka: [],
    models: "Apertus",
    opens: [{ marker: "<|tools_prefix|>" }],
    closers: ["<|tools_suffix|>"],
    keyIsName: true,
  },
  {
    //  -> tool/function_call
    // [{"name": "get_weather", "arguments": {"city": "Paris", "days": 3}}]
    id: "hyperclovax-14b",
    aka: ["hyperclovax_seed_think_14b"],
    models: "HyperCLOVA X SEED Think 14B",
    opens: [{ marker: "-> tool/function_call", where: "line" }],
    closers: [],
  },
  {
    // <answer>
    // <tool_calls>[{"name": "get_weather", "arguments": {"city": "Paris", "days": 3}}]</tool_calls>
    // </answer>
    // Without <answer> around it, invoke.ts reads it.
    id: "hunyuan-a13b",
    aka: ["hunyuan_a13b"],
    models: "Hunyuan-A13B",
    opens: [{ marker: shape("<answer>", space, "<tool_calls>"), shown: "<answer><tool_calls>" }],
    closers: [shape("</tool_calls>", space, "</answer>"), "</tool_calls>"],
  },
];

export const taggedJson: readonly Dialect[] = ROWS.map((row): Dialect => ({
  id: row.id,
  aka: row.aka,
  models: row.models,
  opens: row.opens.map((opener): Opener => ({ form: "wrapped", ...opener })),

  *block(scan, out) {
    if (!(yield* opensCalls(scan, row.inList ?? false)) || !(yield* jsonCalls(scan, out, row))) return false;
    if (row.closers.length === 0) return true;
    const behind = scan.mark();
    yield* scan.skipSpace();
    while (yield* scan.accept("}")) {
      out.problem("arguments-repaired", "a closing brace too many");
      yield* scan.skipSpace();
    }
    const closed = (yield* scan.accept(...row.closers)) !== undefined;
    if (closed) scan.release();
    else scan.rewind(behind);
    return true; // without its closer the JSON has closed all the same
  },
}));

/** An object comes next, or a list of them. */
export function* opensCalls(scan: Scanner, inList = false): Step<boolean> {
  const behind = scan.mark();
  yield* scan.skipSpace();
  if (!inList && (yield* scan.accept("["))) yield* scan.skipSpace();
  const found = (yield* scan.peek()) === "{";
  scan.rewind(behind);
  return found;
}
