/** One answer in its two forms: a `chat.completion`, and the chunks of a stream. */
import { isObject } from "./call_piece.ts";
import type { Choice, Chunk, Delta, Json, ToolCallDelta } from "./openai.ts";

/** Texts that come in pieces. Whatever else is a string in a delta is whole each time. */
const TEXTS = new Set(["content", "reasoning_content", "reasoning", "refusal"]);

/** The order in which a turn is said: what a model thinks, what it says, what it calls. */
const BEFORE_CONTENT = ["reasoning_content", "reasoning"];

/** Whether a chunk is a whole answer, as servers send that only pretend to stream. */
export function isWholeAnswer({ choices }: Json): boolean {
  return Array.isArray(choices) &&
    choices.some((choice: unknown) =>
      isObject(choice) && isObject(choice.message) && !isObject(choice.delta)
    );
}

/** Splits an answer into the chunks that a stream would have brought, one for each part of a message. */
export function toChunks(completion: Json): Chunk[] {
  const { choices, usage, ...head } = completion;
  const envelope: Json = {}, others: Json = {};
  for (const [key, value] of Object.entries(head)) {
    // What is large comes once; id, model and the like stand in each chunk.
    (typeof value === "object" && value !== null ? others : envelope)[key] = value;
  }
  if (typeof completion.object === "string") envelope.object = "chat.completion.chunk";
  const list = Array.isArray(choices) ? choices : [];
  const chunks: Chunk[] = list.flatMap((choice: unknown, index) =>
    choiceChunks(isObject(choice) ? choice : {}, index).map((part) => ({ ...envelope, choices: [part] }))
  );
  if ("usage" in completion) chunks.push({ ...envelope, choices: [], usage });
  if (chunks.length === 0) chunks.push({ ...envelope, choices: [] });
  chunks[0] = { ...chunks[0]!, ...others };
  return chunks;
}

function choiceChunks(choice: Json, position: number): Choice[] {
  const { index = position, message, finish_reason, ...rest } = choice;
  const base: Choice = { index: index as number };
  const { role, content, tool_calls, ...others } = isObject(message) ? message : {} as Json;
  const deltas: Delta[] = [];
  const first: Delta = {}, after: Delta = {};
  if (role !== undefined) first.role = role as string;
  for (const [key, value] of Object.entries(others)) {
    if (BEFORE_CONTENT.includes(key)) first[key] = value;
    else after[key] = value;
  }
  deltas.push(first);
  if (content !== undefined) deltas.push({ content: content as string | null });
  if (Object.keys(after).length > 0) deltas.push(after);
  if (Array.isArray(tool_calls)) {
    const indexed = (call: unknown, n: number) => isObject(call) ? { index: n, ...call } : call;
    deltas.push({ tool_calls: tool_calls.map(indexed) as ToolCallDelta[] });
  } else if (tool_calls !== undefined) deltas.push({ tool_calls: tool_calls as never });
  const parts: Choice[] = deltas.map((delta) => ({ ...base, delta, finish_reason: null }));
  const last: Choice = { ...base, delta: {}, ...rest };
  if (finish_reason !== undefined) last.finish_reason = finish_reason as string | null;
  return [...parts, last];
}

/** What has come of one choice so far. */
interface Folded {
  readonly index: number;
  readonly fields: Json; // of the choice
  readonly message: Json;
  readonly texts: Map<string, string[]>;
  readonly calls: Map<number, Json>;
  finish: unknown;
}

