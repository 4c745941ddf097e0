/** What is known of one exchange when it is over: for the log, the metrics and the inspector. */
import type { ChatRequest } from "./chat_request.ts";
import type { AnyProblemCode, Report } from "./problem.ts";

/** How an exchange ended: `untouched` when its answer was none of Callmend's business. */
export type ExchangeOutcome = "untouched" | "done" | "error" | "broken" | "cancelled" | "unreachable";

/** One request and its answer. */
export interface ExchangeReport {
  readonly model: string;
  readonly stream: boolean;
  /** How many tools the request has. */
  readonly tools: number;
  /** The status that the client got. */
  readonly status: number;
  /** The dialects that calls were found in. */
  readonly dialects: readonly string[];
  /** How many calls went out. */
  readonly calls: number;
  /** The vendors' fixes that changed something. */
  readonly fixes: readonly string[];
  readonly problems: readonly { readonly code: AnyProblemCode; readonly detail: string }[];
  readonly finish: string | undefined;
  readonly outcome: ExchangeOutcome;
}

export type Observe = (exchange: ExchangeReport) => void;

/** What the answer adds to the report. */
export type ExchangeEnd = Pick<ExchangeReport, "status" | "outcome"> & Partial<ExchangeReport>;

/** An exchange that is going on. */
export interface Exchange {
  readonly model: string;
  readonly problem: Report;
  /** The vendors' fixes that have changed something so far. */
  readonly fixes: Set<string>;
  /** Reports it; only the first time counts. */
  end(end: ExchangeEnd): void;
}

/** More problems of one exchange than these say nothing new. */
const MOST_PROBLEMS = 200;

export function openExchange(chat: ChatRequest, observe: Observe | undefined): Exchange {
  const problems: { code: AnyProblemCode; detail: string }[] = [];
  const fixes = new Set<string>();
  let over = false;
  return {
    model: chat.model,
    fixes,
    problem: (code, detail) => {
      if (problems.length < MOST_PROBLEMS) problems.push({ code, detail });
    },
    end: (end) => {
      if (over) return;
      over = true;
      const { model, stream, tools } = chat;
      const report = {
        model,
        stream,
        tools: tools.length,
        dialects: [],
        calls: 0,
        finish: undefined,
        fixes: [...fixes],
        problems,
      };
      try {
        observe?.({ ...report, ...end });
      } catch {
        // Whoever looks on must not harm the answer.
      }
    },
  };
}
