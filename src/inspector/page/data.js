// @ts-check
/// <reference lib="dom" />
/** The list of exchanges, kept up to date, and the other things that are asked of the server. */

/** @typedef {import("../../observe/capture.ts").CaptureSummary} Summary */
/** @typedef {import("../../observe/captures.ts").CaptureChange} Change */
/** @typedef {import("../../observe/capture.ts").Capture} Capture */
/** @typedef {import("../read_capture.ts").CaptureReading} CaptureReading */
/** @typedef {typeof import("../vocabulary.ts").vocabulary} Vocabulary */

/** The newest first. @type {Summary[]} */
let exchanges = [];
/** @type {{ limits: { exchanges: number, bytes: number }, size: number }} */
let kept = { limits: { exchanges: 0, bytes: 0 }, size: 0 };
/** @type {"waiting" | "on" | "off"} */
let state = "waiting";
/** @type {Set<(changed: ReadonlySet<string>) => void>} */
const followers = new Set();

export const store = {
  get exchanges() {
    return exchanges;
  },
  get kept() {
    return kept;
  },
  get state() {
    return state;
  },
  /** Tells of changes, until the function that it gives is called. @param {(changed: ReadonlySet<string>) => void} told */
  follow(told) {
    followers.add(told);
    return () => void followers.delete(told);
  },
};

/** @param {ReadonlySet<string>} changed */
const announce = (changed) => followers.forEach((told) => told(changed));

/** Connects; the browser connects again by itself when the server was away. */
export function connect() {
  const source = new EventSource("api/live");
  source.onopen = () => load().catch(() => {});
  source.onerror = () => {
    state = "off";
    announce(new Set());
    // A server that answered with an error is not asked again by the browser.
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, 3000);
  };
  source.onmessage = ({ data }) => apply(JSON.parse(data).changes);
}

async function load() {
  const { exchanges: all, ...rest } = await ask("api/exchanges");
  exchanges = all;
  kept = rest;
  state = "on";
  announce(new Set(exchanges.map(({ id }) => id)));
}

/** @param {readonly Change[]} changes */
function apply(changes) {
  if (changes.length === 0) return;
  const gone = new Set(changes.flatMap((change) => change.kind === "gone" ? [change.id] : []));
  /** @type {Map<string, Summary>} */
  const now = new Map(
    changes.flatMap((change) => change.kind === "exchange" ? [[change.summary.id, change.summary]] : []),
  );
  const changed = new Set([...gone, ...now.keys()]);
  const rest = exchanges.flatMap((summary) => {
    const fresh = now.get(summary.id);
    now.delete(summary.id);
    return gone.has(summary.id) ? [] : [fresh ?? summary];
  });
  exchanges = [...[...now.values()].reverse(), ...rest];
  kept = { ...kept, size: exchanges.reduce((sum, { size }) => sum + size, 0) };
  announce(changed);
}

/** @param {string} path @param {RequestInit} [init] @returns {Promise<any>} */
export async function ask(path, init) {
  const response = await fetch(path, init);
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(body.error?.message ?? `The server answered ${response.status}.`);
  return body;
}

/** @param {string} id @returns {Promise<{ capture: Capture, reading: CaptureReading }>} */
export function askExchange(id) {
  return ask(`api/exchanges/${encodeURIComponent(id)}`);
}

/** @type {Promise<Vocabulary> | undefined} */
let words;

/** What problems, fixes and dialects are, in words. */
export function vocabulary() {
  return words ??= ask("api/words");
}

/** What became of an exchange, in a word, and how that looks. @param {Summary} summary @returns {{ word: string, look: string }} */
export function outcomeOf({ running, outcome, finish, status }) {
  if (running) return { word: "running", look: "running" };
  if (outcome === "done" && finish === "length") return { word: "cut", look: "cut" };
  if (outcome === "done" || (outcome === "untouched" && (status ?? 200) < 400)) {
    return {
      word: outcome === "done" ? "done" : "untouched",
      look: outcome === "done" ? "done" : "untouched",
    };
  }
  if (outcome === "cancelled") return { word: "cancelled", look: "cut" };
  return {
    word: outcome === "error" || outcome === "untouched" ? `error ${status ?? ""}` : outcome ?? "",
    look: "failed",
  };
}