/** Joins the chunks of a stream into one answer. What is missing of id, created, model and object is filled in. */
export function fold(chunks: readonly Chunk[]): Json {
  const envelope: Json = {};
  let usage: unknown;
  const choices = new Map<number, Folded>();
  for (const chunk of chunks) {
    for (const [key, value] of Object.entries(chunk)) {
      if (key === "usage") usage = value ?? usage ?? null;
      else if (key !== "choices") put(envelope, key, value);
    }
    if (!Array.isArray(chunk.choices)) continue;
    chunk.choices.forEach((choice: unknown, position) => {
      if (!isObject(choice)) return;
      const index = typeof choice.index === "number" ? choice.index : position;
      let folded = choices.get(index);
      if (folded === undefined) {
        folded = { index, fields: {}, message: {}, texts: new Map(), calls: new Map(), finish: null };
        choices.set(index, folded);
      }
      foldChoice(folded, choice);
    });
  }
  const { id, created, model, ...rest } = envelope;
  return {
    id: id ?? `chatcmpl-${crypto.randomUUID().replaceAll("-", "")}`,
    ...rest,
    object: "chat.completion",
    created: created ?? Math.floor(Date.now() / 1000),
    model: model ?? "",
    choices: [...choices.values()].sort((a, b) => a.index - b.index).map(toChoice),
    ...(usage === undefined ? {} : { usage }),
  };
}

function foldChoice(folded: Folded, choice: Json): void {
  const { index: _, delta, message, finish_reason, ...rest } = choice;
  for (const [key, value] of Object.entries(rest)) put(folded.fields, key, value);
  folded.finish = finish_reason ?? folded.finish;
  // Some servers end a stream with the whole `message`; it counts only where no delta came.
  const source = isObject(delta) ? delta : isObject(message) ? message : {};
  for (const [key, value] of Object.entries(source)) {
    if (key === "tool_calls" && Array.isArray(value)) {
      for (const call of value) if (isObject(call)) foldCall(folded.calls, call);
    } else if (TEXTS.has(key) && typeof value === "string") {
      const pieces = folded.texts.get(key);
      if (pieces === undefined) folded.texts.set(key, [value]);
      else pieces.push(value);
    } else put(folded.message, key, value);
  }
}

function foldCall(calls: Map<number, Json>, delta: Json): void {
  const { index, function: called, ...rest } = delta;
  const place = typeof index === "number" ? index : calls.size;
  const call = calls.get(place) ?? {};
  calls.set(place, call);
  for (const [key, value] of Object.entries(rest)) put(call, key, value);
  if (!isObject(called)) return;
  const joined = isObject(call.function) ? call.function : {};
  call.function = joined;
  for (const [key, value] of Object.entries(called)) {
    const before = joined[key];
    const more = typeof value === "string" && typeof before === "string" &&
      (key === "arguments" || (key === "name" && before !== value));
    if (more) joined[key] = before + value;
    else put(joined, key, value);
  }
}

function toChoice({ index, fields, message, texts, calls, finish }: Folded): Json {
  const { role, content, ...others } = message;
  const text = texts.get("content")?.join("");
  const joined = [...texts].filter(([key]) => key !== "content").map((
    [key, pieces],
  ) => [key, pieces.join("")]);
  // Without any text: null beside calls, or where the upstream said so; else the empty string.
  const nothing = calls.size > 0 || content === null ? null : "";
  return {
    index,
    message: {
      role: role ?? "assistant",
      content: text ?? content ?? nothing,
      ...others,
      ...Object.fromEntries(joined),
      ...(calls.size === 0
        ? {}
        : { tool_calls: [...calls].sort(([a], [b]) => a - b).map(([, call]) => call) }),
    },
    ...fields,
    finish_reason: finish,
  };
}

/** Lists grow (annotations, reasoning_details, the tokens of logprobs); of everything else the last word counts. */
function put(into: Json, key: string, value: unknown): void {
  if (key === "__proto__" || value === undefined) return;
  const before = Object.hasOwn(into, key) ? into[key] : undefined;
  if (Array.isArray(before) && Array.isArray(value)) into[key] = [...before, ...value];
  else if (key === "logprobs" && isObject(before)) {
    if (isObject(value)) {
      const both = { ...before };
      for (const [name, item] of Object.entries(value)) put(both, name, item);
      into[key] = both;
    }
  } else if (value !== null || before === undefined) into[key] = value;
}
