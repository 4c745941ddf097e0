/** Answers that are not streamed on both sides: JSON takes the stream's path as chunks, and is folded back. */
import { type Answer, chunksIn, encode } from "./answer.ts";
import { breakage } from "./errors.ts";
import { fold, toChunks } from "./fold.ts";
import type { Json } from "./openai.ts";
import { NO_EVENTS } from "./events.ts";
import { encodeEvent } from "./sse_event.ts";
import type { Item } from "./stage.ts";
import type { UpstreamBody } from "./upstream_body.ts";

/** An answer behind the stages. */
export interface Told {
  readonly items: readonly Item[];
  /** No stage changed anything. */
  readonly same: boolean;
}

/** Sends a whole answer through the stages of a stream: there is no second parser (rule 17). */
export function tell(answer: Answer, completion: Json): Told {
  const chunks = toChunks(completion);
  // The number stands in for the event that a stream would have had: it is lost where something is changed.
  const items = chunks.flatMap((chunk, n) => answer.chunk({ chunk, raw: String(n) }));
  const rest = answer.close();
  const same = rest.length === 0 && items.length === chunks.length &&
    items.every(({ raw }, n) => raw === String(n));
  return { items: [...items, ...rest].map(({ chunk }) => ({ chunk })), same };
}

/** An answer as JSON. */
export function toJson({ items }: Told): string {
  return JSON.stringify(fold(items.map(({ chunk }) => chunk)));
}

/** An answer as a stream's bytes. */
export function toStream({ items }: Told): string {
  return items.map(encode).join("") + encodeEvent("[DONE]");
}

/** Reads a stream to its end. */
export async function collect(
  answer: Answer,
  body: UpstreamBody,
  finishGraceMs: number,
): Promise<{ readonly told: Told } | { readonly status?: number; readonly error: Json }> {
  const items: Item[] = [];
  let until: number | undefined; // once all is said, whatever else comes must come by then
  for (let over = false; !over;) {
    if (answer.finished) until ??= Date.now() + finishGraceMs;
    const batch = await body.readEvents(until === undefined ? Infinity : Math.max(0, until - Date.now()));
    if (batch.kind === "broken" && !answer.finished) return breakage(batch.error);
    const events = batch.kind === "events" || batch.kind === "end" ? batch.events : NO_EVENTS;
    over = batch.kind !== "events";
    const outs = [...answer.take(events), ...(over ? answer.end() : [])];
    for (const out of outs) {
      for (const chunk of chunksIn(out)) items.push({ chunk });
    }
    over ||= answer.done;
  }
  body.cancel();
  return answer.error === undefined ? { told: { items, same: false } } : { error: answer.error };
}
