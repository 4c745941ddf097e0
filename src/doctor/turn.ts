/** Reads an answer as a client does that takes the protocol at its word: what is missing here, clients miss. */
import { isObject } from "../wire/call_piece.ts";
import { errorIn } from "../wire/errors.ts";
import { saysFinish } from "../wire/finish.ts";
import type { Json } from "../wire/openai.ts";
import { SseDecoder } from "../wire/sse.ts";
import { messageOf } from "../wire/tool_error.ts";
import { type Recording, textOf } from "./recording.ts";

/** A call, put together by its index. */
export interface ReadCall {
  readonly name: string;
  readonly arguments: string;
}

/** One event, or the whole of an answer in JSON. */
export interface Part {
  readonly ms: number;
  readonly json: Json;
  /** The first choice's delta or message. */
  readonly said: Json;
  readonly finish: unknown;
}

/** An answer, read. */
export interface Turn {
  readonly recording: Recording;
  readonly form: "events" | "json" | "other";
  /** The error's own text, of a refusal or inside a 200. */
  readonly error: string | undefined;
  readonly errorBody: Json | undefined;
  readonly parts: readonly Part[];
  readonly content: string;
  readonly reasoning: string;
  readonly calls: readonly ReadCall[];
  /** The last finish reason that says something. */
  readonly finish: string | undefined;
  /** `[DONE]` came. */
  readonly done: boolean;
  readonly promptTokens: number | undefined;
}

/** Reads a recorded answer. */
export function readTurn(recording: Recording): Turn {
  const type = recording.headers.get("content-type") ?? "";
  const { parts, done, unread } = type.startsWith("text/event-stream")
    ? events(recording)
    : whole(textOf(recording));
  const errorBody = errorOf(recording, parts, unread);
  const calls: { name: string; arguments: string }[] = [];
  let [content, reasoning] = ["", ""];
  for (const { said } of parts) {
    content += textIn(said["content"]);
    reasoning += textIn(said["reasoning_content"] ?? said["reasoning"]);
    callPieces(said).forEach(({ index, name, text }, n) => {
      const at = done !== undefined ? index ?? 0 : n; // a stream puts calls together by index
      const call = calls[at] ??= { name: "", arguments: "" };
      call.name += name;
      call.arguments += text;
    });
  }
  const usage = parts.map(({ json }) => json["usage"]).findLast(isObject);
  const tokens = usage?.["prompt_tokens"];
  return {
    recording,
    form: done !== undefined ? "events" : parts.length > 0 ? "json" : "other",
    error: errorBody && (messageOf(errorBody) || JSON.stringify(errorBody)),
    errorBody,
    parts,
    content,
    reasoning,
    calls: calls.filter((call) => call !== undefined),
    finish: parts.map(({ finish }) => typeof finish === "string" ? finish : undefined).findLast(saysFinish),
    done: done === true,
    promptTokens: typeof tokens === "number" ? tokens : undefined,
  };
}

interface Read {
  readonly parts: readonly Part[];
  /** Undefined when there are no events. */
  readonly done: boolean | undefined;
  /** What could not be read. */
  readonly unread: string;
}

function events({ pieces }: Recording): Read {
  const decoder = new SseDecoder();
  const parts: Part[] = [];
  let [done, unread] = [false, ""];
  const take = (data: string | undefined, ms: number) => {
    if (data === undefined) return;
    if (data.trim() === "[DONE]") return void (done = true);
    const json = parsed(data);
    if (isObject(json)) parts.push(partOf(json, ms));
    else unread += data;
  };
  for (const { ms, bytes } of pieces) for (const { data } of decoder.push(bytes)) take(data, ms);
  for (const { data } of decoder.end().events) take(data, pieces.at(-1)?.ms ?? 0);
  return { parts, done, unread };
}

function whole(text: string): Read {
  const json = parsed(text);
  return isObject(json)
    ? { parts: [partOf(json, 0)], done: undefined, unread: "" }
    : { parts: [], done: undefined, unread: text };
}

function partOf(json: Json, ms: number): Part {
  const [choice] = Array.isArray(json["choices"]) ? json["choices"] as unknown[] : [];
  const { delta, message, finish_reason: finish } = isObject(choice) ? choice : {} as Json;
  const said = isObject(delta) ? delta : isObject(message) ? message : {};
  return { ms, json, said, finish };
}

function errorOf({ status, failure }: Recording, parts: readonly Part[], unread: string): Json | undefined {
  if (status === 0) return { message: failure?.message ?? "no answer" };
  const inside = parts.map(({ json }) => errorIn(json)).find((error) => error !== undefined);
  if (inside !== undefined) return inside;
  if (status >= 400) return parts[0]?.json ?? { message: unread.trim().slice(0, 500) || `status ${status}` };
  return failure && { message: failure.message };
}

/** The pieces of calls in a delta or message, as they are there. */
export function callPieces(
  said: Json,
): readonly { index?: number; id: unknown; name: string; text: string; raw: unknown }[] {
  const list = Array.isArray(said["tool_calls"]) ? said["tool_calls"] as unknown[] : [];
  return list.filter(isObject).map(({ index, id, function: called }) => {
    const { name, arguments: raw } = isObject(called) ? called : {} as Json;
    return {
      ...(typeof index === "number" && { index }),
      id,
      name: textIn(name),
      text: typeof raw === "string" ? raw : isObject(raw) ? JSON.stringify(raw) : "",
      raw,
    };
  });
}

const textIn = (value: unknown) => typeof value === "string" ? value : "";

/** JSON that is read; undefined when it is none. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
