/** All that looks on at a server: its log, metrics, captures and debug logs, each made as the settings say. */
import { plainRepairConfig, type RepairConfig } from "../repair_config.ts";
import { type Watch, watchAll } from "../wire/watcher.ts";
import { type CaptureFiles, captureFiles } from "./capture_files.ts";
import { type Captures, createCaptures } from "./captures.ts";
import type { DebugLog } from "./debug_log.ts";
import { logExchanges } from "./exchange_log.ts";
import { createLog, type Log, type LogLevel, type LogOptions } from "./log.ts";
import { createMetrics, type Metrics } from "./metrics.ts";
import { createTraces } from "./traces.ts";

/** What of the configuration says how much is observed. */
export interface ObservationConfig {
  readonly logLevel: LogLevel;
  readonly captures: number;
  readonly captureBytes: number;
  readonly captureFolder?: string | undefined;
  readonly clientKeys: readonly string[];
  readonly upstreams: readonly { readonly upstreamKey?: string | undefined }[];
}

/** An upstream whose exchanges are looked at. */
export interface Observed {
  readonly name: string;
  readonly address: string;
  readonly config: Partial<RepairConfig>;
}

export interface Observation {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly captures: Captures;
  /** Looks on at the exchanges with one upstream. */
  watch(upstream: Observed): Watch;
  /** Goes by other settings from now on. */
  apply(config: ObservationConfig): void;
  /** Resolves when all has been written. */
  settled(): Promise<void>;
}

/** Where the log goes, and what else writes. */
export interface ObservationOptions extends Partial<Pick<LogOptions, "format" | "colour" | "write">> {
  readonly debug?: DebugLog | undefined;
  /** The runtime sends traces (Deno with `OTEL_DENO`): say on them what is known. */
  readonly traced?: boolean;
}

export function createObservation(config: ObservationConfig, options: ObservationOptions = {}): Observation {
  const { format = "text", colour = false, write = () => {}, debug, traced = false } = options;
  let [now, files]: [ObservationConfig, CaptureFiles | undefined] = [config, undefined];
  const log = createLog({ level: () => now.logLevel, format, colour, write });
  const metrics = createMetrics();
  let traces: ((upstream: string) => Watch) | undefined; // once they have been loaded
  if (traced) createTraces().then((made) => traces = made, (error) => log.error(`Cannot trace: ${error}`));
  const secrets = () => [...now.clientKeys, ...now.upstreams.flatMap(({ upstreamKey }) => upstreamKey ?? [])];
  const captures = createCaptures(
    { exchanges: config.captures, bytes: config.captureBytes },
    (capture) => files?.write(capture()),
  );
  const apply = (next: ObservationConfig) => {
    if (files === undefined || next.captureFolder !== now.captureFolder) {
      const { captureFolder: folder } = next;
      files = folder === undefined ? undefined : captureFiles(folder, (line) => log.error(line));
    }
    now = next;
    captures.limit({ exchanges: next.captures, bytes: next.captureBytes });
  };
  apply(config);
  return {
    log,
    metrics,
    captures,
    apply,
    watch: ({ name, address, config }) => {
      return watchAll([
        logExchanges(log, name, secrets),
        metrics.watch(name),
        (begun) => traces?.(name)(begun),
        captures.watch({ name, address }, plainRepairConfig(config), secrets),
        ...(debug === undefined ? [] : [debug.watch]),
      ]);
    },
    async settled() {
      await Promise.all([files?.settled(), debug?.settled()]);
    },
  };
}
