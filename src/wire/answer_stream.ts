/** The streaming loop: one read of the upstream in, one write to the client out. */
import { type Answer, encode, type Out } from "./answer.ts";
import { concat } from "./bytes.ts";
import { breakage, toApiError } from "./errors.ts";
import type { Json } from "./openai.ts";
import { EventBytes } from "./event_bytes.ts";
import type { Events } from "./events.ts";
import { encodeEvent } from "./sse_event.ts";
import type { Item } from "./stage.ts";
import type { Report } from "./problem.ts";
import { type Batch, type UpstreamBody, within } from "./upstream_body.ts";

/** How the stream ended. */
export type StreamEnd = "done" | "error" | "broken" | "cancelled";

/** What goes on in the place of an answer that said nothing: another one, its whole text, or an error. */
export type Replacement =
  | { readonly kind: "answer"; readonly body: UpstreamBody; readonly answer: Answer }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "error"; readonly error: Json };

export interface AnswerStreamOptions {
  readonly body: UpstreamBody;
  readonly answer: Answer;
  /** Asked for when an answer has ended that is `empty`; `error` is what the upstream reported in it. */
  replace?(error: Json | undefined): Promise<Replacement>;
  readonly keepAliveMs: number;
  readonly finishGraceMs: number;
  /** A chunk that says nothing. */
  keepAlive(): Item;
  /** It also goes out before anything has come (symptoms C24). */
  readonly keepsAliveAtFirst?: boolean;
  /** The client's request: when it is aborted, so is the answer. */
  readonly signal: AbortSignal;
  readonly problem: Report;
  /** Told of each piece that goes out; `asReceived`: this and all before it are what came first. */
  sent?(bytes: Uint8Array, asReceived: boolean): void;
  /** Work of Callmend's own is done inside this. */
  busy<Value>(work: () => Value): Value;
  /** Called once. */
  ended(how: StreamEnd): void;
}

/**
 * The answer as the client gets it. Pull-driven: the upstream is read only when the client wants more, and what one
 * read brings goes out as one piece.
 */
