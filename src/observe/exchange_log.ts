/** One line of the log for each exchange, once it is over. */
import type { ExchangeReport, Watch } from "../wire/watcher.ts";
import type { Log, LogFields, LogLevel } from "./log.ts";

/** Outcomes that someone may have to look into. */
const WARNED: readonly ExchangeReport["outcome"][] = ["broken", "unreachable", "error"];

/** Problems that are Callmend's own faults. */
const FAULTS = /^(?:fix|stage|dialect)-failed$/;

/** Looks on at the exchanges with one upstream; `secrets` do not get into the log. */
export function logExchanges(
  log: Log,
  upstream: string,
  clean: (text: string) => string = (text) => text,
): Watch {
  return () => ({
    ended(report) {
      const faults = report.problems.filter(({ code }) => FAULTS.test(code));
      const level: LogLevel = faults.length > 0
        ? "error"
        : WARNED.includes(report.outcome) || report.status >= 500
        ? "warn"
        : "info";
      log[level]("exchange", fieldsOf(report, upstream));
      for (const { code, detail } of report.problems) {
        const told = { id: report.id, code, detail: clean(detail) };
        if (FAULTS.test(code)) log.error("problem", told);
        else log.debug("problem", told);
      }
    },
  });
}

function fieldsOf(report: ExchangeReport, upstream: string): LogFields {
  const { times, usage, bytes } = report;
  return {
    id: report.id,
    model: report.model,
    upstream,
    mode: report.mode,
    stream: report.stream,
    status: report.status,
    outcome: report.outcome,
    finish: report.finish,
    tools: report.tools,
    calls: report.callsByDialect,
    dialects: report.dialects,
    fixes: report.fixes,
    problems: countsOf(report),
    prompt_tokens: usage?.prompt,
    completion_tokens: usage?.completion,
    attempts: report.attempts,
    first_byte_ms: times.firstByteMs === undefined ? undefined : rounded(times.firstByteMs),
    total_ms: rounded(times.totalMs),
    added_ms: rounded(times.addedMs),
    bytes_asked: bytes.asked,
    bytes_received: bytes.received,
    bytes_sent: bytes.sent,
  };
}

/** How often each problem came. */
export function countsOf(
  { problems }: Pick<ExchangeReport, "problems">,
): { readonly [code: string]: number } {
  const counts: Record<string, number> = {};
  for (const { code } of problems) counts[code] = (counts[code] ?? 0) + 1;
  return counts;
}

/** To a tenth of a millisecond. */
function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}
