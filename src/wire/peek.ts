/** A look at the first events of an answer, before its status goes out: an error there is an error of the request. */
import { parse } from "./answer.ts";
import { isObject } from "./call_piece.ts";
import { errorIn } from "./errors.ts";
import type { Json } from "./openai.ts";
import type { Events } from "./events.ts";
import type { SseEvent } from "./sse_event.ts";
import type { Batch, UpstreamBody } from "./upstream_body.ts";

/** What the beginning of an answer shows: nothing wrong; an error in an event; a connection that broke. */
export type Beginning =
  | { readonly kind: "good" }
  | { readonly kind: "error"; readonly error: Json }
  | { readonly kind: "broken"; readonly error: unknown };

/**
 * Reads up to the first event with content, but no longer than `ms` after the first event (symptoms C20). What was
 * read is kept in `body`.
 */
export async function peek(body: UpstreamBody, ms: number): Promise<Beginning> {
  const seen: (Batch & { readonly events: Events })[] = [];
  let until = Infinity;
  for (;;) {
    const batch = await body.readEvents(until - Date.now());
    if (batch.kind === "broken") return batch;
    if (batch.kind === "late") break;
    seen.push(batch);
    const verdict = judge(batch.events);
    if (typeof verdict === "object") return { kind: "error", error: verdict };
    if (verdict === "content" || batch.kind === "end") break;
    if (!batch.events.done && until === Infinity) until = Date.now() + ms;
  }
  body.keep(seen);
  return { kind: "good" };
}

function judge(events: Iterable<SseEvent>): "content" | "nothing" | Json {
  for (const { data, name } of events) {
    if (data === undefined || data === "") continue;
    const chunk = parse(data);
    const error = errorIn(chunk, name) ?? (name === "error" ? { message: data } : undefined);
    if (error !== undefined) return error;
    if (!isObject(chunk) || hasContent(chunk)) return "content";
  }
  return "nothing";
}

function hasContent({ choices }: Json): boolean {
  return Array.isArray(choices) && choices.some((choice: unknown) => {
    if (!isObject(choice)) return false;
    if (typeof choice.finish_reason === "string" && choice.finish_reason !== "") return true;
    const delta = isObject(choice.delta) ? choice.delta : isObject(choice.message) ? choice.message : {};
    return Object.entries(delta).some(([key, value]) => key !== "role" && !isNothing(value));
  });
}

function isNothing(value: unknown): boolean {
  return value === null || value === undefined || value === "" ||
    (Array.isArray(value) && value.length === 0);
}
