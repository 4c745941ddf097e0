/** What was counted, as Prometheus reads it, by way of prom-client. */
import process from "node:process";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { version } from "../version.ts";
import type { Tally, Values } from "./tally.ts";

const STARTED = Date.now() / 1000 - process.uptime();

/** What a scrape is made of. */
export interface Prometheus {
  readonly contentType: string;
  text(): Promise<string>;
  /** Takes what has come so far, that it need not be kept. */
  take(): void;
}

/** `streams`: how many are open, by upstream. */
export function createPrometheus(
  tallies: readonly Tally[],
  values: readonly Values[],
  streams: ReadonlyMap<string, number>,
): Prometheus {
  const registry = new Registry();
  const registers = [registry];
  const takers = [
    ...tallies.map((tally) => {
      const { name, help, labels: labelNames } = tally;
      const counter = new Counter({ name: `callmend_${name}`, help, labelNames, registers });
      return () => tally.take().forEach(([labels, sum]) => counter.inc(labels, sum));
    }),
    ...values.map((all) => {
      const { name, help, labels: labelNames, buckets } = all;
      const histogram = new Histogram({ name: `callmend_${name}`, help, labelNames, buckets, registers });
      return () =>
        all.take().forEach(([labels, values]) => values.forEach((value) => histogram.observe(labels, value)));
    }),
  ];
  const take = () => takers.forEach((taker) => taker());

  new Gauge({
    name: "callmend_streams_open",
    help: "Streamed chat completions under way.",
    labelNames: ["upstream"],
    registers,
    collect() {
      for (const [upstream, open] of streams) this.set({ upstream }, open);
    },
  });
  const build = { name: "callmend_build_info", help: "1.", labelNames: ["version"], registers };
  new Gauge(build).set({ version }, 1);
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
  return {
    contentType: registry.contentType,
    text() {
      take();
      return registry.metrics();
    },
    take,
  };
}
