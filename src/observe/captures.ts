/** The last exchanges, kept in memory within limits: the page shows them, and they can be saved. */
import type { Watch } from "../wire/watcher.ts";
import type { Capture, CapturedConfig, CapturedUpstream, CaptureSummary } from "./capture.ts";
import { Capturing, type Memory } from "./capturing.ts";

/** What is kept at most. */
export interface CaptureLimits {
  readonly exchanges: number;
  readonly bytes: number;
}

/** A change of the list: an exchange that is new or not as it was, or one that has been let go. */
export type CaptureChange =
  | { readonly kind: "exchange"; readonly summary: CaptureSummary }
  | { readonly kind: "gone"; readonly id: string };

export interface Captures {
  readonly limits: CaptureLimits;
  /** Goes by other limits from now on. */
  limit(limits: CaptureLimits): void;
  /** How many bytes of memory all of them take. */
  readonly size: number;
  /** Looks on at the exchanges with one upstream. `secrets`: texts that must never be shown, asked for when one is. */
  watch(upstream: CapturedUpstream, config: CapturedConfig, secrets?: () => readonly string[]): Watch;
  /** All that are kept, the newest first. */
  list(): readonly CaptureSummary[];
  get(id: string): Capture | undefined;
  /** Tells of each change, until the function that it gives is called. */
  follow(told: (change: CaptureChange) => void): () => void;
}

/** `ended` is given each exchange when it is over. */
export function createCaptures(
  initial: CaptureLimits,
  ended: (capture: () => Capture) => void = () => {},
): Captures {
  let limits = initial;
  const kept = new Map<string, Capturing>(); // the oldest first
  const followers = new Set<(change: CaptureChange) => void>();
  const tell = (change: () => CaptureChange) => {
    if (followers.size === 0) return; // a summary costs more than taking the exchange down
    const told = change();
    followers.forEach((follower) => follower(told));
  };
  const memory: Memory = { used: 0, limit: limits.bytes };

  /** Lets the oldest go, but for running ones, until there is room. */
  const makeRoom = (exchanges: number, bytes: number): boolean => {
    const enough = () => kept.size <= exchanges && memory.used <= bytes;
    for (const [id, capturing] of kept) {
      if (enough()) break;
      if (capturing.running) continue;
      capturing.forget();
      kept.delete(id);
      tell(() => ({ kind: "gone", id }));
    }
    return enough();
  };

  return {
    get limits() {
      return limits;
    },
    limit(next) {
      limits = next;
      memory.limit = limits.bytes;
      makeRoom(limits.exchanges, limits.bytes);
    },
    get size() {
      return memory.used;
    },
    watch: (upstream, config, secrets = () => []) => (begun) => {
      if (limits.exchanges === 0 || !makeRoom(limits.exchanges - 1, limits.bytes)) return undefined;
      const space = (bytes: number) => makeRoom(limits.exchanges, limits.bytes - bytes);
      const changed = () => {
        tell(() => ({ kind: "exchange", summary: capturing.summary() }));
        if (!capturing.running) ended(() => capturing.whole());
      };
      const capturing = new Capturing({
        ...{ begun, upstream, config, secrets, memory, makeRoom: space, changed },
      });
      kept.set(begun.id, capturing);
      tell(() => ({ kind: "exchange", summary: capturing.summary() }));
      return capturing;
    },
    list: () => [...kept.values()].map((capturing) => capturing.summary()).reverse(),
    get: (id) => kept.get(id)?.whole(),
    follow(told) {
      followers.add(told);
      return () => void followers.delete(told);
    },
  };
}
