// @ts-check
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** What the client sent beside what went upstream: line by line, what differs is marked. */
import { differing, diffLines } from "./diff.js";
import { h } from "./dom.js";
import { count, prettyJson, several } from "./format.js";
import { longText } from "./long_text.js";

/** @typedef {import("../../observe/capture.ts").CapturedRequest} CapturedRequest */
/** @typedef {import("./diff.js").Hunk} Hunk */

/** Equal lines that are shown around what differs; longer stretches are folded. */
const AROUND = 3;
/** So many lines are shown at first. */
const FIRST = 1500;

/** @param {CapturedRequest} sent @param {CapturedRequest} upstream */
export function requestPanes(sent, upstream) {
  const [before, after] = [prettyJson(sent.body), prettyJson(upstream.body)];
  const heads = [headOf(sent), headOf(upstream)];
  if (before === after) {
    const same = sent.body === upstream.body
      ? [h("strong", {}, "The same, byte for byte."), " Nothing had to be changed."]
      : ["Both say the same; only white space differs."];
    const whole = longText({ text: before, label: "The client's request" });
    return {
      changes: 0,
      left: h("div", {}, head(heads[0] ?? ""), whole.element),
      right: h("div", {}, head(heads[1] ?? ""), h("p", { class: "nothing same" }, ...same)),
    };
  }
  const hunks = diffLines(before, after);
  const changes = hunks.filter(({ same }) => !same).length;
  const [left, right] = [linesOf(hunks, "left"), linesOf(hunks, "right")];
  scrollTogether(left, right);
  return {
    changes,
    left: h("div", {}, head(heads[0] ?? ""), left),
    right: h("div", {}, head(heads[1] ?? ""), right),
  };
}

/** @param {number} changes */
export function changesWord(changes) {
  return changes === 0 ? "the same" : `${several(changes, "place")} changed`;
}

/** @param {CapturedRequest} request */
function headOf({ method, url, headers }) {
  return [`${method} ${url}`, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)].join(
    "\n",
  );
}

/** @param {string} text */
function head(text) {
  const [first = "", ...headers] = text.split("\n");
  return h(
    "details",
    { class: "headers" },
    h("summary", {}, h("code", {}, first), h("span", { class: "soft" }, several(headers.length, "header"))),
    h("pre", {}, headers.join("\n")),
  );
}

/** @param {readonly Hunk[]} hunks @param {"left" | "right"} side */
function linesOf(hunks, side) {
  const pre = h("pre", {
    class: ["long", "diff", side],
    tabindex: "0",
    role: "region",
    "aria-label": side === "left"
      ? "The client's request, with what was changed"
      : "The request upstream, with what was changed",
  });
  let room = FIRST;
  hunks.forEach((hunk, n) => {
    const lines = hunk[side];
    if (hunk.same) equal(lines, n > 0, n < hunks.length - 1);
    else changed(hunk);
  });

  /** @param {readonly string[]} lines @param {boolean} before @param {boolean} behind something that differs */
  function equal(lines, before, behind) {
    const [first, last] = [before ? AROUND : 0, behind ? AROUND : 0];
    const hidden = lines.length - first - last;
    if (hidden < 4) return lines.forEach((line) => plain(line));
    lines.slice(0, first).forEach((line) => plain(line));
    const more = h("button", {
      type: "button",
      class: "fold",
      click: () => {
        more.replaceWith(
          longText({ text: lines.slice(first, lines.length - last).join("\n"), label: "Equal lines" })
            .element,
        );
      },
    }, `${count(hidden)} equal lines`);
    pre.append(more);
    lines.slice(lines.length - last).forEach((line) => plain(line));
  }

  /** @param {Hunk} hunk */
  function changed({ left, right }) {
    const [own, other] = side === "left" ? [left, right] : [right, left];
    const size = Math.max(left.length, right.length);
    for (let n = 0; n < size; n++) {
      if (room-- <= 0) {
        pre.append(h("div", { class: "line" }, `… ${count(size - n)} more lines differ`));
        return;
      }
      const line = own[n];
      if (line === undefined) pre.append(h("div", { class: "line filler" }, "\u00a0"));
      else if (other[n] === undefined) pre.append(h("div", { class: "line changed" }, line || "\u00a0"));
      else {
        const [start, end] = differing(line, other[n] ?? "");
        pre.append(
          h(
            "div",
            { class: "line changed" },
            line.slice(0, start),
            h("mark", {}, line.slice(start, end)),
            line.slice(end),
          ),
        );
      }
    }
  }

  /** @param {string} line */
  function plain(line) {
    pre.append(h("div", { class: "line" }, line === "" ? "\u00a0" : line));
  }
  return pre;
}

/** @param {HTMLElement} one @param {HTMLElement} other */
function scrollTogether(one, other) {
  const follow = (/** @type {HTMLElement} */ from, /** @type {HTMLElement} */ to) => () => {
    if (Math.abs(to.scrollTop - from.scrollTop) > 1) to.scrollTop = from.scrollTop;
  };
  one.addEventListener("scroll", follow(one, other), { passive: true });
  other.addEventListener("scroll", follow(other, one), { passive: true });
}
