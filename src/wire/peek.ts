/** A look at the first events of an answer, before its status goes out: an error there is an error of the request. */
import { parse } from "./json_text.ts";
import { isObject } from "./call_piece.ts";
import { errorOf } from "./event_error.ts";
import type { Json } from "./openai.ts";
import type { Events } from "./events.ts";
import { lacksChoice } from "./protocol_stage.ts";
import type { SseEvent } from "./sse_event.ts";
import type { Batch, UpstreamBody } from "./upstream_body.ts";

/** What the beginning of an answer shows: nothing wrong; that there is nothing but it, and it says nothing; a fault. */
export type Beginning =
  | { readonly kind: "good" | "empty" }
  | { readonly kind: "error"; readonly error: Json }
  | { readonly kind: "broken"; readonly error: unknown };

/**
 * Reads up to the first event with content, but no longer than `ms` after the first event (symptoms C20). What was
 * read is kept in `body`.
 */
export async function peek(body: UpstreamBody, ms: number): Promise<Beginning> {
  const seen: (Batch & { readonly events: Events })[] = [];
  let until = Infinity;
  let spoken = false; // something has come, if only a role
  for (;;) {
    const batch = await body.readEvents(until - Date.now());
    if (batch.kind === "broken") return batch;
    if (batch.kind === "late") break;
    seen.push(batch);
    const verdict = judge(batch.events);
    if (typeof verdict === "object") return { kind: "error", error: verdict };
    spoken ||= verdict === "content" || verdict === "role";
    if (!spoken && (verdict === "end" || batch.kind === "end")) {
      body.keep(seen);
      return { kind: "empty" };
    }
    if (verdict === "content" || verdict === "end" || batch.kind === "end") break;
    if (!batch.events.done && until === Infinity) until = Date.now() + ms;
  }
  body.keep(seen);
  return { kind: "good" };
}

/** What some events say: an error; content; only a role; that the answer is over; nothing. */
function judge(events: Iterable<SseEvent>): Json | "content" | "role" | "end" | "nothing" {
  let role = false;
  for (const event of events) {
    const { data } = event;
    const chunk = data === undefined ? undefined : parse(data);
    const error = errorOf(event, chunk);
    if (error !== undefined) return error;
    if (data === undefined || data === "") continue;
    if (data.trim() === "[DONE]") return role ? "content" : "end";
    if (!isObject(chunk) || hasContent(chunk)) return "content";
    role ||= !lacksChoice(chunk);
  }
  return role ? "role" : "nothing";
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
