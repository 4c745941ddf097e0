/** Sends a captured exchange through the present code: the upstream says what it said, cut as it was cut. */
import { type Fetch, repair } from "../repair.ts";
import { parse } from "../wire/json_text.ts";
import { isObject } from "../wire/call_piece.ts";
import { fold } from "../wire/fold.ts";
import type { Chunk, Json } from "../wire/openai.ts";
import { SseDecoder } from "../wire/sse.ts";
import { type ExchangeReport, onEnd } from "../wire/watcher.ts";
import { bytesOf, type Capture, type CapturedAttempt, type CapturedBody } from "./capture.ts";

/** What came of an exchange, then or now. */
export interface Played {
  /** The bodies that the upstream was sent, one for each time that it was asked. */
  readonly asked: readonly string[];
  readonly status: number;
  /** What the client got, as text. */
  readonly answer: string;
  readonly report: ExchangeReport | null;
}

/** What the capture says came of it. */
export function recorded({ attempts, answer, report }: Capture): Played {
  return {
    asked: attempts.map(({ request }) => request.body),
    status: answer?.status ?? 0,
    answer: answer === null ? "" : textOf(answer.body),
    report,
  };
}

/** What comes of it now. */
export async function replay({ request, attempts, config, report }: Capture): Promise<Played> {
  const asked: string[] = [];
  let now: ExchangeReport | null = null;
  const next: Fetch = async (request) => {
    const attempt = attempts[asked.length];
    asked.push(await request.text());
    if (attempt === undefined) throw new Error("the capture holds no further answer of the upstream");
    if (attempt.status === undefined) throw errorIn(attempt.ended ?? "the capture holds no answer");
    return responseOf(attempt, attempt.status);
  };
  // What was remembered from earlier exchanges is not there: a model that had fallen back is bridged at once.
  const fellBack = config.mode === "fallback" && attempts.length === 1 && report?.mode === "bridge";
  const mode = fellBack ? { mode: "bridge" as const, bridgeModels: undefined } : {};
  const settings = { ...config, ...mode, peekMs: 50, finishGraceMs: 50 };
  const fetch = repair(next, settings, onEnd((each) => now = each));
  const { method, headers, body } = request;
  const url = new URL(request.url, "http://callmend.invalid");
  const response = await fetch(new Request(url, { method, headers: sendable(headers), body }));
  const answer = await response.text().catch(() => ""); // broken off, as it was then
  return { asked, status: response.status, answer, report: now };
}

/** A text, whether it is all there or not. */
export function textOf(body: CapturedBody): string {
  return new TextDecoder().decode(bytesOf(body));
}

/** The message in an answer, of either form; undefined when it holds none. */
export function messageIn(answer: string): Json | undefined {
  const whole = parse(answer);
  if (isObject(whole)) return whole;
  const decoder = new SseDecoder();
  const events = [...decoder.push(new TextEncoder().encode(answer)), ...decoder.end().events];
  const values = events.map(({ data }) => data === undefined ? undefined : parse(data)).filter(isObject);
  const error = values.find((value) => isObject(value.error));
  if (error !== undefined) return error;
  return values.length === 0 ? undefined : fold(values as Chunk[]);
}

function responseOf({ headers = {}, body, ended }: CapturedAttempt, status: number): Response {
  const bytes = bytesOf(body);
  // The text may have been edited: what the cuts do not reach comes as one more piece.
  const cuts = body.cuts.map(([, end]) => end).filter((end) => end < bytes.length);
  const ends = bytes.length === 0 ? [] : [...cuts, bytes.length];
  let [at, piece] = [0, 0];
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      const end = ends[piece++];
      if (end !== undefined) {
        controller.enqueue(bytes.subarray(at, at = end));
      } else if (ended?.startsWith("broken")) controller.error(errorIn(ended));
      else controller.close();
    },
  }, { highWaterMark: 0 });
  const hasBody = ![204, 205, 304].includes(status);
  return new Response(hasBody ? stream : null, { status, headers: sendable(headers) });
}

/** The error that is told as "broken: Name: message"; its name decides what the client is told. */
function errorIn(told: string): Error {
  const [, name, message] = /^(?:broken|no answer): (?:(\w+): )?([^]*)$/.exec(told) ?? [];
  return Object.assign(new Error(message ?? told), { name: name ?? "Error" });
}

/** Headers without those that are not said of the body that is sent now. */
function sendable(headers: { readonly [name: string]: string }): Headers {
  const kept = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    if (!/^(?:content-length|content-encoding|transfer-encoding|connection|host)$/i.test(name)) {
      kept.append(name, value);
    }
  }
  return kept;
}
