/** All that looks on at a server: its log, metrics, captures and debug logs, each made as the settings say. */
import { plainRepairConfig, type RepairConfig } from "../repair_config.ts";
import { type Watch, watchAll } from "../wire/watcher.ts";
import { type CaptureFiles, captureFiles } from "./capture_files.ts";
import { type Captures, createCaptures } from "./captures.ts";
import type { DebugLog } from "./debug_log.ts";
import { logExchanges } from "./exchange_log.ts";
import { createLog, type Log } from "./log.ts";
import { createMetrics, type Metrics } from "./metrics.ts";

/** What of the configuration says how much is observed. */
export interface ObservationConfig {
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

/** The log, and what else writes. */
export interface ObservationOptions {
  /** Nothing is logged without one. */
  readonly log?: Log;
  readonly debug?: DebugLog | undefined;
  /** Says on the runtime's traces what is known of an exchange. */
  readonly traces?: ((upstream: string) => Watch) | undefined;
}

const silent = createLog({ level: () => "error", style: () => "text", write: () => {} });

export function createObservation(config: ObservationConfig, options: ObservationOptions = {}): Observation {
  const { log = silent, debug, traces } = options;
  let [now, files]: [ObservationConfig, CaptureFiles | undefined] = [config, undefined];
  const metrics = createMetrics();
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
        captures.watch({ name, address }, plainRepairConfig(config), secrets),
        ...(traces === undefined ? [] : [traces(name)]),
        ...(debug === undefined ? [] : [debug.watch(secrets)]),
      ]);
    },
    async settled() {
      await Promise.all([files?.settled(), debug?.settled()]);
    },
  };
}