export function answerStream(options: AnswerStreamOptions): ReadableStream<Uint8Array<ArrayBuffer>> {
  const { signal, problem } = options;
  let { body, answer } = options;
  let eventBytes = new EventBytes();
  const encoder = new TextEncoder();
  let replacing: Promise<Replacement> | undefined; // the answer said nothing: what comes in its place
  let begun = false; // something has gone out
  let came = false; // something has come
  let same = true; // all of it is what had come before the rest
  let over = false; // nothing more goes out
  let keepAlive = options.keepAliveMs; // how much longer may be waited while something is held, or nothing has come
  let grace = options.finishGraceMs; // how much longer may be waited once all is said

  const finish = (how: StreamEnd) => {
    if (over) return;
    over = true;
    signal.removeEventListener("abort", abort);
    options.ended(how);
  };
  let abort = () => {};

  /** All is said, and the upstream has been silent since for too long. */
  const silent = (): boolean => grace <= 0 && said();
  const said = (): boolean => answer.finished || answer.error !== undefined;

  /** How long the next batch may be waited for. */
  const patience = (): number => {
    const waits = answer.holding || (!came && options.keepsAliveAtFirst);
    return Math.min(waits ? keepAlive : Infinity, said() ? grace : Infinity);
  };

  /** Only time spent waiting counts: a slow client costs none. */
  const spend = (ms: number) => {
    keepAlive -= ms;
    grace -= ms;
  };

  /** What a batch becomes: text, or the bytes that came. */
  const convert = (batch: Batch): string | Uint8Array => {
    switch (batch.kind) {
      case "late":
        if (!silent()) return encode(options.keepAlive());
        problem("upstream-open", `closed after ${options.finishGraceMs} ms`);
        return text(answer.end());
      case "broken": {
        if (answer.done || answer.finished) return text(answer.end()); // all had been said
        const error = toApiError(breakage(batch.error).error);
        problem("upstream-broke", error.message);
        return text(answer.break(error));
      }
      case "end": {
        if (batch.cut) problem("event-cut", "");
        return text([...answer.take(batch.events), ...answer.end()]);
      }
      case "events": {
        const { events } = batch;
        if (grace < options.finishGraceMs && saysSomething(events)) grace = options.finishGraceMs;
        if (events.done) {
          eventBytes.hold(batch.bytes);
          return "";
        }
        const outs = answer.take(events);
        const behind = batch.rest === undefined ? undefined : joined(answer.waiting, batch.rest);
        const came = eventBytes.take(batch.bytes, behind);
        const rest = answer.done ? body.takeRest() : "";
        same &&= answer.unchanged;
        if (rest !== "" || came === undefined || !answer.unchanged) return joined(text(outs), rest);
        return came.length === 1 ? came[0]! : concat(came);
      }
    }
  };

  /** Whether the answer ends with `batch`, and how. */
  const endOf = (batch: Batch): StreamEnd | undefined => {
    if (batch.kind === "broken") return answer.done ? "done" : "broken";
    const ends = batch.kind === "end" || answer.done || (batch.kind === "late" && silent());
    return ends ? answer.error === undefined ? "done" : "error" : undefined;
  };

  const step = (batch: Batch): Step => {
    const written = options.busy(() => convert(batch));
    const how = endOf(batch);
    const useless = (how === "done" || answer.error !== undefined) && answer.empty;
    return { batch, written, how, useless };
  };

  // What has been looked at already is converted at once: the answer's head can name the fixes that it took.
  const ready: Step[] = [];
  for (const batch of body.takeKept()) {
    if (ready.at(-1)?.how === undefined) ready.push(step(batch));
  }
  came = ready.length > 0;
  if (!came && options.keepsAliveAtFirst) keepAlive = 0; // that has been waited for

  /** Waits for what comes in the place of the answer; false when something has to go out meanwhile. */
  const replaced = async (controller: Controller): Promise<boolean> => {
    const made = await within(replacing!, keepAlive);
    if (made === undefined) {
      if (!over) send(controller, encode(options.keepAlive()));
      return false;
    }
    replacing = undefined;
    if (made.kind === "answer") {
      ({ body, answer } = made);
      eventBytes = new EventBytes();
      grace = options.finishGraceMs;
      if (over) body.cancel(signal.reason);
    } else if (!over) {
      if (made.kind === "text") send(controller, made.text);
      else if (begun) send(controller, encodeEvent(JSON.stringify({ error: toApiError(made.error) })));
      finish(made.kind === "text" ? "done" : "error");
      controller.close();
    }
    return true;
  };

  const send = (controller: Controller, written: string | Uint8Array) => {
    const bytes = typeof written === "string" ? encoder.encode(written) : written as Uint8Array<ArrayBuffer>;
    same &&= typeof written !== "string";
    options.sent?.(bytes, same);
    controller.enqueue(bytes);
    keepAlive = options.keepAliveMs;
    begun = true;
  };

  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      abort = () => {
        body.cancel(signal.reason);
        replacing?.then((made) => made.kind === "answer" && made.body.cancel(signal.reason), () => {});
        finish("cancelled");
        controller.error(signal.reason);
      };
      if (signal.aborted) abort();
      else signal.addEventListener("abort", abort, { once: true });
    },
    async pull(controller) {
      for (let sent = false; !sent && !over;) {
        if (replacing !== undefined) {
          if (await replaced(controller)) continue;
          return;
        }
        let now = ready.shift();
        if (now === undefined) {
          const wait = patience();
          const begin = wait === Infinity ? 0 : Date.now();
          const batch = await body.readEvents(wait);
          if (wait < Infinity) spend(batch.kind === "late" ? wait : Date.now() - begin);
          if (over) return;
          came ||= batch.kind !== "late";
          now = step(batch);
        }
        const { batch, written, how, useless } = now;
        if (written.length > 0) {
          send(controller, written);
          sent = true;
        }
        if (useless && options.replace !== undefined) {
          if (batch.kind === "late") body.cancel();
          else body.drain(options.finishGraceMs);
          replacing = options.replace(answer.error);
          replacing.catch(() => {}); // it is awaited in pieces; what it throws is thrown there
          continue;
        }
        if (how === undefined) continue;
        finish(how);
        controller.close();
        // What is only open is given up; what is about to end may end, for the connection's sake.
        if (batch.kind === "late") body.cancel();
        else body.drain(options.finishGraceMs);
      }
    },
    cancel(reason) {
      body.cancel(reason);
      replacing?.then((made) => made.kind === "answer" && made.body.cancel(reason), () => {});
      finish("cancelled");
    },
  }, { highWaterMark: 0 });
}

/** What becomes of a batch. */
interface Step {
  readonly batch: Batch;
  /** What goes out; as bytes, if it goes out as it came. */
  readonly written: string | Uint8Array;
  /** How the answer ends with it, if it does. */
  readonly how: StreamEnd | undefined;
  /** It ends, and has said nothing. */
  readonly useless: boolean;
}

type Controller = ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;

function saysSomething(events: Events): boolean {
  for (const { data } of events) if (data !== undefined) return true;
  return false;
}

/** Both as one. Engines join texts when they are read, and that costs also where one of them is empty. */
function joined(text: string, more: string): string {
  return text === "" ? more : more === "" ? text : text + more;
}

function text(outs: readonly Out[]): string {
  return outs.length === 1 ? encode(outs[0]!) : outs.map(encode).join("");
}
