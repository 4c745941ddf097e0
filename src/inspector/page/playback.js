// @ts-check
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** A conversion, step by step: what had come, what went out for it, and what the client had by then. */
import { h } from "./dom.js";
import { count, several } from "./format.js";
import { unhighlight } from "./long_text.js";
import { messageOf } from "./message.js";
import { chipOf, spansText } from "./spans.js";

/** @typedef {import("../convert_text.ts").Converted} Converted */
/** @typedef {import("../convert_text.ts").ConvertStep} ConvertStep */
/** @typedef {import("./data.js").Vocabulary} Vocabulary */

/** Playing takes about this long, but a piece is shown at least so long. */
const PLAY_MS = 5000;
const [LEAST_MS, MOST_MS] = [16, 250];

/**
 * @param {Converted} converted
 * @param {{ text: string, field: "content" | "reasoning", words: Vocabulary, state: { step: number } }} options
 */
export function playback({ steps, turn, message }, { text, field, words, state }) {
  const last = steps.length - 1;
  const struck = turn.problems.map(({ code, detail, at }) => ({
    at,
    kind: /** @type {const} */ ("problem"),
    name: code,
    detail,
  }));
  const wrote = spansText(turn.fields[field], { calls: turn.calls, struck, words, label: "What had come" });
  const got = h("div", {});
  const told = h("p", { class: "piece", "aria-live": "off" });
  const came = h("code", {});
  const went = h("pre", {});
  const problems = h("p", { class: "chips-line" });
  const slider = h("input", {
    type: "range",
    id: "step",
    min: 0,
    max: last,
    "aria-label": "Piece",
    input: () => {
      pause();
      show(Number(slider.value));
    },
  });
  const play = h("button", {
    type: "button",
    class: "main",
    click: () => timer === undefined ? start() : pause(),
  }, "Play");
  const back = h("button", {
    type: "button",
    "aria-label": "One piece back",
    click: () => (pause(), show(state.step - 1)),
  }, "‹");
  const on = h("button", {
    type: "button",
    "aria-label": "One piece on",
    click: () => (pause(), show(state.step + 1)),
  }, "›");
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  /** @param {number} wantedStep */
  const show = (wantedStep) => {
    const n = Math.max(0, Math.min(last, wantedStep));
    state.step = n === last ? Infinity : n;
    slider.value = String(n);
    const step = /** @type {ConvertStep} */ (steps[n]);
    const start = steps[n - 1]?.end ?? 0;
    unhighlight();
    wrote.dim(step.end);
    wrote.highlight(start, step.end);
    got.replaceChildren(messageOf(n === last ? message : fold(steps.slice(0, n + 1))));
    told.textContent = `Piece ${count(n + 1)} of ${count(steps.length)}: ${count(step.end)} of ${
      several(text.length, "character")
    } had come`;
    slider.setAttribute("aria-valuetext", told.textContent);
    came.textContent = step.end > start
      ? JSON.stringify(text.slice(start, step.end))
      : n === 0
      ? "the role"
      : "the end: finish_reason stop";
    went.textContent = step.out.length === 0
      ? "nothing: held back"
      : step.out.map((out) => JSON.stringify(out)).join("\n");
    went.className = step.out.length === 0 ? "soft" : "";
    back.disabled = n === 0;
    on.disabled = n === last;
  };
  const start = () => {
    if (state.step >= last) state.step = -1;
    play.textContent = "Pause";
    next();
  };
  const next = () => {
    const every = Math.max(LEAST_MS, Math.min(MOST_MS, PLAY_MS / steps.length));
    // So many pieces that each would be too short: some are passed over.
    show(state.step + Math.max(1, Math.round(LEAST_MS * steps.length / PLAY_MS)));
    if (state.step >= last) pause();
    else timer = setTimeout(next, every);
  };
  const pause = () => {
    clearTimeout(timer);
    timer = undefined;
    play.textContent = "Play";
  };
  /** @param {KeyboardEvent} event */
  const keys = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (/** @type {Element} */ (event.target).closest("input, textarea, select, button, dialog, pre")) return;
    const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (by === 0) return;
    pause();
    show(Math.min(state.step, last) + by);
    event.preventDefault();
  };
  document.addEventListener("keydown", keys);

  const all = steps.flatMap(({ problems }, n) => problems.map((problem) => ({ ...problem, n })));
  problems.append(...all.map(({ code, detail, n }) => {
    const chip = chipOf({ kind: "problem", name: code, detail }, words);
    chip.addEventListener("click", () => (pause(), show(n)));
    return chip;
  }));
  const pane = (/** @type {string} */ title, /** @type {Node} */ body) =>
    h(
      "section",
      { class: "panel pane", "aria-label": title },
      h("header", {}, h("h3", {}, title)),
      h("div", { class: "pane-body" }, body),
    );
  const element = h(
    "div",
    { class: "playback" },
    h(
      "section",
      { class: "panel player", "aria-label": "Steps" },
      h("div", { class: "controls" }, play, back, slider, on),
      told,
      h(
        "dl",
        { class: "in-out" },
        h("dt", {}, "came"),
        h("dd", {}, came),
        h("dt", {}, "went out"),
        h("dd", {}, went),
      ),
      all.length > 0 && h("div", { class: "in-out" }, h("span", { class: "soft" }, "problems"), problems),
    ),
    h("div", { class: "pair" }, pane("What had come", wrote.element), pane("What the client had", got)),
  );
  queueMicrotask(() => show(Math.min(state.step, last)));
  return {
    element,
    end: () => {
      pause();
      document.removeEventListener("keydown", keys);
    },
  };
}

/** What a client has after some steps. @param {readonly ConvertStep[]} steps */
function fold(steps) {
  /** @type {{ [name: string]: any }} */
  const message = { role: "assistant", content: null };
  /** @type {any[]} */
  const calls = [];
  let finish = null;
  for (const { delta = {}, finish_reason } of /** @type {any[]} */ (steps.flatMap(({ out }) => out))) {
    finish = finish_reason ?? finish;
    for (const name of ["content", "reasoning_content"]) {
      if (typeof delta[name] === "string") message[name] = (message[name] ?? "") + delta[name];
    }
    for (const { index, id, function: called = {} } of delta.tool_calls ?? []) {
      const call = calls[index] ??= { id, function: { name: "", arguments: "" } };
      call.function.name ||= called.name ?? "";
      call.function.arguments += called.arguments ?? "";
    }
  }
  if (calls.length > 0) message.tool_calls = calls.filter(Boolean);
  return { choices: [{ index: 0, message, finish_reason: finish }] };
}
