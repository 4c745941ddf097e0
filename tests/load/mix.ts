/** What is asked and answered under load: prose, native calls, and calls written as text, each stream marked as its own. */
import { fileOf, tools } from "../bench/streams.ts";

/** Where the model server writes when it sent this piece; as wide as what it is replaced by. */
export const STAMP = "t=@@@@@@@@@@@@@@@;";
/** Where the stream's own name goes; a piece that comes out of another stream shows. */
export const NAME = "#@@@@@@;";

/** One sort of exchange. */
export interface Kind {
  readonly name: string;
  readonly tools: boolean;
  readonly stream: boolean;
  /** The events of the answer, or the one JSON text. */
  readonly pieces: readonly string[];
  /** How many of them go out at each tick. */
  readonly perTick: number;
}

/** Text of which every third word is a stamp; what code and prose have of signs that matter somewhere. */
const BODY = Array.from({ length: 40 }, (_, n) => [
  `${STAMP} `,
  `word ${n} `,
  ["a < b && c > d ", "naïve — 日本語 🙂 ", `${NAME} `, "`x[0]` {y} ", "it's 'so' | or "][n % 5]!,
]).flat();

const D = "｜DSML｜";
const PATH = "src/value.ts";

/** How each dialect writes one call whose `content` is the body: what stands before, how text is escaped, and after. */
const DIALECTS: readonly (readonly [name: string, open: string, close: string])[] = [
  [
    "hermes",
    `<tool_call>\n{"name": "write_file", "arguments": {"path": "${PATH}", "content": "`,
    `"}}\n</tool_call>`,
  ],
  [
    "dsml",
    `<${D}tool_calls>\n<${D}invoke name="write_file">\n<${D}parameter name="path" string="true">${PATH}</${D}parameter>\n` +
    `<${D}parameter name="content" string="true">`,
    `</${D}parameter>\n</${D}invoke>\n</${D}tool_calls>`,
  ],
  [
    "qwen3-coder",
    `<tool_call>\n<function=write_file>\n<parameter=path>\n${PATH}\n</parameter>\n<parameter=content>\n`,
    `\n</parameter>\n</function>\n</tool_call>`,
  ],
  [
    "glm",
    `<tool_call>write_file\n<arg_key>path</arg_key>\n<arg_value>${PATH}</arg_value>\n<arg_key>content</arg_key>\n<arg_value>`,
    `</arg_value>\n</tool_call>`,
  ],
  ["mistral", `[TOOL_CALLS]write_file[ARGS]{"path": "${PATH}", "content": "`, `"}`],
  [
    "kimi",
    `<|tool_calls_section_begin|><|tool_call_begin|>functions.write_file:0<|tool_call_argument_begin|>` +
    `{"path": "${PATH}", "content": "`,
    `"}<|tool_call_end|><|tool_calls_section_end|>`,
  ],
];

type Delta = { readonly [name: string]: unknown };

function event(delta: Delta, finish: string | null = null): string {
  const choices = [{ index: 0, delta, finish_reason: finish }];
  return `data: ${
    JSON.stringify({
      id: "chatcmpl-load",
      object: "chat.completion.chunk",
      created: 1,
      model: "load",
      choices,
    })
  }\n\n`;
}

/** Cut as tokens are. */
function cut(text: string, size = 4): string[] {
  return text.match(new RegExp(`[^]{1,${size}}`, "gu")) ?? [];
}

function prose(name: string, offered: boolean, perTick = 1): Kind {
  const deltas = BODY.map((content) => event({ content }));
  const pieces = [
    event({ role: "assistant", content: "" }),
    ...deltas,
    event({}, "stop"),
    "data: [DONE]\n\n",
  ];
  return { name, tools: offered, stream: true, pieces, perTick };
}

function text([name, open, close]: (typeof DIALECTS)[number]): Kind {
  const words = ["I write it. ", ...cut(open), ...BODY, ...cut(close)];
  const deltas = words.map((content) => event({ content }));
  const pieces = [
    event({ role: "assistant", content: "" }),
    ...deltas,
    event({}, "stop"),
    "data: [DONE]\n\n",
  ];
  return { name, tools: true, stream: true, pieces, perTick: 1 };
}

function native(name: string, body: readonly string[], perTick: number): Kind {
  const call = (part: Delta) => event({ tool_calls: [{ index: 0, ...part }] });
  const words = [
    `{"path": "${PATH}", "content": "`,
    ...body.map((word) => JSON.stringify(word).slice(1, -1)),
    `"}`,
  ];
  const start = { id: "call_1", type: "function", function: { name: "write_file", arguments: "" } };
  const deltas = words.map((word) => call({ function: { arguments: word } }));
  const pieces = [
    event({ role: "assistant", content: null }),
    call(start),
    ...deltas,
    event({}, "tool_calls"),
    "data: [DONE]\n\n",
  ];
  return { name, tools: true, stream: true, pieces, perTick };
}

/** Not streamed: the text comes whole, with a call in it. */
function whole(): Kind {
  const [, open, close] = DIALECTS[0]!;
  const message = {
    role: "assistant",
    content: `${NAME} ${open}${NAME} ${fileOf(2000).replaceAll('"', "'")}${close}`,
  };
  message.content = message.content.replaceAll("\n", " ");
  const choices = [{ index: 0, message, finish_reason: "stop" }];
  const pieces = cut(
    JSON.stringify({ id: "chatcmpl-load", object: "chat.completion", created: 1, model: "load", choices }),
    64,
  );
  return { name: "json", tools: true, stream: false, pieces, perTick: 1 };
}

const long = cut(fileOf(100_000), 256);

/** All sorts; a stream takes the one that its number falls on. */
export const kinds: readonly Kind[] = [
  prose("prose", false),
  prose("prose with tools", true),
  native("native", BODY, 1),
  ...DIALECTS.map(text),
  native("long native", [NAME, ...long], 4),
  longText(),
  whole(),
];

function longText(): Kind {
  const [, open, close] = DIALECTS[2]!;
  const words = [...cut(open), NAME, ...long, ...cut(close)];
  const deltas = words.map((content) => event({ content }));
  const pieces = [
    event({ role: "assistant", content: "" }),
    ...deltas,
    event({}, "stop"),
    "data: [DONE]\n\n",
  ];
  return { name: "long qwen3-coder", tools: true, stream: true, pieces, perTick: 4 };
}

/** What becomes of a stream. */
export type Fate = "whole" | "slow" | "hang-up" | "cut" | "stall";

/** What the model server reads in a request. */
export interface Order {
  readonly name: string;
  readonly kind: string;
  readonly fate: Fate;
  /** Between two ticks; 0: all at once. */
  readonly intervalMs: number;
  /** Writes end in the middle of events. */
  readonly torn: boolean;
}

/** The body of a request. */
export function requestOf(order: Order): string {
  const kind = kinds.find(({ name }) => name === order.kind)!;
  return JSON.stringify({
    model: "load",
    user: JSON.stringify(order),
    stream: kind.stream,
    messages: [{ role: "user", content: "Write it." }],
    ...(kind.tools && { tools }),
  });
}

/** The same text for each stream of a kind: without stamps, names, and what is made up. */
export function normalised(answer: string, name: string): string {
  return answer.replace(/t=[\d.]{15};/g, STAMP).replaceAll(`#${name};`, NAME);
}
