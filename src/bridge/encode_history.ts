/** Rewrites the messages of a request: earlier calls and results as text of the protocol, in their order. */
import { inWords, isObject } from "../wire/call_piece.ts";
import type { Json } from "../wire/openai.ts";
import type { Bridge, PastCall, SchemaOf } from "./bridge.ts";
import { argumentsText } from "./past_call.ts";

/** What a result is the answer to. */
interface Asked {
  readonly name: string;
  /** Which call of its turn, where that had several. */
  readonly nth: number | undefined;
}

/** The messages for the upstream; `reason`, if any, is the last thing said. */
export function encodeHistory(
  messages: readonly unknown[],
  bridge: Bridge,
  schemaOf: SchemaOf,
  reason: string | undefined,
): Json[] {
  const encoded: Json[] = [];
  const asked = new Map<unknown, Asked[]>(); // by id of the call; more than one where a turn has it again
  let open = false; // the last message begins with results: what the user says next goes with it
  for (const message of messages) {
    if (!isObject(message)) {
      encoded.push(message as Json); // the upstream will say what it thinks of it
      open = false;
      continue;
    }
    const calls = callsOf(message);
    if (message.role === "assistant" && (message.tool_calls ?? message.function_call ?? null) !== null) {
      for (const { id } of calls) asked.delete(id);
      calls.forEach(({ id, name }, n) => {
        const call = { name, nth: calls.length > 1 ? n + 1 : undefined };
        asked.set(id, [...asked.get(id) ?? [], call]);
      });
      encoded.push(assistant(message, calls, bridge, schemaOf));
      open = false;
    } else if (message.role === "tool" || message.role === "function") {
      const parts = resultParts(message, bridge, asked);
      if (open || encoded.at(-1)?.role === "user") joinUser(encoded, parts);
      else encoded.push({ role: "user", content: contentOf(parts) });
      open = true;
    } else if (message.role === "user" && open) {
      // Templates of models without tools often refuse two messages of one role in a row; there may be more of the
      // user's than the client's own one, as the images of results come behind them (any/tool-result-text).
      joinUser(encoded, partsOf(message.content));
    } else {
      encoded.push(message);
      open = false;
    }
  }
  if (reason === undefined) return encoded;
  if (encoded.at(-1)?.role === "user") joinUser(encoded, [text(reason)]);
  else encoded.push({ role: "user", content: reason });
  return encoded;
}

function callsOf({ tool_calls, function_call }: Json): (PastCall & { readonly id: unknown })[] {
  const list: unknown[] = Array.isArray(tool_calls) ? tool_calls : [];
  const called = list.flatMap((call) => {
    if (!isObject(call)) return [];
    const { function: named, custom } = call;
    if (isObject(custom)) {
      return [{ id: call.id, of: { name: custom.name, arguments: { input: custom.input } } }];
    }
    if (isObject(named)) return [{ id: call.id, of: named }];
    return typeof call.name === "string" ? [{ id: call.id, of: call }] : []; // as some clients keep them
  });
  if (isObject(function_call)) called.push({ id: function_call.name, of: function_call });
  return called.map(({ id, of }) => ({
    id,
    name: inWords(of.name ?? ""),
    json: argumentsText(of.arguments),
  }));
}

function assistant(message: Json, calls: readonly PastCall[], bridge: Bridge, schemaOf: SchemaOf): Json {
  const { tool_calls: _, function_call: __, content, ...rest } = message;
  const parts = partsOf(content);
  const said = parts.filter(isText).map(textOf).join("\n");
  const others = parts.filter((part) => !isText(part)); // an image that the model has made
  if (calls.length === 0) return { ...rest, content: content ?? "" }; // what is no call says nothing
  return { ...rest, content: contentOf([...others, text(bridge.turn(said, calls, schemaOf))]) };
}

function resultParts(message: Json, bridge: Bridge, asked: ReadonlyMap<unknown, Asked[]>): Json[] {
  const calls = asked.get(message.tool_call_id ?? message.name) ?? [];
  const call = calls.length > 1 ? calls.shift() : calls[0]; // one id for several: in their order
  const name = call?.name ?? (typeof message.name === "string" ? message.name : "tool");
  const { before, behind } = bridge.result(name, call?.nth);
  return glued([text(before), ...partsOf(message.content), text(behind)]);
}

/** Adds to the last message. */
function joinUser(messages: Json[], parts: readonly Json[]): void {
  const last = messages.pop()!;
  const before = partsOf(last.content);
  const gap = before.length > 0 && parts.length > 0 ? [text("\n\n")] : [];
  messages.push({ ...last, content: contentOf(glued([...before, ...gap, ...parts])) });
}

function partsOf(content: unknown): Json[] {
  if (Array.isArray(content)) return content.map((part) => isObject(part) ? part : text(inWords(part)));
  if (content === null || content === undefined || content === "") return [];
  return [text(typeof content === "string" ? content : JSON.stringify(content))];
}

/** Texts that stand side by side are one, unless something is said of one of them. */
function glued(parts: readonly Json[]): Json[] {
  const all: Json[] = [];
  for (const part of parts) {
    const last = all.at(-1);
    if (last !== undefined && isPlain(last) && isPlain(part)) {
      all[all.length - 1] = text(textOf(last) + textOf(part));
    } else all.push(part);
  }
  return all;
}

/** One plain text is a string: not every server takes lists. */
function contentOf(parts: readonly Json[]): unknown {
  const [only] = parts;
  return parts.length === 1 && isPlain(only!) ? textOf(only!) : parts;
}

const text = (said: string): Json => ({ type: "text", text: said });
const isText = (part: Json): boolean => part.type === "text" && typeof part.text === "string";
const isPlain = (part: Json): boolean => isText(part) && Object.keys(part).length === 2;
const textOf = (part: Json): string => part.text as string;
