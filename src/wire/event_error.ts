/** Errors that come as events of a stream: found however they are framed, and told so that clients see them. */
import { isObject } from "./call_piece.ts";
import { errorIn, toApiError } from "./errors.ts";
import { parse } from "./json_text.ts";
import { encodeEvent, type SseEvent } from "./sse_event.ts";
import type { Json } from "./openai.ts";

/** The error that an event reports, if it does; `chunk` is its data, read. */
export function errorOf({ raw, data, name }: SseEvent, chunk: unknown): Json | undefined {
  if (data === undefined) return unframed(raw);
  if (chunk === undefined && name === "error") return { message: data };
  return errorIn(chunk, name);
}

/** The event as it came when clients take it for an error, else one that they do. */
export function errorEvent(event: SseEvent, chunk: unknown, error: Json): SseEvent {
  const seen = isObject(chunk) && isObject(chunk.error) && typeof chunk.error.message === "string";
  if (seen) return event;
  const data = JSON.stringify({ error: toApiError(error) });
  return { raw: encodeEvent(data), data };
}

/** JSON between the events, or in a field `error:` (llama.cpp): readers of events pass over it (symptoms C20). */
function unframed(raw: string): Json | undefined {
  const text = /^\s*(?:error:)?\s*(\{[^]*\})\s*$/.exec(raw)?.[1];
  if (text === undefined) return undefined;
  return errorIn(parse(text), /^\s*error:/.test(raw) ? "error" : undefined);
}
