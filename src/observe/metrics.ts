/** Counters and histograms for Prometheus. */
import type { ExchangeReport, Watch } from "../wire/watcher.ts";
import { countsOf } from "./exchange_log.ts";
import { printable } from "./log.ts";
import type { Prometheus } from "./prometheus.ts";
import { Tally, Values } from "./tally.ts";

export interface Metrics {
  /** Looks on at the exchanges with one upstream. */
  watch(upstream: string): Watch;
  /** A request that was no exchange: passed through, or answered here. */
  passed(status: number): void;
  /** All of it, in Prometheus' text format. */
  answer(): Promise<Response>;
}

/** Clients choose the names of models: beyond so many they are one, or memory would grow with every made-up name. */
const MOST_MODELS = 200;

/** So many values of a kind wait for a scrape, and no more. */
const MOST_VALUES = 1000;

const SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];
const ADDED_SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5];

/** Makes the metrics of one server. The library is loaded when they are first asked for: it would double the start. */
export function createMetrics(): Metrics {
  const counts = makeCounts();
  const streams = new Map<string, number>(); // that are open, by upstream
  const models = new Map<string, string>(); // their labels
  let loaded: Promise<Prometheus> | undefined;

  const load = (): Promise<Prometheus> =>
    loaded ??= import("./prometheus.ts").then(({ createPrometheus }) =>
      createPrometheus(counts.tallies, counts.values, streams)
    );
  const labelOf = (model: string): string => {
    const known = models.get(model);
    if (known !== undefined) return known;
    if (models.size >= MOST_MODELS) return "other";
    const label = printable(model);
    models.set(model, label);
    return label;
  };

  return {
    watch: (upstream) => (begun) => {
      const change = (by: number) => streams.set(upstream, (streams.get(upstream) ?? 0) + by);
      if (begun.stream) change(1);
      return {
        ended(report) {
          if (begun.stream) change(-1);
          const waiting = counts.exchange(upstream, labelOf(report.model), report);
          if (waiting >= MOST_VALUES) load().then((made) => made.take()).catch(() => {}); // numbers must not harm answers
        },
      };
    },
    passed: (status) => counts.passed(status),
    async answer() {
      const prometheus = await load();
      return new Response(await prometheus.text(), { headers: { "content-type": prometheus.contentType } });
    },
  };
}

/** What is counted, and what of an exchange goes where. */
function makeCounts() {
  const requests = new Tally(
    "requests_total",
    "Chat completions that are over.",
    ...["upstream", "model", "mode", "status", "outcome"],
  );
  const passed = new Tally("passed_requests_total", "Requests that are no chat completions.", "status");
  const attempts = new Tally("upstream_requests_total", "How often the upstream was asked.", "upstream");
  const errors = new Tally(
    "upstream_errors_total",
    "Answers of the upstream that failed: unreachable, broken, error, or their status.",
    ...["upstream", "kind"],
  );
  const calls = new Tally("calls_total", "Calls delivered.", "upstream", "model", "dialect");
  const problems = new Tally("problems_total", "Recoveries and refusals by name.", "upstream", "code");
  const fixes = new Tally("fixes_total", "Exchanges that a vendor fix changed.", "upstream", "fix");
  const unconverted = new Tally(
    "unconverted_markup_total",
    "Answers with text that looks like the markup of a call and was not converted.",
    ...["upstream", "model"],
  );
  const tokens = new Tally("tokens_total", "Tokens that upstreams counted.", "upstream", "kind");
  const bytes = new Tally(
    "bytes_total",
    "Bytes of bodies: asked by clients, received from upstreams, sent to clients.",
    ...["upstream", "direction"],
  );
  const seconds = (name: string, help: string, buckets: number[]) =>
    new Values(`${name}_seconds`, help, "upstream", buckets);
  const firstByte = seconds("first_byte", "From the request to the first byte of its answer.", SECONDS);
  const added = seconds("added", "What Callmend itself took of an exchange.", ADDED_SECONDS);
  const total = seconds("request", "From the request to the end of its answer.", SECONDS);

  return {
    tallies: [requests, passed, attempts, errors, calls, problems, fixes, unconverted, tokens, bytes],
    values: [firstByte, added, total],
    passed: (status: number): void => passed.add(1, String(status)),
    /** Gives how many values of a kind wait. */
    exchange(upstream: string, model: string, report: ExchangeReport): number {
      const { mode, outcome, times } = report;
      const status = String(report.status);
      requests.add(1, upstream, model, mode, status, outcome);
      attempts.add(report.attempts, upstream);
      const kind = failureOf(report);
      if (kind !== undefined) errors.add(1, upstream, kind);
      for (const [dialect, made] of Object.entries(report.callsByDialect)) {
        calls.add(made, upstream, model, dialect);
      }
      for (const [code, times] of Object.entries(countsOf(report))) problems.add(times, upstream, code);
      for (const fix of report.fixes) fixes.add(1, upstream, fix);
      if (report.problems.some(({ code }) => code === "markup-left")) unconverted.add(1, upstream, model);
      for (const [kind, made] of Object.entries(report.usage ?? {})) {
        if (made !== undefined) tokens.add(made, upstream, kind);
      }
      for (const [direction, made] of Object.entries(report.bytes)) bytes.add(made, upstream, direction);
      if (times.firstByteMs !== undefined) firstByte.add(times.firstByteMs / 1000, upstream);
      added.add(times.addedMs / 1000, upstream);
      return total.add(times.totalMs / 1000, upstream);
    },
  };
}

/** How an exchange failed for its upstream, if it did. */
function failureOf({ outcome, status }: ExchangeReport): string | undefined {
  if (outcome === "cancelled") return undefined;
  if (outcome !== "untouched" && outcome !== "done") return outcome;
  return status >= 400 ? String(status) : undefined;
}
