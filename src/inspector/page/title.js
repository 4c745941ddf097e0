// @ts-check
/// <reference lib="dom" />
/** The head of an exchange: what was asked, what became of it, its numbers, and what was noticed and done. */
import { outcomeOf, store } from "./data.js";
import { h } from "./dom.js";
import { bytes, count, duration, moment } from "./format.js";
import { chipOf } from "./spans.js";

/** @typedef {import("./data.js").Capture} Capture */
/** @typedef {import("./data.js").Vocabulary} Vocabulary */
/** @typedef {import("./spans.js").Struck} Struck */

/** @param {Capture} capture @param {Vocabulary} words */
export function header({ id, time, upstream, report, marks, truncated, request }, words) {
  const summary = store.exchanges.find((summary) => summary.id === id);
  const { word, look } = outcomeOf(/** @type {any} */ ({ ...summary, ...report, running: report === null }));
  const { times, calls, usage, bytes: size, dialects = [], mode, status } = report ?? {};
  const facts = [
    ["First byte", duration(times?.firstByteMs)],
    ["Total", duration(times?.totalMs)],
    ["Added", duration(times?.addedMs)],
    ["Calls", count(calls)],
    ["Tokens", usage ? `${count(usage.prompt)} / ${count(usage.completion)}` : "–"],
    ["Received", bytes(size?.received)],
    ["Sent", bytes(size?.sent)],
    ["Status", String(status ?? "–")],
  ];
  return h(
    "header",
    { class: "title" },
    h(
      "p",
      { class: "crumbs" },
      h("a", { href: "#/" }, "← Exchanges"),
      h("span", { class: "soft" }, `${moment(time)} · ${id}`),
    ),
    h(
      "div",
      { class: "headline" },
      h("h1", {}, summary?.model || modelOf(request.body) || "(no model)"),
      h("span", { class: ["outcome", look] }, h("span", { class: "dot" }), word),
      h("span", { class: "soft" }, `${upstream.name}${mode === "bridge" ? " · bridged" : ""}`),
      h(
        "span",
        { class: "buttons" },
        h(
          "a",
          { class: "button", href: `api/exchanges/${encodeURIComponent(id)}/bundle`, download: "" },
          "Download bundle",
        ),
      ),
    ),
    dialects.length + marks.length > 0 && h(
      "p",
      { class: "chips-line" },
      dialects.map((dialect) =>
        h("span", { class: "chip dialect", title: "Calls were written in this dialect" }, dialect)
      ),
      chipsOf(marks, words),
    ),
    truncated &&
      h(
        "p",
        { class: "warning" },
        "This exchange was too large to be kept whole: only its beginning is shown.",
      ),
    h(
      "dl",
      { class: "facts" },
      facts.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
    ),
  );
}

/** @param {string} body */
function modelOf(body) {
  return /"model"\s*:\s*"([^"\\]{1,200})"/.exec(body)?.[1];
}

/** Each problem and fix once, with how often it came. @param {Capture["marks"]} marks @param {Vocabulary} words */
export function chipsOf(marks, words) {
  /** @type {Map<string, { mark: Omit<Struck, "at">, times: number }>} */
  const struck = new Map();
  for (const mark of marks) {
    const name = mark.kind === "fix" ? mark.id : mark.code;
    const detail = mark.kind === "fix" ? "" : mark.detail;
    const before = struck.get(name);
    if (before) before.times++;
    else struck.set(name, { mark: { kind: mark.kind, name, detail }, times: 1 });
  }
  return [...struck.values()].map(({ mark, times }) => chipOf(mark, words, times));
}
