/** What `repair()` can be told, and what it does when it is told nothing. */

/** The settings of one repairing fetch. */
export interface RepairConfig {
  /** How tools reach the model: as the protocol has them, as text, or as text once that has failed. */
  readonly mode: "native" | "bridge" | "fallback";
  /** The protocol that a bridged model is taught. */
  readonly bridgeProtocol: "markers" | "object" | "xml";
  /** The most calls in one answer of a bridged model. */
  readonly bridgeMaxCalls: number;
  /** The models that are bridged at once, all others falling back; undefined: the mode decides. */
  readonly bridgeModels?: readonly string[] | undefined;
  /** For how long a model that fell back is bridged at once, in milliseconds. */
  readonly fallbackMs: number;
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
  /** The dialects to look for; all of them when not said. */
  readonly dialects?: readonly string[];
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
};
