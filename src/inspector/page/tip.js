// @ts-check
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** Says what something means when it is pointed at, reached with the keyboard, or tapped. */
import { h } from "./dom.js";

/** @typedef {{ title: string, text: string, detail?: string | undefined }} Words */

const tip = h("div", { class: "tip", role: "tooltip", id: "tip", popover: "manual" });
document.body.append(tip);
/** @type {Element | undefined} */
let owner;

/** @param {HTMLElement} element @param {() => Words} words */
export function explain(element, words) {
  element.addEventListener("mouseenter", () => show(element, words()));
  element.addEventListener("focus", () => show(element, words()));
  element.addEventListener("click", () => show(element, words()));
  element.addEventListener("mouseleave", () => document.activeElement !== element && hide());
  element.addEventListener("blur", hide);
}

/** @param {HTMLElement} element @param {Words} words */
function show(element, { title, text, detail }) {
  owner?.removeAttribute("aria-describedby");
  owner = element;
  tip.replaceChildren(h("strong", {}, title), text, detail ? h("span", { class: "detail" }, detail) : "");
  tip.showPopover();
  element.setAttribute("aria-describedby", "tip");
  const at = element.getBoundingClientRect();
  const own = tip.getBoundingClientRect();
  const below = at.bottom + 6 + own.height < innerHeight;
  tip.style.left = `${Math.max(8, Math.min(at.left, innerWidth - own.width - 8))}px`;
  tip.style.top = `${below ? at.bottom + 6 : Math.max(8, at.top - own.height - 6)}px`;
}

/** Hides what is told; whether there was something. */
export function hide() {
  owner?.removeAttribute("aria-describedby");
  owner = undefined;
  const shown = tip.matches(":popover-open");
  if (shown) tip.hidePopover();
  return shown;
}

addEventListener("scroll", hide, { capture: true, passive: true });
addEventListener("hashchange", hide);
