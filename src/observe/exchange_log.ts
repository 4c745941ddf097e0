/** One line of the log for each exchange, once it is over. */
import type { ExchangeReport, Watch } from "../wire/watcher.ts";
import type { Log, LogFields, LogLevel } from "./log.ts";
import { Secrets } from "./secrets.ts";

/** Outcomes that someone may have to look into. */
const WARNED: readonly ExchangeReport["outcome"][] = ["broken", "unreachable", "error"];

/** Problems that are Callmend's own faults. */
const FAULTS = /^(?:fix|stage|dialect)-failed$/;

/** Looks on at the exchanges with one upstream. Neither `secrets` nor what the client's headers hold get into the log. */
export function logExchanges(
  log: Log,
  upstream: string,
  secrets: () => readonly string[] = () => [],
): Watch {
  return ({ request }) => ({
    ended(report) {
      const faults = report.problems.filter(({ code }) => FAULTS.test(code));
      const level: LogLevel = faults.length > 0
        ? "error"
        : WARNED.includes(report.outcome) || report.status >= 500
        ? "warn"
        : "info";
      log[level]("exchange", () => fieldsOf(report, upstream), () => inWords(report, upstream));
      if (report.problems.length === 0) return;
      const clean = new Secrets(secrets());
      clean.headers(request.headers); // an upstream may repeat a client's key in an error
      clean.address(request.url);
      for (const { code, detail } of report.problems) {
        const told = { id: report.id, code, detail: clean.text(detail) };
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
    error: report.error,
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

/** The same for people: what matters first, and what is as usual left out. */
function inWords(report: ExchangeReport, upstream: string): string {
  const { times, usage, model, status, outcome, finish, mode, fixes, id } = report;
  const list = (name: string, counts: { readonly [what: string]: number }) => {
    const told = Object.entries(counts).map(([what, count]) => count === 1 ? what : `${what} ×${count}`);
    return told.length === 0 ? [] : [`${name} ${told.join(", ")}`];
  };
  const ms = (time: number) => `${time < 10 ? time.toFixed(1) : Math.round(time)} ms`;
  const first = times.firstByteMs === undefined ? "" : `first byte ${ms(times.firstByteMs)}, `;
  return [
    `${status} ${outcome} ${model || "(no model)"} at ${upstream}${mode === "bridge" ? ", bridged" : ""}`,
    ...(report.error === undefined ? [] : [report.error]),
    ...(finish === undefined ? [] : [`finish ${finish}`]),
    ...list("calls", report.callsByDialect),
    ...list("fixes", Object.fromEntries(fixes.map((fix) => [fix, 1]))),
    ...list("problems", countsOf(report)),
    ...(usage === undefined ? [] : [`tokens ${usage.prompt ?? "?"} + ${usage.completion ?? "?"}`]),
    `${ms(times.totalMs)} (${first}added ${ms(times.addedMs)})`,
    id,
  ].join("; ");
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
