// @ts-check
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** Makes elements. Text goes in as text, never as markup: what an exchange holds is not to be trusted. */

/** @typedef {Node | string | number | false | null | undefined} Child */

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {{ [name: string]: unknown }} [properties] attributes; functions are listeners, `class` may be a list
 * @param {...(Child | readonly Child[])} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  set(element, properties);
  append(element, children);
  return element;
}

/**
 * @param {string} tag
 * @param {{ [name: string]: unknown }} [properties]
 * @param {...(Child | readonly Child[])} children
 * @returns {SVGElement}
 */
export function svg(tag, properties = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  set(element, properties);
  append(element, children);
  return element;
}

/** @param {Element} element @param {{ [name: string]: unknown }} properties */
function set(element, properties) {
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === "function") element.addEventListener(name, /** @type {EventListener} */ (value));
    else if (name === "value" && "value" in element) element.value = value;
    else {element.setAttribute(
        name,
        value === true ? "" : Array.isArray(value) ? value.filter(Boolean).join(" ") : String(value),
      );}
  }
}

/** @param {Element} element @param {readonly (Child | readonly Child[])[]} children */
function append(element, children) {
  for (const child of children.flat()) {
    if (child === undefined || child === null || child === false) continue;
    element.append(child instanceof Node ? child : String(child));
  }
}

/** @param {string} id */
export function byId(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

/** Says something to those who do not see it. @param {string} text */
export function tell(text) {
  byId("told").textContent = text;
}

/** Copies a text, and says on the button that it has. @param {HTMLButtonElement} button @param {string} text */
export async function copy(button, text) {
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = copyByHand(text) ? "Copied" : "Cannot copy";
  }
  tell(button.textContent ?? "");
  setTimeout(() => button.textContent = before, 1200);
}

/** Where the page is not reached over HTTPS or on loopback there is no clipboard. @param {string} text */
function copyByHand(text) {
  const area = h("textarea", { class: "unseen", value: text });
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  return copied;
}

/**
 * A row of tabs, and the panel that shows one of them.
 * @param {string} label
 * @param {readonly { readonly name: string, readonly show: () => Node }[]} tabs
 * @param {{ chosen?: number, changed?: (chosen: number) => void, panel?: string }} [options]
 */
export function tabs(label, tabs, { chosen = 0, changed = () => {}, panel: panelClass = "" } = {}) {
  const panel = h("div", { role: "tabpanel", class: panelClass, "aria-label": label });
  const buttons = tabs.map(({ name }, n) =>
    h("button", { type: "button", role: "tab", click: () => choose(n) }, name)
  );
  /** @param {number} n */
  const choose = (n) => {
    buttons.forEach((button, other) => {
      button.setAttribute("aria-selected", String(n === other));
      button.tabIndex = n === other ? 0 : -1;
    });
    panel.setAttribute("aria-label", `${label}: ${tabs[n]?.name ?? ""}`);
    panel.replaceChildren(/** @type {Node} */ (tabs[n]?.show()));
    changed(n);
  };
  const list = h("div", {
    role: "tablist",
    "aria-label": label,
    class: "tabs",
    keydown: (/** @type {KeyboardEvent} */ event) => {
      const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
      if (by === 0) return;
      event.preventDefault();
      const next = (buttons.findIndex((button) => button.tabIndex === 0) + by + buttons.length) %
        buttons.length;
      choose(next);
      buttons[next]?.focus();
    },
  }, buttons);
  choose(Math.min(chosen, tabs.length - 1));
  return { list, panel, choose };
}
