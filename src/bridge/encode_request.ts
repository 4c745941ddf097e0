/** Rewrites a request with tools for a model that has none: the tools are taught, the past is told in the protocol. */
import type { OfferedTool } from "./bridge.ts";
import type { Bridge } from "./bridge.ts";
import { encodeHistory } from "./encode_history.ts";
import { instructions, type Wishes } from "./instructions.ts";
import { isObject } from "../wire/call_piece.ts";
import type { Json } from "../wire/openai.ts";
import { readToolChoice } from "../wire/tool_choice.ts";
import { askForUsage } from "../wire/usage.ts";
import type { Schema } from "../parse/dialect.ts";

export interface EncodeOptions {
  readonly bridge: Bridge;
  /** The most calls in one answer. */
  readonly most: number;
  /** A line for the model that says why it is asked again. */
  readonly reason?: string | undefined;
}

/** The body of the upstream's request. What it does not change stays as the client wrote it, in its place. */
export function encodeRequest(body: Json, { bridge, most, reason }: EncodeOptions): Json {
  const { tools: _, tool_choice: __, parallel_tool_calls: ___, ...rest } = body;
  const wishes = wishesOf(body, most);
  const schemas = new Map(wishes.tools.map(({ name, parameters }) => [name, parameters]));
  const given = Array.isArray(body.messages) ? body.messages : [];
  const history = encodeHistory(given, bridge, (name) => schemas.get(name), reason);
  const messages = withInstructions(history, instructions(bridge, wishes));
  return askForUsage({ ...rest, messages });
}

/** How many calls an answer to this request may have. */
export function mostCalls(body: Json, limit: number): number {
  return body.parallel_tool_calls === false ? 1 : limit;
}

function wishesOf(body: Json, most: number): Wishes {
  const list: unknown[] = Array.isArray(body.tools) ? body.tools : [];
  const tools = list.flatMap(offered);
  const { call, among } = readToolChoice(body.tool_choice);
  const left = among === undefined ? [] : tools.filter(({ name }) => among.includes(name));
  return { tools: left.length > 0 ? left : tools, choice: call, most };
}

function offered(entry: unknown): OfferedTool[] {
  if (!isObject(entry)) return [];
  const { name, description, parameters } = isObject(entry.function) ? entry.function : entry;
  if (typeof name !== "string" || name === "") return [];
  return [{
    name,
    ...(typeof description === "string" ? { description } : {}),
    ...(isObject(parameters) ? { parameters: parameters as Schema } : {}),
  }];
}

/** The client's own first system message says it too; without one there is a new first message. */
function withInstructions(messages: readonly Json[], text: string): Json[] {
  const [first, ...rest] = messages; // what is no message is null, or something else
  if (first?.role !== "system" && first?.role !== "developer") {
    return [{ role: "system", content: text }, ...messages];
  }
  const { content, ...message } = first;
  const merged = Array.isArray(content)
    ? [...content, { type: "text", text }]
    : typeof content === "string" && content !== ""
    ? `${content}\n\n${text}`
    : text;
  return [{ ...message, content: merged }, ...rest];
}
