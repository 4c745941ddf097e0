/** Request bodies changed without editing them: what stays the same stays the same object. */
import { isObject } from "../wire/call_piece.ts";
import type { Json } from "../wire/openai.ts";

/** A list with each entry changed: replaced, dropped (`[]`) or made several; the same list when nothing changed. */
function mapList(
  list: readonly unknown[],
  change: (entry: Json, index: number) => unknown,
): readonly unknown[] {
  let same = true;
  const out = list.flatMap((entry, index) => {
    if (!isObject(entry)) return [entry];
    const changed = change(entry, index);
    same &&= changed === entry;
    return changed;
  });
  return same ? list : out;
}

/** The body with one field replaced; undefined takes it out. */
export function withField(body: Json, key: string, value: unknown): Json {
  if (body[key] === value) return body;
  const { [key]: _, ...rest } = body;
  if (value === undefined) return rest;
  return key in body ? { ...body, [key]: value } : { ...rest, [key]: value };
}

/** The body without some fields. */
export function without(body: Json, ...keys: readonly string[]): Json {
  if (!keys.some((key) => key in body)) return body;
  return Object.fromEntries(Object.entries(body).filter(([key]) => !keys.includes(key)));
}

/** The body with its messages changed; see `mapList()`. */
export function mapMessages(body: Json, change: (message: Json, index: number) => unknown): Json {
  return Array.isArray(body.messages) ? withField(body, "messages", mapList(body.messages, change)) : body;
}

/** The body with the `function` of each tool changed. */
export function mapFunctions(body: Json, change: (called: Json) => Json): Json {
  if (!Array.isArray(body.tools)) return body;
  return withField(
    body,
    "tools",
    mapList(
      body.tools,
      (tool) => isObject(tool.function) ? withField(tool, "function", change(tool.function)) : tool,
    ),
  );
}

/** The messages of a body, as far as they are any. */
export function messagesOf(body: Json): readonly Json[] {
  return Array.isArray(body.messages) ? body.messages.filter(isObject) : [];
}

/** The calls of a message. */
export function callsOf(message: Json): readonly Json[] {
  return message.role === "assistant" && Array.isArray(message.tool_calls)
    ? message.tool_calls.filter(isObject)
    : [];
}

/** A message with its calls changed. */
export function mapCalls(message: Json, change: (call: Json, index: number) => unknown): Json {
  if (message.role !== "assistant" || !Array.isArray(message.tool_calls)) return message;
  return withField(message, "tool_calls", mapList(message.tool_calls, change));
}

/** Name, arguments and id of a call, as texts. */
export function readCall(call: Json): { id: string; name: string; arguments: string } {
  const called: Json = isObject(call.function) ? call.function : {};
  return {
    id: textOr(call.id, ""),
    name: textOr(called.name, ""),
    arguments: typeof called.arguments === "string"
      ? called.arguments
      : JSON.stringify(called.arguments ?? {}),
  };
}

/** The text of a content, in whatever form; undefined when something in it is no text. */
export function textOf(content: unknown): string | undefined {
  if (content === undefined || content === null) return "";
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return undefined;
  const texts = content.map((part: unknown) =>
    typeof part === "string" ? part : isObject(part) ? partText(part) : undefined
  );
  return texts.includes(undefined) ? undefined : texts.join("\n");
}

/** The text of one part of a content. */
export function partText(part: Json): string | undefined {
  const text = part.type === "refusal" ? part.refusal : part.text;
  return typeof text === "string" ? text : undefined;
}

/** Two contents as one: text if both are, else the parts of both. */
export function joinContents(first: unknown, second: unknown): unknown {
  if (isNothing(first)) return second;
  if (isNothing(second)) return first;
  if (typeof first === "string" && typeof second === "string") return `${first}\n\n${second}`;
  return [...partsOf(first), ...partsOf(second)];
}

export function isNothing(content: unknown): boolean {
  return content === undefined || content === null || content === "" ||
    (Array.isArray(content) && content.length === 0);
}

export function partsOf(content: unknown): readonly unknown[] {
  if (Array.isArray(content)) return content;
  return isNothing(content) ? [] : [{ type: "text", text: content }];
}

export function textOr(value: unknown, other: string): string {
  return typeof value === "string" ? value : other;
}
