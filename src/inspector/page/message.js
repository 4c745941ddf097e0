// @ts-check
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** A message as a client puts it together: reasoning, text, calls, finish. */
import { h } from "./dom.js";
import { count, prettyJson } from "./format.js";
import { longText } from "./long_text.js";

/** @typedef {{ [key: string]: any }} Json */

/** @param {Json | null} completion */
export function messageOf(completion) {
  if (completion === null) return h("p", { class: "nothing" }, "No JSON and no events: see the raw bytes.");
  const choices = Array.isArray(completion.choices) ? completion.choices : [];
  const parts = choices.flatMap((choice) => choiceParts(choice, choices.length > 1));
  const { error, usage } = completion;
  if (error !== undefined) parts.push(section("error", jsonText(error, "The error"), "bad"));
  if (parts.length === 0) parts.push(jsonText(completion, "The answer"));
  if (usage) {
    const tokens = [
      ["in", usage.prompt_tokens ?? usage.input_tokens],
      ["out", usage.completion_tokens ?? usage.output_tokens],
      ["in all", usage.total_tokens],
    ].filter(([, value]) => typeof value === "number");
    if (tokens.length > 0) {
      parts.push(
        section("tokens", h("span", {}, tokens.map(([name, n]) => `${count(n)} ${name}`).join(", "))),
      );
    }
  }
  return h("div", { class: "message" }, parts);
}

/** @param {Json} choice @param {boolean} several @returns {HTMLElement[]} */
function choiceParts({ index, message = {}, finish_reason: finish }, several) {
  const { role: _, content, reasoning_content, reasoning = reasoning_content, tool_calls: calls, ...others } =
    message;
  /** @type {HTMLElement[]} */
  const parts = several ? [h("h3", { class: "choice" }, `Choice ${Number(index) + 1}`)] : [];
  if (typeof reasoning === "string" && reasoning !== "") {
    parts.push(section("reasoning", longText({ text: reasoning, label: "Reasoning" }).element, "think"));
  }
  const text = typeof content === "string"
    ? content
    : content == null
    ? ""
    : JSON.stringify(content, null, 2);
  if (text !== "") parts.push(section("content", longText({ text, label: "Content" }).element));
  else parts.push(section("content", h("span", { class: "soft" }, content === null ? "null" : "empty")));
  for (const [n, call] of (Array.isArray(calls) ? calls : []).entries()) parts.push(callCard(call, n));
  const rest = Object.entries(others).filter(([, value]) =>
    value !== null && !(Array.isArray(value) && value.length === 0)
  );
  for (const [name, value] of rest) parts.push(section(name, jsonText(value, name)));
  parts.push(
    section("finish", h("code", { class: finish === "length" ? "bad" : "" }, String(finish ?? "none yet"))),
  );
  return parts;
}

/** @param {Json} call @param {number} n */
export function callCard(call, n) {
  const called = call.function ?? {};
  const text = typeof called.arguments === "string"
    ? called.arguments
    : JSON.stringify(called.arguments ?? "");
  const body = longText({ text: prettyJson(text), label: `Arguments of call ${n + 1}` }).element;
  const id = typeof call.id === "string" ? call.id : "";
  return h(
    "section",
    { class: ["call-card", `hue${n % 5}`], "aria-label": `Call ${n + 1}` },
    h(
      "header",
      {},
      h("span", { class: "call-number" }, `call ${n + 1}`),
      h("strong", {}, called.name ?? "(no name)"),
      h("span", { class: "call-id", title: id }, id),
    ),
    body,
  );
}

/** @param {string} name @param {Node} body @param {string} [look] */
export function section(name, body, look = "") {
  return h("section", { class: ["said", look] }, h("h3", {}, name), h("div", { class: "what" }, body));
}

/** @param {unknown} value @param {string} label */
function jsonText(value, label) {
  return longText({ text: typeof value === "string" ? value : JSON.stringify(value, null, 2), label })
    .element;
}
