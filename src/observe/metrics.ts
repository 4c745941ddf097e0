/** Counters and histograms for Prometheus, by way of prom-client. */
import process from "node:process";
import { version } from "../version.ts";
import type { ExchangeReport, Watch } from "../wire/watcher.ts";
import { countsOf } from "./exchange_log.ts";

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

const STARTED = Date.now() / 1000 - process.uptime();

const SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];
const ADDED_SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5];

/** Makes the metrics of one server. The library is loaded when the first number comes: it would double the start. */
export function createMetrics(): Metrics {
  let instruments: ReturnType<typeof makeInstruments> | undefined;
  let counted: Promise<void> = Promise.resolve(); // all that has come so far
  const streams = new Map<string, number>(); // that are open, by upstream
  const models = new Set<string>();

  const count = (what: (made: Awaited<ReturnType<typeof makeInstruments>>) => void): void => {
    instruments ??= makeInstruments(streams);
    const made = instruments;
    counted = counted.then(async () => what(await made)).catch(() => {}); // numbers must not harm answers
  };
  const modelOf = (model: string): string => {
    if (models.has(model)) return model;
    if (models.size >= MOST_MODELS) return "other";
    models.add(model);
    return model;
  };

  return {
    watch: (upstream) => (begun) => {
      const change = (by: number) => streams.set(upstream, (streams.get(upstream) ?? 0) + by);
      if (begun.stream) change(1);
      return {
        ended(report) {
          if (begun.stream) change(-1);
          const model = modelOf(report.model);
          count((made) => made.exchange(upstream, model, report));
        },
      };
    },
    passed: (status) => count(({ passed }) => passed.inc({ status: String(status) })),
    async answer() {
      count(() => {});
      await counted;
      const { registry } = await instruments!;
      return new Response(await registry.metrics(), { headers: { "content-type": registry.contentType } });
    },
  };
}

/** The instruments, and what of an exchange goes into which. */
async function makeInstruments(streams: ReadonlyMap<string, number>) {
  const { Counter, Gauge, Histogram, Registry } = await import("prom-client");
  const registry = new Registry();
  const registers = [registry];
  const counter = <Label extends string>(name: string, help: string, ...labelNames: Label[]) =>
    new Counter({ name: `callmend_${name}`, help, labelNames, registers });
  const histogram = (name: string, help: string, buckets: number[]) =>
    new Histogram({ name: `callmend_${name}`, help, buckets, labelNames: ["upstream"], registers });

  const requests = counter(
    "requests_total",
    "Chat completions that are over.",
    ...["upstream", "model", "mode", "status", "outcome"] as const,
  );
  const passed = counter("passed_requests_total", "Requests that are no chat completions.", "status");
  const attempts = counter("upstream_requests_total", "How often the upstream was asked.", "upstream");
  const errors = counter(
    "upstream_errors_total",
    "Answers of the upstream that failed: unreachable, broken, error, or their status.",
    ...["upstream", "kind"] as const,
  );
  const calls = counter("calls_total", "Calls delivered.", ...["upstream", "model", "dialect"] as const);
  const problems = counter(
    "problems_total",
    "Recoveries and refusals by name.",
    ...["upstream", "code"] as const,
  );
  const fixes = counter(
    "fixes_total",
    "Exchanges that a vendor fix changed.",
    ...["upstream", "fix"] as const,
  );
  const unconverted = counter(
    "unconverted_markup_total",
    "Answers with text that looks like the markup of a call and was not converted.",
    ...["upstream", "model"] as const,
  );
  const tokens = counter("tokens_total", "Tokens that upstreams counted.", ...["upstream", "kind"] as const);
  const bytes = counter(
    "bytes_total",
    "Bytes of bodies: asked by clients, received from upstreams, sent to clients.",
    ...["upstream", "direction"] as const,
  );
  const firstByte = histogram(
    "first_byte_seconds",
    "From the request to the first byte of its answer.",
    SECONDS,
  );
  const added = histogram("added_seconds", "What Callmend itself took of an exchange.", ADDED_SECONDS);
  const total = histogram("request_seconds", "From the request to the end of its answer.", SECONDS);
  new Gauge({
    name: "callmend_streams_open",
    help: "Streamed chat completions under way.",
    labelNames: ["upstream"],
    registers,
    collect() {
      for (const [upstream, open] of streams) this.set({ upstream }, open);
    },
  });
  new Gauge({ name: "callmend_build_info", help: "1.", labelNames: ["version"], registers }).set(
    { version },
    1,
  );
  const gauge = (name: string, help: string, value: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value());
      },
    });
  // The library's own collectors of these do far more than is asked here.
  gauge("process_resident_memory_bytes", "Resident memory size in bytes.", () => process.memoryUsage().rss);
  gauge(
    "process_start_time_seconds",
    "Start time of the process since unix epoch in seconds.",
    () => STARTED,
  );

  const exchange = (upstream: string, model: string, report: ExchangeReport): void => {
    const { mode, outcome, times } = report;
    const status = String(report.status);
    requests.inc({ upstream, model, mode, status, outcome });
    attempts.inc({ upstream }, report.attempts);
    const kind = outcome === "untouched" || outcome === "done"
      ? report.status >= 400 ? status : undefined
      : outcome === "cancelled"
      ? undefined
      : outcome;
    if (kind !== undefined) errors.inc({ upstream, kind });
    for (const [dialect, made] of Object.entries(report.callsByDialect)) {
      calls.inc({ upstream, model, dialect }, made);
    }
    for (const [code, times] of Object.entries(countsOf(report))) problems.inc({ upstream, code }, times);
    for (const fix of report.fixes) fixes.inc({ upstream, fix });
    if (report.problems.some(({ code }) => code === "markup-left")) unconverted.inc({ upstream, model });
    for (const [kind, made] of Object.entries(report.usage ?? {})) {
      if (made !== undefined) tokens.inc({ upstream, kind }, made);
    }
    for (const [direction, made] of Object.entries(report.bytes)) bytes.inc({ upstream, direction }, made);
    if (times.firstByteMs !== undefined) firstByte.observe({ upstream }, times.firstByteMs / 1000);
    added.observe({ upstream }, times.addedMs / 1000);
    total.observe({ upstream }, times.totalMs / 1000);
  };
  return { registry, exchange, passed };
}
