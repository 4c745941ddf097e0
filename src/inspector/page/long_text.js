// @ts-check
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** Shows a text of any size: its beginning at once, all of it on demand and bit by bit, so that nothing freezes. */
import { h } from "./dom.js";
import { bytes } from "./format.js";

/** How many characters are shown at first, and in one block. */
const FIRST = 40_000;
const BLOCK = 16_000;

/**
 * A stretch of the text that looks different, and what stands before it.
 * @typedef {{ start: number, end: number, look?: string, title?: string, label?: () => Node }} Part
 * @typedef {{ at: number, make: () => Node }} Mark something that stands at a place in the text
 * @typedef {{ element: HTMLElement, highlight: (start: number, end: number) => void, dim: (from: number) => void }} LongText
 */

/**
 * The parts lie one behind the other; marks are in order.
 * @param {{ text: string, parts?: readonly Part[], marks?: readonly Mark[], label: string }} options
 * @returns {LongText}
 */
export function longText({ text, parts = [{ start: 0, end: text.length }], marks = [], label }) {
  /** @type {{ start: number, node: Text }[]} */
  const nodes = [];
  const pre = h("pre", { class: "long", tabindex: "0", role: "region", "aria-label": label });
  const element = h("div", {}, pre);
  let shown = 0;
  let nextMark = 0;
  let part = 0;

  const block = () => {
    const end = blockEnd(text, shown);
    const into = h("div", { class: "block" });
    while (part < parts.length) {
      const now = /** @type {Part} */ (parts[part]);
      if (now.start >= end && now.end > now.start) break;
      const from = Math.max(now.start, shown);
      const to = Math.min(now.end, end);
      const holder = now.look === undefined ? into : h("span", { class: now.look, title: now.title });
      if (now.label !== undefined && from === now.start) holder.append(now.label());
      fill(holder, from, to);
      if (holder !== into) into.append(holder);
      if (now.end > end) break;
      part++;
    }
    shown = end;
    if (shown >= text.length) {
      while (nextMark < marks.length) into.append(/** @type {Mark} */ (marks[nextMark++]).make());
    }
    pre.append(into);
  };

  /** @param {HTMLElement} holder @param {number} from @param {number} to */
  const fill = (holder, from, to) => {
    let at = from;
    while (nextMark < marks.length && /** @type {Mark} */ (marks[nextMark]).at < to) {
      const mark = /** @type {Mark} */ (marks[nextMark++]);
      write(holder, at, Math.max(at, mark.at));
      holder.append(mark.make());
      at = Math.max(at, mark.at);
    }
    write(holder, at, to);
  };

  /** @param {HTMLElement} holder @param {number} from @param {number} to */
  const write = (holder, from, to) => {
    if (to <= from) return;
    const node = document.createTextNode(text.slice(from, to));
    nodes.push({ start: from, node });
    holder.append(node);
  };

  do block(); while (shown < Math.min(FIRST, text.length));
  if (shown < text.length) {
    const more = h(
      "button",
      { type: "button", class: "more-text", click: () => all() },
      `Show all (${bytes(text.length)})`,
    );
    element.append(h("div", { class: "cut" }, h("span", {}, `The first ${bytes(shown)} are shown.`), more));
    const all = () => {
      if (!element.isConnected) return;
      for (const start = performance.now(); shown < text.length && performance.now() - start < 12;) block();
      if (shown < text.length) {
        more.textContent = `${Math.floor(100 * shown / text.length)} %`;
        more.disabled = true;
        requestAnimationFrame(all);
      } else element.lastElementChild?.remove();
    };
  }
  return {
    element,
    highlight(start, end) {
      const range = start >= end || start >= shown ? undefined : rangeOf(nodes, start, Math.min(end, shown));
      if (range === undefined) return;
      CSS.highlights?.set("piece", new Highlight(range));
      const at = range.getBoundingClientRect();
      const around = pre.getBoundingClientRect();
      if (at.top < around.top || at.bottom > around.bottom) {
        pre.scrollTop += at.top - around.top - around.height / 3;
      }
    },
    dim(from) {
      const range = from >= shown ? undefined : rangeOf(nodes, from, shown);
      if (range === undefined) CSS.highlights?.delete("future");
      else CSS.highlights?.set("future", new Highlight(range));
    },
  };
}

export function unhighlight() {
  CSS.highlights?.delete("piece");
  CSS.highlights?.delete("future");
}

/** A block ends with a line where there is one near. @param {string} text @param {number} start */
function blockEnd(text, start) {
  if (text.length - start <= BLOCK * 1.5) return text.length;
  const line = text.indexOf("\n", start + BLOCK);
  return line === -1 || line > start + 2 * BLOCK ? start + BLOCK : line + 1;
}

/** @param {readonly { start: number, node: Text }[]} nodes @param {number} start @param {number} end */
function rangeOf(nodes, start, end) {
  const [first, last] = [nodeAt(nodes, start), nodeAt(nodes, end - 1)];
  if (first === undefined || last === undefined) return undefined;
  const range = new Range();
  range.setStart(first.node, Math.min(start - first.start, first.node.length));
  range.setEnd(last.node, Math.min(end - last.start, last.node.length));
  return range;
}

/** @param {readonly { start: number, node: Text }[]} nodes @param {number} at */
function nodeAt(nodes, at) {
  let [low, high] = [0, nodes.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (/** @type {{ start: number }} */ (nodes[middle]).start <= at) low = middle;
    else high = middle - 1;
  }
  return nodes[low];
}
