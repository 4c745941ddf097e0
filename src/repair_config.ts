/** What `repair()` can be told, and what it does when it is told nothing. */

/** The settings of one repairing fetch. */
export interface RepairConfig {
  /** How tools reach the model: as the protocol has them, as text, or as text once that has failed. */
  readonly mode: "native" | "bridge" | "fallback";
  /** Whether arguments go out as they arrive, or each call once it is complete and valid. */
  readonly arguments: "stream" | "whole";
  /** Whether reasoning inside the content is moved to its own field, or left where it is. */
  readonly reasoning: "split" | "keep";
  /** The largest request body that is taken, in bytes. */
  readonly requestBytes: number;
  /** After how much silence an empty delta goes out while a call is held back, in milliseconds. */
  readonly keepAliveMs: number;
  /** How long the answer's first events are held to see whether they are an error, in milliseconds. */
  readonly peekMs: number;
  /** How long a finished answer may stay open and silent before it is closed, in milliseconds. */
  readonly finishGraceMs: number;
  /** Vendors' fixes that are off, by id. */
  readonly disabledFixes: readonly string[];
  /** Vendors' fixes that are on although they are off by default, by id. */
  readonly enabledFixes: readonly string[];
  /** The upstream's host, by which fixes know it; the request's own when not said. */
  readonly upstreamHost?: string;
  /** What is kept of answers for the requests that follow: how much at most, for how long, by which clock. */
  readonly memory: {
    readonly entries: number;
    readonly bytes: number;
    readonly ms: number;
    now(): number;
  };
  /** The dialects to look for; all of them when not said. */
  readonly dialects?: readonly string[];
}

export const defaultRepairConfig: RepairConfig = {
  mode: "native",
  arguments: "stream",
  reasoning: "split",
  requestBytes: 64 * 1024 * 1024,
  keepAliveMs: 15_000,
  peekMs: 2_000,
  finishGraceMs: 5_000,
  disabledFixes: [],
  enabledFixes: [],
  memory: { entries: 10_000, bytes: 64 * 1024 * 1024, ms: 24 * 60 * 60 * 1000, now: () => Date.now() },
};
