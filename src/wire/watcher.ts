/** Who looks on at exchanges, for logs, metrics and captures: what they are told, and when. */
import type { AnyProblemCode } from "./problem.ts";
import type { Usage } from "./usage.ts";

/** How an exchange ended: `untouched` when its answer was none of Callmend's business. */
export type ExchangeOutcome = "untouched" | "done" | "error" | "broken" | "cancelled" | "unreachable";

/** One request and its answer. */
export interface ExchangeReport {
  readonly id: string;
  readonly model: string;
  readonly stream: boolean;
  /** How many tools the request has. */
  readonly tools: number;
  /** How the upstream was asked last. */
  readonly mode: "native" | "bridge";
  /** How often it was asked. */
  readonly attempts: number;
  /** The status that the client got. */
  readonly status: number;
  /** The dialects that calls were found in. */
  readonly dialects: readonly string[];
  /** How many calls went out. */
  readonly calls: number;
  /** The same by dialect; `native` are those that nobody wrote as text. */
  readonly callsByDialect: { readonly [dialect: string]: number };
  /** The vendors' fixes that changed something. */
  readonly fixes: readonly string[];
  readonly problems: readonly { readonly code: AnyProblemCode; readonly detail: string }[];
  readonly finish: string | undefined;
  readonly usage: Usage | undefined;
  /** How much was asked, received from the upstream, and sent to the client. */
  readonly bytes: { readonly asked: number; readonly received: number; readonly sent: number };
  readonly times: {
    /** From the whole request to the first byte of the answer; undefined when there was none. */
    readonly firstByteMs: number | undefined;
    readonly totalMs: number;
    /** What Callmend itself took of that. */
    readonly addedMs: number;
  };
  readonly outcome: ExchangeOutcome;
  /** Why there is no answer, in the words that the client gets. */
  readonly error?: string;
}

/** Looks on at one exchange; what it is given it must not change. Whatever it throws is of no consequence. */
export interface Watcher {
  /** The upstream is asked, for the first time or again. */
  asking?(request: Request, body: string | Uint8Array): void;
  /** The upstream's answer begins. */
  answering?(response: Response): void;
  /** A piece of the upstream's answer, as it came. */
  received?(bytes: Uint8Array): void;
  /** The upstream's answer is over; `how` is "whole" or says why it is not. */
  receivedAll?(how: string): void;
  /** The client's answer begins. */
  replying?(response: Pick<Response, "status" | "headers">): void;
  /** A piece of what the client gets; `asReceived`: this and all before it are what was received first. */
  sent?(bytes: Uint8Array, asReceived: boolean): void;
  problem?(code: AnyProblemCode, detail: string): void;
  /** A vendor's fix has changed something for the first time. */
  fixed?(id: string): void;
  ended?(report: ExchangeReport): void;
}

/** A chat completion that has been asked for. */
export interface Begun extends Pick<ExchangeReport, "id" | "model" | "stream" | "tools"> {
  /** The client's request; its body has been read. */
  readonly request: Request;
  readonly body: Uint8Array;
}

/** Asked for each chat completion. */
export type Watch = (begun: Begun) => Watcher | undefined;

/** The watch of someone who wants to know only what came of each exchange. */
export function onEnd(ended: (report: ExchangeReport) => void): Watch {
  return () => ({ ended });
}

/** Several that look on as one. */
export function watchAll(watches: readonly Watch[]): Watch {
  return (begun) => {
    const watchers: Watcher[] = [];
    for (const watch of watches) {
      const watcher = attempt(() => watch(begun));
      if (watcher !== undefined) watchers.push(watcher);
    }
    return watchers.length <= 1 ? watchers[0] : new Watchers(watchers);
  };
}

class Watchers implements Watcher {
  readonly #all: readonly Watcher[];

  constructor(all: readonly Watcher[]) {
    this.#all = all;
  }

  asking(request: Request, body: string | Uint8Array): void {
    for (const each of this.#all) attempt(() => each.asking?.(request, body));
  }

  answering(response: Response): void {
    for (const each of this.#all) attempt(() => each.answering?.(response));
  }

  received(bytes: Uint8Array): void {
    for (const each of this.#all) if (each.received !== undefined) attempt(() => each.received!(bytes));
  }

  receivedAll(how: string): void {
    for (const each of this.#all) attempt(() => each.receivedAll?.(how));
  }

  replying(response: Pick<Response, "status" | "headers">): void {
    for (const each of this.#all) attempt(() => each.replying?.(response));
  }

  sent(bytes: Uint8Array, asReceived: boolean): void {
    for (const each of this.#all) if (each.sent !== undefined) attempt(() => each.sent!(bytes, asReceived));
  }

  problem(code: AnyProblemCode, detail: string): void {
    for (const each of this.#all) attempt(() => each.problem?.(code, detail));
  }

  fixed(id: string): void {
    for (const each of this.#all) attempt(() => each.fixed?.(id));
  }

  ended(report: ExchangeReport): void {
    for (const each of this.#all) attempt(() => each.ended?.(report));
  }
}

/** Whoever looks on must not harm the answer. */
export function attempt<Value>(look: () => Value): Value | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
