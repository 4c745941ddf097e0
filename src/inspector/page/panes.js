// @ts-check
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** The panes of an exchange: a title, buttons, and what the model wrote or the client got, as text or as bytes. */
import { inBytes, rawOf } from "./bytes.js";
import { curlOf } from "./curl.js";
import { copy, h, tabs } from "./dom.js";
import { several } from "./format.js";
import { longText } from "./long_text.js";
import { callCard, messageOf, section } from "./message.js";
import { openInPlayground } from "./wanted.js";
import { spansText } from "./spans.js";

/** @typedef {import("./data.js").Capture} Capture */
/** @typedef {import("./data.js").CaptureReading} CaptureReading */
/** @typedef {import("./data.js").Vocabulary} Vocabulary */
/** @typedef {import("../read_capture.ts").ChoiceReading} ChoiceReading */
/** @typedef {import("../read_capture.ts").AttemptReading} AttemptReading */
/** @typedef {import("./spans.js").Struck} Struck */
/** @typedef {import("./long_text.js").LongText} LongText */
/** @typedef {(start: number, end: number) => void} Highlight */

/** @param {string} title @param {Node} body @param {...(Node | null | undefined | false)} buttons */
export function pane(title, body, ...buttons) {
  return h(
    "section",
    { class: "panel pane", "aria-label": title },
    h("header", {}, h("h3", {}, title), h("span", { class: "buttons" }, buttons)),
    h("div", { class: "pane-body" }, body),
  );
}

/** @param {string} name @param {Capture["request"]} request */
export function curlButton(name, request) {
  const button = h(
    "button",
    { type: "button", click: () => copy(button, curlOf(request, location.origin)) },
    name,
  );
  return button;
}

/**
 * What the model wrote: text with its markup, or the bytes as they came.
 * @param {Capture} capture @param {CaptureReading} reading @param {Vocabulary} words @param {{ attempt: number, wrote: number }} view
 */
export function wrotePane(capture, reading, words, view) {
  const attempt = reading.attempts[view.attempt];
  const captured = capture.attempts[view.attempt];
  const raw = rawOf(captured?.body);
  const choices = attempt?.choices ?? [];
  const content = choices[0]?.fields.content.text ?? "";
  /** @type {Highlight[]} */
  let highlights = [];
  const text = () => {
    highlights = [];
    const parts = attempt === undefined
      ? []
      : choices.flatMap((choice) => choiceParts(choice, attempt, words, highlights));
    if (attempt?.message) parts.push(messageOf(attempt.message));
    if (parts.length > 0) return h("div", { class: "message" }, parts);
    return h(
      "p",
      { class: "nothing" },
      raw !== "" ? "No text and no call: see the raw bytes." : captured?.ended ?? "Nothing has come yet.",
    );
  };
  const made = rawTabs("What the model wrote", "Text", text, raw, view.wrote, (n) => view.wrote = n);
  const copied = h("button", {
    type: "button",
    click: () => copy(copied, made.raw || content === "" ? raw : content),
  }, "Copy");
  const tried = h("button", {
    type: "button",
    click: () =>
      openInPlayground({
        text: content,
        tools: capture.request.body,
        reasoning: capture.config.reasoning,
        protocol: attempt?.bridged ? capture.config.bridgeProtocol ?? "markers" : undefined,
      }),
  }, "Open in playground");
  return {
    element: pane("The model wrote", made.panel, made.list, copied, content !== "" && tried),
    /** @type {Highlight} */
    highlight: (start, end) =>
      made.raw ? made.raw.highlight(start, end) : highlights.forEach((each) => each(start, end)),
  };
}

