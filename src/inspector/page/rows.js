// @ts-check
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** One row of the list. */
import { outcomeOf } from "./data.js";
import { h } from "./dom.js";
import { clock, count, duration } from "./format.js";

/** @typedef {import("./data.js").Summary} Summary */

/** Name, class, what it is in full. */
const COLUMNS = /** @type {const} */ ([
  ["Outcome", "outcome", "What became of it"],
  ["Time", "time", "When it was asked"],
  ["Model", "model", "The model, as the request names it"],
  ["Upstream", "upstream wide", "The upstream's name"],
  ["Form", "form wide", "Whether the client asked for a stream"],
  ["Tools", "number wide", "How many tools the request offers"],
  ["Dialects", "dialects", "The dialects that calls were written in"],
  ["Fixes", "fixes slim", "Vendor fixes that changed something"],
  ["Problems", "problems", "What was noticed and mended"],
  ["Calls", "number slim", "How many calls the client got"],
  ["Tokens", "number wide", "Tokens in and out, as the upstream counts them"],
  ["First", "number wide", "Until the first byte of the answer"],
  ["Total", "number total", "Until the end of the answer"],
  ["Added", "number slim", "What Callmend itself took of that"],
]);

export function rowHead() {
  return h(
    "div",
    { class: "head", role: "row", "aria-rowindex": "1" },
    COLUMNS.map(([name, look, title]) => h("span", { class: look, role: "columnheader", title }, name)),
  );
}

/** @param {Summary} summary @param {number} n @param {boolean} chosen */
export function rowOf(summary, n, chosen) {
  const { id, time, model, upstream, stream, tools, dialects = [], fixes, problems, calls, usage, times } =
    summary;
  const { word, look } = outcomeOf(summary);
  const tokens = usage && (usage.prompt !== undefined || usage.completion !== undefined)
    ? `${count(usage.prompt)} / ${count(usage.completion)}`
    : "–";
  const cells = [
    [h("span", { class: "dot" }), word],
    [clock(time)],
    [model || "(no model)"],
    [upstream],
    [stream ? "stream" : "JSON"],
    [count(tools)],
    [chips(dialects, "dialect")],
    [chips(fixes, "fix")],
    [chips(
      Object.entries(problems).sort(byInterest).map(([code, n]) => n > 1 ? `${code} ×${count(n)}` : code),
      "problem",
    )],
    [count(calls)],
    [tokens],
    [duration(times?.firstByteMs)],
    [duration(times?.totalMs)],
    [duration(times?.addedMs)],
  ];
  return h(
    "div",
    {
      class: "row",
      role: "row",
      id: `row-${id}`,
      "aria-rowindex": n + 2,
      "aria-selected": chosen ? "true" : "false",
      "data-id": id,
    },
    cells.map((cell, at) => {
      const [, name] = COLUMNS[at] ?? ["", ""];
      const title = name.startsWith("model") ? model : name.startsWith("upstream") ? upstream : undefined;
      return h("span", { role: "gridcell", class: [name, at === 0 && look], title }, cell);
    }),
  );
}

/** Calls that were missed matter most, finish reasons least. @type {{ readonly [code: string]: number }} */
const INTEREST = { "markup-left": -1, "finish-changed": 1 };

/** @param {readonly [string, number]} one @param {readonly [string, number]} other */
function byInterest([one], [other]) {
  return (INTEREST[one] ?? 0) - (INTEREST[other] ?? 0);
}

/** @param {readonly string[]} names @param {string} look */
function chips(names, look) {
  if (names.length === 0) return "";
  const all = names.length > 1 ? names.join(", ") : undefined;
  return h(
    "span",
    { class: "chips", title: all ?? names[0] },
    h("span", { class: ["chip", look] }, names[0]),
    names.length > 1 && h("span", { class: ["chip", look, "more"] }, `+${names.length - 1}`),
  );
}

/** @param {string} id */
export function openExchange(id) {
  location.hash = `#/exchange/${encodeURIComponent(id)}`;
}

/** Opens the row that is pressed and let go of: rows are made anew as things change, so that clicks may miss them. @param {HTMLElement} body */
export function openOnPress(body) {
  const rowAt = (/** @type {Event} */ { target }) =>
    /** @type {Element} */ (target).closest(".row")?.getAttribute("data-id");
  /** @type {{ id: string, x: number, y: number } | undefined} */
  let pressed;
  body.addEventListener("pointerdown", (event) => {
    const id = rowAt(event);
    pressed = id && event.button === 0 ? { id, x: event.clientX, y: event.clientY } : undefined;
  });
  body.addEventListener("pointercancel", () => pressed = undefined);
  body.addEventListener("pointerup", (event) => {
    const still = pressed && Math.hypot(event.clientX - pressed.x, event.clientY - pressed.y) < 6;
    if (pressed && still && rowAt(event) === pressed.id) openExchange(pressed.id);
    pressed = undefined;
  });
  body.addEventListener("click", (event) => {
    const id = rowAt(event);
    if (id && event.detail === 0) openExchange(id); // by a screen reader
  });
}
