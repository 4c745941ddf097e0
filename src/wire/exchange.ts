/** One exchange, from the client's request to the end of its answer: what becomes known of it on the way. */
import type { ChatRequest } from "./chat_request.ts";
import type { Fetch } from "./fetch.ts";
import type { AnyProblemCode, Report } from "./problem.ts";
import { tapped } from "./tap.ts";
import { attempt, type ExchangeReport, type Watch } from "./watcher.ts";

/** What the answer adds to the report. */
export type ExchangeEnd = Pick<ExchangeReport, "status" | "outcome"> & Partial<ExchangeReport>;

/** An exchange that is going on. */
export interface Exchange {
  readonly id: string;
  readonly model: string;
  /** Somebody looks on. */
  readonly watched: boolean;
  readonly problem: Report;
  /** The vendors' fixes that have changed something so far. */
  readonly fixes: ReadonlySet<string>;
  fixed(id: string): void;
  /** Work of Callmend's own: its time counts as added. */
  busy<Value>(work: () => Value): Value;
  /**
   * The way to the upstream, looked on. `body`: what is sent, where nothing stands in between that changes it; then
   * `received()` and `receivedAll()` have to be called by whoever reads the answer.
   */
  around(next: Fetch, bridged: boolean, body: string | Uint8Array | undefined): Fetch;
  received(bytes: Uint8Array): void;
  receivedAll(how: string): void;
  /** A piece goes to the client; `asReceived`: this and all before it are what `received()` was told of first. */
  sent(bytes: Uint8Array, asReceived?: boolean): void;
  /**
   * The upstream's answer on its way to the client as it is; the exchange is over when it is. `received`: nobody has
   * called `received()` of it so far; for `asReceived` see `sent()`.
   */
  passing(response: Response, received: boolean, asReceived?: boolean): Response;
  /** The answer as the client gets it, looked on. */
  replying(response: Response): Promise<Response>;
  /** Whether a stream tells of its bytes by itself. */
  streams: boolean;
  /** What came of it; only the first time counts. */
  end(end: ExchangeEnd): void;
  /** There is no answer. */
  failed(): void;
}

/** Names the exchange to its client: the log, the page and captures call it so. */
export const ID_HEADER = "x-callmend-id";

/** More problems of one exchange than these say nothing new. */
const MOST_PROBLEMS = 200;

