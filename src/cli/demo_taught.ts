/** A demo model that has no tools of its own: it reads from the instructions how to call them, as a real one would. */
import type { Json } from "../wire/openai.ts";
import type { DemoCall } from "./demo_upstream.ts";

/** What a model has learnt from its instructions. */
export interface Taught {
  readonly tools: readonly { readonly name: string; readonly parameters: Json }[];
  /** How it writes an answer with a call. */
  call(text: string, call: DemoCall): string;
  /** How it writes an answer in words. */
  final(text: string): string;
}

/** What a request's messages teach; undefined when they teach no tools. */
export function readInstructions(messages: readonly Json[]): Taught | undefined {
  const said = messages.map(textOf).find((text) => text.includes("\n## The tools\n"));
  if (said === undefined) return undefined;
  const [rules, list] = said.split("\n## The tools\n") as [string, string];
  const protocol = protocols.find(({ sign }) => rules.includes(sign));
  return protocol && { ...protocol, tools: toolsIn(list) };
}

/** Whether the last thing that the model was told is what a tool answered. */
export function isResult(message: Json | undefined): boolean {
  return message?.["role"] === "user" && /^(?:\[\[OPENCODE_RESULT\]\]|<tool_result>)/.test(textOf(message));
}

/** The text of a message. */
export function textOf({ content }: Json): string {
  if (typeof content === "string") return content;
  return Array.isArray(content) ? content.map((part: Json) => part["text"] ?? "").join("") : "";
}

const json = JSON.stringify;

interface Protocol extends Pick<Taught, "call" | "final"> {
  /** What stands in the instructions when this is what they teach. */
  readonly sign: string;
}

const protocols: readonly Protocol[] = [
  {
    sign: "[[OPENCODE_TOOL]]",
    call: (text, call) =>
      `${text}\n[[OPENCODE_TOOL]]\n[[CALL]]\n${json(call)}\n[[/CALL]]\n[[/OPENCODE_TOOL]]`,
    final: (text) => `[[OPENCODE_FINAL]]\n${text}\n[[/OPENCODE_FINAL]]`,
  },
  {
    sign: '{"v":1,',
    call: (text, call) => json({ v: 1, mode: "tool", message: text, tool_calls: [call] }),
    final: (text) => json({ v: 1, mode: "final", message: text, tool_calls: [] }),
  },
  {
    sign: "<open>",
    call: (text, { name, arguments: given }) => {
      const children = Object.entries(given).map(([key, value]) => `<${key}>${valueText(value)}</${key}>`);
      return [`<open>\n${text}\n</open>`, `<${name}>`, ...children, `</${name}>`].join("\n");
    },
    final: (text) => `<open>\n${text}\n</open>`,
  },
];

function valueText(value: unknown): string {
  const text = typeof value === "string" ? value : json(value);
  return text.includes("<") ? `<![CDATA[${text}]]>` : text;
}

/** Each tool ends with its schema; a description may hold headings of its own. */
function toolsIn(list: string): Taught["tools"] {
  const tools: { name: string; parameters: Json }[] = [];
  let from = 0;
  for (const { index, 0: line, 1: schema } of list.matchAll(/^Arguments, as JSON Schema: (\{.*\})$/gm)) {
    const name = /^### (\S+)$/m.exec(list.slice(from, index))?.[1];
    if (name !== undefined) tools.push({ name, parameters: JSON.parse(schema!) as Json });
    from = index + line.length;
  }
  return tools;
}