/** @param {ChoiceReading} choice @param {AttemptReading} attempt @param {Vocabulary} words @param {Highlight[]} highlights */
function choiceParts(choice, attempt, words, highlights) {
  const { fields, index } = choice;
  const several = attempt.choices.length > 1;
  const used = /** @type {const} */ (["reasoning", "content"]).filter((field) => fields[field].text !== "");
  const texts = used.map((field) => {
    const label = `What the model wrote: ${field}`;
    const made = spansText(fields[field], {
      calls: choice.calls,
      struck: struckIn(choice, attempt, field),
      words,
      label,
    });
    highlights.push((start, end) => made.highlight(...charactersOf(choice, field, start, end)));
    return used.length > 1 || field === "reasoning"
      ? section(field, made.element, field === "reasoning" ? "think" : "")
      : made.element;
  });
  const all = [...texts, ...nativeParts(choice)];
  return several && all.length > 0 ? [h("h3", { class: "choice" }, `Choice ${index + 1}`), ...all] : all;
}

/** @param {ChoiceReading} choice @param {AttemptReading} attempt @param {"content" | "reasoning"} field @returns {Struck[]} */
function struckIn({ problems, index }, { marks }, field) {
  return [
    ...problems.filter((each) => each.field === field).map(({ code, detail, at }) => ({
      at,
      kind: /** @type {const} */ ("problem"),
      name: code,
      detail,
    })),
    ...marks.filter((mark) => mark.choice === index && mark.field === field).map((mark) =>
      mark.kind === "fix"
        ? { at: mark.at, kind: mark.kind, name: mark.id, detail: "" }
        : { at: mark.at, kind: mark.kind, name: mark.code, detail: mark.detail }
    ),
  ];
}

/**
 * The characters of a field that came between two bytes of the answer.
 * @param {ChoiceReading} choice @param {"content" | "reasoning"} field @param {number} start @param {number} end
 * @returns {[start: number, end: number]}
 */
function charactersOf({ places }, field, start, end) {
  const own = places.filter(([, each]) => each === field);
  const first = own.findLast(([at]) => at <= start)?.[2] ?? 0;
  const last = own.findLast(([at]) => at <= end)?.[2] ?? 0;
  return [first, last];
}

/** @param {ChoiceReading} choice */
function nativeParts({ delivered, native }) {
  if (delivered.length === 0) return [];
  const text = native.map((each) => JSON.stringify(each)).join("\n");
  return [
    h("p", { class: "soft note" }, "Calls that the upstream itself delivered:"),
    ...delivered.map((call, n) => callCard(/** @type {any} */ (call), n)),
    h(
      "details",
      { class: "headers" },
      h("summary", {}, `${several(native.length, "piece")} as they came`),
      longText({ text, label: "Pieces of calls" }).element,
    ),
  ];
}

/**
 * What the client got: the message, or the bytes as they went.
 * @param {Capture} capture @param {CaptureReading} reading @param {{ got: number }} view
 */
export function gotPane({ answer }, { answer: message }, view) {
  const raw = rawOf(answer?.body);
  const text = () =>
    answer === null ? h("p", { class: "nothing" }, "Nothing has gone out yet.") : messageOf(message);
  const made = rawTabs("What the client got", "Message", text, raw, view.got, (n) => view.got = n);
  const copied = h("button", {
    type: "button",
    click: () => copy(copied, made.raw || message === null ? raw : JSON.stringify(message, null, 2)),
  }, "Copy");
  return {
    element: pane("The client got", made.panel, made.list, copied),
    /** @type {Highlight} */
    highlight: (start, end) => made.raw?.highlight(start, end),
  };
}

/** @param {string} label @param {string} name @param {() => Node} text @param {string} raw @param {number} chosen @param {(n: number) => void} changed */
function rawTabs(label, name, text, raw, chosen, changed) {
  const made = {
    /** @type {LongText | undefined} */ raw: undefined,
    list: h("span", {}),
    panel: h("div", {}),
  };
  const both = tabs(label, [
    { name, show: () => (made.raw = undefined, text()) },
    {
      name: "Raw",
      show: () => (made.raw = inBytes(raw, longText({ text: raw, label: `${label}, raw` }))).element,
    },
  ], { chosen, changed });
  return Object.assign(made, { list: both.list, panel: both.panel });
}
