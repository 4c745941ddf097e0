/** The last exchanges, kept in memory within limits: the page shows them, and they can be saved. */
import type { Watch } from "../wire/watcher.ts";
import type { Capture, CapturedConfig, CapturedUpstream, CaptureSummary } from "./capture.ts";
import { Capturing } from "./capturing.ts";

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
  const tell = (change: CaptureChange) => followers.forEach((follower) => follower(change));
  let used = 0; // bytes of memory that all of them take

  /** Lets the oldest go, but for running ones, until there is room. */
  const makeRoom = (exchanges: number, bytes: number): boolean => {
    if (kept.size <= exchanges && used <= bytes) return true;
    for (const [id, { running, size }] of kept) {
      if (running) continue;
      used -= size;
      kept.delete(id);
      tell({ kind: "gone", id });
      if (kept.size <= exchanges && used <= bytes) return true;
    }
    return false;
  };

  return {
    get limits() {
      return limits;
    },
    limit(next) {
      limits = next;
      makeRoom(limits.exchanges, limits.bytes);
    },
    get size() {
      return used;
    },
    watch: (upstream, config, secrets = () => []) => (begun) => {
      if (limits.exchanges === 0 || !makeRoom(limits.exchanges - 1, limits.bytes)) return undefined;
      const room = (bytes: number) => makeRoom(limits.exchanges, limits.bytes - bytes);
      const grew = (bytes: number) => used += kept.has(begun.id) ? bytes : 0;
      const changed = () => {
        tell({ kind: "exchange", summary: capturing.summary() });
        if (!capturing.running) ended(() => capturing.whole());
      };
      const capturing = new Capturing({ begun, upstream, config, secrets, room, grew, changed });
      used += capturing.size;
      kept.set(begun.id, capturing);
      tell({ kind: "exchange", summary: capturing.summary() });
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
