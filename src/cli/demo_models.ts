/** The models of the demo: how each of them writes a call. */
import type { Json } from "../wire/openai.ts";

/** A call as a model means it, before it is written down. */
export interface DemoCall {
  readonly name: string;
  readonly arguments: Json;
}

/** One model of the demo. */
export interface DemoModel {
  readonly id: string;
  /** How models write the call; undefined when this one uses the protocol's own `tool_calls`. */
  readonly write?: (call: DemoCall) => string;
  /** How it writes the call when it was offered no tools, but its instructions teach it how to call them. */
  readonly taught?: (call: DemoCall) => string;
  /** Its calls go out when the turn is over: until then they may be an answer in JSON, or prose. */
  readonly atTheEnd?: boolean;
}

const json = JSON.stringify;
const asText = (value: unknown) => typeof value === "string" ? value : json(value);
const each = (call: DemoCall, write: (key: string, value: unknown) => string) =>
  Object.entries(call.arguments).map(([key, value]) => write(key, value)).join("");
const hermes = (call: DemoCall) => `<tool_call>\n${json(call)}\n</tool_call>`;
const invoke = (call: DemoCall) =>
  `<invoke name="${call.name}">\n` +
  each(call, (key, value) => `<parameter name="${key}">${asText(value)}</parameter>\n`) + "</invoke>";
const pythonic = ({ name, arguments: values }: DemoCall) =>
  `${name}(${Object.entries(values).map(([key, value]) => `${key}=${json(value)}`).join(", ")})`;
const literal = (value: unknown, quote: string): string => {
  if (typeof value === "string") return quote + value + quote;
  if (Array.isArray(value)) return `[${value.map((element) => literal(element, quote)).join(",")}]`;
  if (typeof value !== "object" || value === null) return json(value);
  return `{${Object.entries(value).map(([key, inner]) => `${key}:${literal(inner, quote)}`).join(",")}}`;
};

/** Every model of the demo; a new dialect is one more row. */
export const demoModels: readonly DemoModel[] = [
  {
    id: "demo-dsml",
    write: (call) =>
      `\n\n<｜DSML｜tool_calls>\n<｜DSML｜invoke name="${call.name}">\n` +
      each(call, (key, value) =>
        `<｜DSML｜parameter name="${key}" string="${typeof value === "string"}">` +
        `${asText(value)}</｜DSML｜parameter>\n`) +
      `</｜DSML｜invoke>\n</｜DSML｜tool_calls>`,
  },
  { id: "demo-hermes", write: hermes },
  {
    id: "demo-qwen-name-parameters",
    write: (call) =>
      `<tool_call><name>${call.name}</name><parameters>${json(call.arguments)}</parameters></tool_call>`,
  },
  {
    id: "demo-qwen3-coder",
    write: (call) =>
      `<tool_call>\n<function=${call.name}>\n` +
      each(call, (key, value) => `<parameter=${key}>\n${asText(value)}\n</parameter>\n`) +
      `</function>\n</tool_call>`,
  },
  { id: "demo-tool-calls-invoke", write: (call) => `<tool_calls>\n${invoke(call)}\n</tool_calls>` },
  {
    id: "demo-glm",
    write: (call) =>
      `<tool_call>${call.name}\n` +
      each(call, (key, value) => `<arg_key>${key}</arg_key>\n<arg_value>${asText(value)}</arg_value>\n`) +
      "</tool_call>",
  },
  { id: "demo-minimax", write: (call) => `<minimax:tool_call>\n${invoke(call)}\n</minimax:tool_call>` },
  { id: "demo-anthropic", write: (call) => `<function_calls>\n${invoke(call)}\n</function_calls>` },
  {
    id: "demo-seed-oss",
    write: (call) =>
      `<seed:tool_call>\n<function=${call.name}>\n` +
      each(call, (key, value) => `<parameter=${key}>\n${asText(value)}\n</parameter>\n`) +
      "</function>\n</seed:tool_call>",
  },
  {
    id: "demo-deepseek",
    write: (call) =>
      `<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>${call.name}<｜tool▁sep｜>${json(call.arguments)}` +
      "<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
  },
  {
    id: "demo-kimi",
    write: (call) =>
      `<|tool_calls_section_begin|><|tool_call_begin|>functions.${call.name}:0<|tool_call_argument_begin|>` +
      `${json(call.arguments)}<|tool_call_end|><|tool_calls_section_end|>`,
  },
  { id: "demo-mistral", write: (call) => `[TOOL_CALLS]${call.name}[ARGS]${json(call.arguments)}` },
  {
    id: "demo-harmony",
    write: (call) =>
      "<|channel|>analysis<|message|>A tool can tell me that.<|end|><|start|>assistant<|channel|>commentary " +
      `to=functions.${call.name} <|constrain|>json<|message|>${json(call.arguments)}<|call|>`,
  },
  {
    id: "demo-gemma",
    write: (call) => `<|tool_call>call:${call.name}${literal(call.arguments, '<|"|>')}<tool_call|>`,
  },
  { id: "demo-lfm", write: (call) => `<|tool_call_start|>[${pythonic(call)}]<|tool_call_end|>` },
  { id: "demo-lm-studio", write: (call) => `[TOOL_REQUEST]${json(call)}[END_TOOL_REQUEST]` },
  {
    id: "demo-cline",
    write: (call) =>
      `<${call.name}>\n${
        each(call, (key, value) => `<${key}>\n${asText(value)}\n</${key}>\n`)
      }</${call.name}>`,
  },
  { id: "demo-bare-json", write: json, atTheEnd: true },
  { id: "demo-fenced-json", write: (call) => "```json\n" + json(call) + "\n```", atTheEnd: true },
  { id: "demo-think", write: (call) => `<think>A tool can tell me that.</think>\n${hermes(call)}` },
  { id: "demo-native" },
  {
    id: "demo-taught",
    write: hermes,
    taught: (call) => `[[OPENCODE_TOOL]]\n[[CALL]]\n${json(call)}\n[[/CALL]]\n[[/OPENCODE_TOOL]]`,
  },
];
