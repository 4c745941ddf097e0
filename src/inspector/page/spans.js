// @ts-check
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** The turn as the model wrote it: each kind of stretch in its own colour, problems and fixes where they struck. */
import { h } from "./dom.js";
import { longText } from "./long_text.js";
import { explain } from "./tip.js";

/** @typedef {import("./data.js").Vocabulary} Vocabulary */
/** @typedef {import("../reading.ts").ReadField} ReadField */
/** @typedef {import("../reading.ts").ReadCall} ReadCall */
/** @typedef {{ at: number, kind: "problem" | "fix", name: string, detail: string }} Struck */

const HUES = 5;

const TITLES = {
  tag: "Begins or ends reasoning; does not reach the client",
  space: "White space that only separates; does not reach the client",
  dropped: "Does not reach the client",
  held: "Not decided yet",
};

/**
 * @param {ReadField} field
 * @param {{ calls: readonly ReadCall[], struck: readonly Struck[], words: Vocabulary, label: string }} options
 */
export function spansText({ text, spans }, { calls, struck, words, label }) {
  const names = new Map(calls.map(({ index, name }) => [index, name]));
  /** @type {Set<number>} */
  const labelled = new Set();
  const parts = spans.map((span) => {
    const { start, end, kind, call = 0, dialect } = span;
    if (kind === "text") return { start, end };
    if (kind !== "call") {
      return { start, end, look: `span ${kind}`, title: TITLES[/** @type {"tag"} */ (kind)] };
    }
    const first = !labelled.has(call);
    labelled.add(call);
    const name = names.get(call) ?? "";
    return {
      start,
      end,
      look: `span call hue${call % HUES}`,
      ...(first && {
        label: () => h("span", { class: "call-label", title: name }, `call ${call + 1} · ${dialect}`),
      }),
    };
  });
  const marks = [...struck].sort((one, other) => one.at - other.at).map((each) => ({
    at: each.at,
    make: () => chipOf(each, words),
  }));
  return longText({ text, parts, marks, label });
}

/**
 * A problem or a fix by its name; pointing at it explains it.
 * @param {Omit<Struck, "at">} struck
 * @param {Vocabulary} words
 * @param {number} [times]
 */
export function chipOf({ kind, name, detail }, words, times = 1) {
  const chip = h(
    "button",
    { type: "button", class: ["chip", kind, "struck"] },
    times > 1 ? `${name} ×${times}` : name,
  );
  explain(
    chip,
    () => ({
      title: `${kind === "fix" ? "Fix" : "Problem"} ${name}`,
      text: meaning(kind, name, words),
      detail,
    }),
  );
  return chip;
}

/** @param {"problem" | "fix"} kind @param {string} name @param {Vocabulary} words */
function meaning(kind, name, words) {
  const texts = kind === "fix"
    ? words.fixes[name]?.why
    : words.problems[/** @type {keyof Vocabulary["problems"]} */ (name)];
  return texts ?? "This version has no words for it.";
}
