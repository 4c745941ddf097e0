/** What `repair()` can be told, and what it does when it is told nothing. */

/** The settings of one repairing fetch. */
export interface RepairConfig {
  /** How tools reach the model: as the protocol has them, as text, or as text once that has failed. */
  readonly mode: "native" | "bridge" | "fallback";
  /** The protocol that a bridged model is taught. */
  readonly bridgeProtocol: "markers" | "object" | "xml";
  /** The most calls in one answer of a bridged model. */
  readonly bridgeMaxCalls: number;
  /** The models that are bridged at once, as patterns, all others falling back; undefined: the mode decides. */
  readonly bridgeModels?: readonly string[] | undefined;
  /** For how long a model that fell back is bridged at once, in milliseconds. */
  readonly fallbackMs: number;
  /** Whether arguments go out as they arrive, or each call once it is complete and valid. */
  readonly arguments: "stream" | "whole";
  /**
   * Whether reasoning inside the content is moved to its own field, or left where it is. `open`: moved, and the
   * prompt has opened it, so that the content begins inside it and only its closing tag will come.
   */
  readonly reasoning: "split" | "keep" | "open";
  /** The largest request body that is taken, in bytes. */
  readonly requestBytes: number;
  /** After how much silence an empty delta goes out while a call is held back or nothing has come, in milliseconds. */
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
  /** The dialects to look for, by model: the first rule that fits counts. All of them when none does. */
  readonly dialects?: readonly DialectRule[];
}

/** Which dialects a model writes. */
export interface DialectRule {
  /** The model's name; `*` stands for anything, and letter case does not count. */
  readonly models: string;
  /** Ids, in the order in which they are tried where they share an opener. */
  readonly dialects: readonly string[];
}

/** The dialects that the rules name for a model; undefined for all. */
export function dialectsFor(
  model: string,
  rules: readonly DialectRule[] = [],
): readonly string[] | undefined {
  return rules.find((rule) => patternOf(rule.models).test(model))?.dialects;
}

/** A model's name with `*` for anything, as a pattern; letter case does not count. */
export function patternOf(models: string): RegExp {
  return new RegExp(
    `^${models.split("*").map((part) => part.replace(/[\\^$.+?()[\]{}|]/g, "\\$&")).join(".*")}$`,
    "i",
  );
}

export const defaultRepairConfig: RepairConfig = {
  mode: "native",
  bridgeProtocol: "markers",
  bridgeMaxCalls: 5,
  fallbackMs: 600_000,
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

/** The settings of `repair()` among others, as plain values: what a capture keeps of them. */
export function plainRepairConfig(config: Partial<RepairConfig>): Partial<Omit<RepairConfig, "memory">> {
  const { memory: _, ...usual } = defaultRepairConfig;
  const names = [...Object.keys(usual), "bridgeModels", "dialects", "upstreamHost"];
  const given = config as { readonly [name: string]: unknown };
  return Object.fromEntries(names.flatMap((name) => given[name] === undefined ? [] : [[name, given[name]]]));
}

/** The mode for a server when none is said: native calls are unreliable at NanoGPT, for which NanoProxy was written. */
export function modeFor(host: string | undefined): RepairConfig["mode"] {
  return /(?:^|\.)nano-gpt\.com$/i.test(host ?? "") ? "bridge" : defaultRepairConfig.mode;
}