/** Opens the exchange of a request; `body` is its body, and `chat` what it asks for, if that can be read. */
export function openExchange(
  request: Request,
  body: Uint8Array,
  chat: Pick<ChatRequest, "model" | "stream" | "tools">,
  watch: Watch | undefined,
): Exchange {
  const id = newExchangeId();
  const { model, stream, tools: { length: tools } } = chat;
  const watcher = attempt(() => watch?.({ id, request, body, model, stream, tools }));
  const problems: { code: AnyProblemCode; detail: string }[] = [];
  const fixes = new Set<string>();
  const begun = performance.now();
  const bytes = { asked: body.length, received: 0, sent: 0 };
  let firstByteMs: number | undefined;
  let [addedMs, attempts] = [0, 0];
  let mode: ExchangeReport["mode"] = "native"; // how the upstream was asked last
  let ended: ExchangeEnd | undefined;
  let repliedWith: number | undefined; // the status that the client gets
  let reported = false;

  const exchange: Exchange = {
    id,
    model,
    watched: watcher !== undefined,
    fixes,
    streams: false,
    fixed(fix) {
      if (fixes.has(fix)) return;
      fixes.add(fix);
      attempt(() => watcher?.fixed?.(fix));
    },
    problem(code, detail) {
      if (problems.length >= MOST_PROBLEMS) return;
      problems.push({ code, detail });
      attempt(() => watcher?.problem?.(code, detail));
    },
    busy(work) {
      const since = performance.now();
      try {
        return work();
      } finally {
        addedMs += performance.now() - since;
      }
    },
    around(next, bridged, body) {
      if (watcher === undefined) return next;
      return async (request) => {
        if (attempts++ === 0) addedMs += performance.now() - begun;
        mode = bridged ? "bridge" : "native";
        const sent = body ?? new Uint8Array(await (request.clone() as Request).arrayBuffer());
        attempt(() => watcher.asking?.(request, sent));
        const response = await next(request).catch((error: unknown) => {
          exchange.receivedAll(`no answer: ${error}`);
          throw error;
        });
        attempt(() => watcher.answering?.(response));
        return body === undefined ? tapped(response, exchange.received, exchange.receivedAll) : response;
      };
    },
    received(piece) {
      bytes.received += piece.length;
      if (watcher?.received !== undefined) attempt(() => watcher.received!(piece));
    },
    receivedAll: (how) => void attempt(() => watcher?.receivedAll?.(how)),
    sent(piece, asReceived = false) {
      firstByteMs ??= performance.now() - begun;
      bytes.sent += piece.length;
      if (watcher?.sent !== undefined) attempt(() => watcher.sent!(piece, asReceived));
    },
    passing(response, received, asReceived = received) {
      const { status } = response;
      if (watcher === undefined || response.body === null) {
        exchange.end({ status, outcome: "untouched" });
        return response;
      }
      exchange.streams = true;
      return tapped(response, (piece) => {
        if (received) exchange.received(piece);
        exchange.sent(piece, asReceived);
      }, (how) => {
        if (received) exchange.receivedAll(how);
        const outcome = how === "whole" ? "untouched" : how === "cancelled" ? "cancelled" : "broken";
        exchange.end({ status, outcome });
      });
    },
    async replying(response) {
      if (watcher === undefined) return response;
      let reply = withHeader(response, ID_HEADER, id);
      attempt(() => watcher.replying?.(reply));
      const { status, statusText, headers } = reply;
      if (!exchange.streams && reply.body !== null) {
        const body = new Uint8Array(await reply.arrayBuffer());
        exchange.sent(body);
        reply = new Response(body, { status, statusText, headers });
      }
      repliedWith = status;
      if (ended !== undefined) report(ended);
      return reply;
    },
    end(end) {
      if (ended !== undefined) return;
      ended = end;
      if (repliedWith !== undefined || end.outcome === "cancelled") report(end);
    },
    failed: () => report(ended ?? { status: 500, outcome: "error" }),
  };

  /** Once both are known: what came of it, and what the client gets. */
  const report = (end: ExchangeEnd): void => {
    if (reported || watcher?.ended === undefined) return;
    reported = true;
    const times = { firstByteMs, totalMs: performance.now() - begun, addedMs };
    const report: ExchangeReport = {
      id,
      model,
      stream,
      tools,
      mode,
      attempts,
      dialects: [],
      calls: 0,
      finish: undefined,
      usage: undefined,
      fixes: [...fixes],
      problems,
      bytes,
      times,
      ...end,
      callsByDialect: withNative(end),
      status: (repliedWith ?? 0) >= 400 ? repliedWith! : end.status,
    };
    attempt(() => watcher.ended!(report));
  };
  return exchange;
}

/** The response with a header more: itself where its headers may change, else a copy. */
export function withHeader(response: Response, name: string, value: string): Response {
  try {
    response.headers.set(name, value);
    return response;
  } catch { // a fetch's own answer
    const { status, statusText, body } = response;
    const headers = new Headers(response.headers);
    headers.set(name, value);
    return new Response(body, { status, statusText, headers });
  }
}

/** Sorts by time, and cannot be guessed. */
function newExchangeId(): string {
  return Date.now().toString(36) + crypto.randomUUID().replaceAll("-", "").slice(0, 8);
}

/** Calls that came in no dialect are native. */
function withNative({ calls = 0, callsByDialect = {} }: ExchangeEnd): ExchangeReport["callsByDialect"] {
  const native = calls - Object.values(callsByDialect).reduce((sum, each) => sum + each, 0);
  return native > 0 ? { ...callsByDialect, native } : callsByDialect;
}
