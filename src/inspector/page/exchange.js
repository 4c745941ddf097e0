// @ts-check
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** One exchange: what it was, its answer before and after, its pieces over time, its request before and after. */
import { piecesOf } from "./bytes.js";
import { askExchange, vocabulary } from "./data.js";
import { h, tabs } from "./dom.js";
import { several } from "./format.js";
import { choose, shown } from "./list.js";
import { longText, unhighlight } from "./long_text.js";
import { curlButton, gotPane, pane, wrotePane } from "./panes.js";
import { changesWord, requestPanes } from "./request.js";
import { timeline } from "./timeline.js";
import { chipsOf, header } from "./title.js";

/** @typedef {import("./data.js").Capture} Capture */
/** @typedef {import("./data.js").CaptureReading} CaptureReading */
/** @typedef {import("./data.js").Vocabulary} Vocabulary */

/** An exchange that goes on is asked for again, but not more often than this. */
const AGAIN_MS = 700;

/** Shows an exchange in `main`; gives what ends it. @param {HTMLElement} main @param {string} id */
export function showExchange(main, id) {
  choose(id);
  const view = { attempt: -1, wrote: 0, got: 0 };
  let endLast = () => {};
  let over = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  main.replaceChildren(h("p", { class: "loading soft", role: "status" }, "Reading the exchange …"));
  const load = async () => {
    try {
      const asked = performance.now();
      const [found, words] = await Promise.all([askExchange(id), vocabulary()]);
      if (over) return;
      if (main.childElementCount > 0 && !(getSelection()?.isCollapsed ?? true)) {
        timer = setTimeout(load, AGAIN_MS); // somebody is about to copy something
        return;
      }
      const stay = places(main);
      endLast();
      const shown = exchange(found.capture, found.reading, words, view);
      endLast = shown.end;
      main.replaceChildren(shown.element);
      document.title = `${main.querySelector("h1")?.textContent} · Callmend`;
      stay();
      if (found.capture.report === null) {
        timer = setTimeout(load, Math.max(AGAIN_MS, 4 * (performance.now() - asked)));
      }
    } catch (error) {
      if (over) return;
      main.replaceChildren(
        h(
          "div",
          { class: "panel notice" },
          h("h1", {}, "There is nothing to show"),
          h("p", {}, error instanceof Error ? error.message : String(error)),
          h("a", { href: "#/" }, "All exchanges"),
        ),
      );
    }
  };
  load();
  /** @param {KeyboardEvent} event */
  const keys = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (/** @type {Element} */ (event.target).closest("input, textarea, select, dialog")) return;
    const by = event.key === "j" ? 1 : event.key === "k" ? -1 : 0;
    if (by === 0) return;
    const rows = shown();
    const next = rows[rows.findIndex((row) => row.id === id) + by];
    if (next !== undefined) location.hash = `#/exchange/${encodeURIComponent(next.id)}`;
  };
  document.addEventListener("keydown", keys);
  return () => {
    over = true;
    clearTimeout(timer);
    document.removeEventListener("keydown", keys);
    endLast();
    unhighlight();
  };
}

/** Remembers how far everything is scrolled; gives what scrolls it there again. @param {HTMLElement} main */
function places(main) {
  const scrolled = () => [main, ...main.querySelectorAll(".long")];
  const before = scrolled().map(({ scrollTop }) => scrollTop);
  return () => scrolled().forEach((element, n) => element.scrollTop = before[n] ?? 0);
}

/**
 * @param {Capture} capture
 * @param {CaptureReading} reading
 * @param {Vocabulary} words
 * @param {{ attempt: number, wrote: number, got: number }} view
 */
function exchange(capture, reading, words, view) {
  const pieces = piecesOf(capture);
  const answers = h("div", { class: "pair" });
  const requests = h("div", { class: "pair" });
  const changed = h("span", { class: "soft" });
  // Fixes that had done their part before anything came back were fixes of the request.
  const changes = capture.marks.filter(({ kind, received }) => kind === "fix" && received === 0);
  /** @type {(lane: "upstream" | "client", start: number, end: number) => void} */
  let highlight = () => {};

  const show = (/** @type {number} */ attempt) => {
    view.attempt = attempt;
    const wrote = wrotePane(capture, reading, words, view);
    const got = gotPane(capture, reading, view);
    answers.replaceChildren(wrote.element, got.element);
    highlight = (lane, start, end) => (lane === "upstream" ? wrote : got).highlight(start, end);
    const upstream = capture.attempts[attempt]?.request;
    const panes = upstream === undefined
      ? {
        changes: 0,
        left: longText({ text: capture.request.body, label: "The client's request" }).element,
        right: h("p", { class: "nothing" }, "Nothing went upstream."),
      }
      : requestPanes(capture.request, upstream);
    changed.textContent = upstream === undefined ? "" : changesWord(panes.changes);
    requests.replaceChildren(
      pane("The client sent", panes.left, curlButton("Copy as curl", capture.request)),
      pane("Went upstream", panes.right, upstream && curlButton("Copy as curl", upstream)),
    );
  };
  const last = capture.attempts.length - 1;
  const attempts = capture.attempts.length < 2 ? null : tabs(
    "Attempts",
    capture.attempts.map(({ status, ended }, n) => ({
      name: `Attempt ${n + 1}${status === undefined ? "" : ` · ${status}`}${
        ended === null && capture.report === null ? " · running" : ""
      }`,
      show: () => (show(n), h("span", {})),
    })),
    { chosen: view.attempt === -1 ? last : view.attempt },
  );
  if (attempts === null) show(last);

  const drawn = timeline({
    ...pieces,
    textOf: (lane, piece) => pieces.text(lane, piece),
    pointed: (lane, piece) => {
      if (piece === undefined || (lane === "upstream" && piece.attempt !== view.attempt)) return;
      highlight(lane, piece.start, piece.end);
    },
  });
  const element = h(
    "article",
    { class: "exchange", "aria-label": "Exchange" },
    header(capture, words),
    attempts &&
      h(
        "div",
        { class: "attempts" },
        h("span", { class: "soft" }, `The upstream was asked ${several(capture.attempts.length, "time")}:`),
        attempts.list,
      ),
    h("section", { class: "panel strip", "aria-label": "Timeline" }, h("h2", {}, "Timeline"), drawn.element),
    h("section", { "aria-label": "Answer" }, h("h2", { class: "pair-title" }, "Answer"), answers),
    h(
      "section",
      { "aria-label": "Request" },
      h("h2", { class: "pair-title" }, "Request ", changed, chipsOf(changes, words)),
      requests,
    ),
  );
  return { element, end: drawn.end };
}
