// @ts-check
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** Starts the page: which view is shown for which address, the colours, the keys that work everywhere. */
import { connect, store } from "./data.js";
import { byId, h } from "./dom.js";
import { showExchange } from "./exchange.js";
import { showList } from "./list.js";
import { showPlayground } from "./playground.js";
import { hide } from "./tip.js";

const main = byId("main");
let end = () => {};

function route() {
  const [, view = "", id = ""] = location.hash.split("/");
  end();
  const name = view === "exchange" && id !== "" ? "exchange" : view === "playground" ? view : "list";
  for (const link of document.querySelectorAll("nav a")) {
    if (link.getAttribute("data-view") === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = name === "playground" ? "Playground · Callmend" : "Callmend";
  main.scrollTop = 0;
  if (name !== "list") main.focus({ preventScroll: true });
  if (name === "exchange") end = showExchange(main, decode(id));
  else if (name === "playground") end = showPlayground(main);
  else end = showList(main);
}

/** @param {string} id */
function decode(id) {
  try {
    return decodeURIComponent(id);
  } catch {
    return id;
  }
}

const THEMES = { "": ["◐", "Auto"], light: ["○", "Light"], dark: ["●", "Dark"] };

/** @param {string} theme */
function paint(theme) {
  const name = theme === "light" || theme === "dark" ? theme : "";
  if (name === "") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
  const [sign = "", word = ""] = THEMES[name];
  byId("theme").replaceChildren(sign, h("span", { class: "word" }, ` ${word}`));
  byId("theme").title = "Colours: as the system has them, light, or dark (t)";
  byId("theme").setAttribute("aria-label", `Colours: ${word}`);
}

function nextTheme() {
  const names = Object.keys(THEMES);
  const next = names[(names.indexOf(document.documentElement.dataset.theme ?? "") + 1) % names.length] ?? "";
  try {
    localStorage.setItem("callmend-theme", next);
  } catch {
    // A browser that keeps nothing: the choice lasts as long as the page.
  }
  paint(next);
}

function kept() {
  try {
    return localStorage.getItem("callmend-theme") ?? "";
  } catch {
    return "";
  }
}

const KEYS = [
  [["/"], "search"],
  [["j", "k"], "next and previous exchange; so do the arrows in the list"],
  [["Enter"], "open the exchange"],
  [["Esc"], "back to the list; in the list, clear search and filters"],
  [["←", "→"], "in the timeline, piece by piece; in the playground, step by step"],
  [["p"], "playground"],
  [["t"], "colours"],
  [["?"], "these keys"],
];

function showKeys() {
  const dialog = /** @type {HTMLDialogElement} */ (byId("keys"));
  dialog.replaceChildren(
    h("h2", { id: "keys-title" }, "Keys"),
    h(
      "dl",
      {},
      KEYS.flatMap(([keys, means]) => [
        h("dt", {}, [...(keys ?? [])].flatMap((key, n) => [n > 0 && " ", h("kbd", {}, key)])),
        h("dd", {}, String(means)),
      ]),
    ),
    h("button", { type: "button", click: () => dialog.close() }, "Close"),
  );
  dialog.showModal();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const target = /** @type {HTMLElement | null} */ (event.target);
  const typing = target?.closest("input:not([type=range]), textarea, select") != null;
  if (byId("keys").hasAttribute("open")) return;
  if (event.key === "Escape") {
    if (hide()) return;
    if (typing) target?.blur();
    else if (location.hash.length > 2) location.hash = "#/";
    return;
  }
  if (typing) return;
  if (event.key === "/") {
    event.preventDefault();
    if (document.getElementById("search") === null) location.hash = "#/";
    requestAnimationFrame(() => setTimeout(() => document.getElementById("search")?.focus()));
  } else if (event.key === "?") showKeys();
  else if (event.key === "t") nextTheme();
  else if (event.key === "p") location.hash = "#/playground";
});

byId("theme").addEventListener("click", nextTheme);
byId("help").addEventListener("click", showKeys);
paint(kept());
store.follow(() => {
  const live = byId("live");
  const word = store.state === "on" ? "live" : store.state === "off" ? "not connected" : "connecting";
  if (live.textContent === word) return;
  live.textContent = word;
  live.className = `live ${store.state}`;
});
connect();
addEventListener("hashchange", route);
route();
