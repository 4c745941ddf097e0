// @ts-check
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** The list of exchanges: live, searched, filtered, and gone through with the keyboard. */
import { outcomeOf, store } from "./data.js";
import { byId, h, tell } from "./dom.js";
import { bytes, count, several } from "./format.js";
import { noMatch, welcome } from "./notices.js";
import { openExchange, openOnPress, rowHead, rowOf } from "./rows.js";

/** @typedef {import("./data.js").Summary} Summary */

const FILTERS = [
  {
    id: "problems",
    name: "Problems",
    fits: (/** @type {Summary} */ { problems }) => Object.keys(problems).length > 0,
  },
  { id: "calls", name: "Calls", fits: (/** @type {Summary} */ { calls }) => (calls ?? 0) > 0 },
  {
    id: "errors",
    name: "Errors",
    fits: (/** @type {Summary} */ summary) => outcomeOf(summary).look === "failed",
  },
  { id: "running", name: "Running", fits: (/** @type {Summary} */ { running }) => running },
];

/** Rows beyond the edges of what is seen, so that scrolling finds them there. */
const MARGIN = 8;

// What was looked for stays while an exchange is looked at.
const wanted = { text: "", filters: new Set() };
let chosen = "";
let scrolled = 0;

/** The list as it is searched now; the next exchange is the one below. */
export function shown() {
  const words = wanted.text.toLowerCase().split(/\s+/).filter(Boolean);
  const filters = FILTERS.filter(({ id }) => wanted.filters.has(id));
  if (words.length + filters.length === 0) return store.exchanges;
  return store.exchanges.filter((summary) => {
    if (!filters.every(({ fits }) => fits(summary))) return false;
    const { id, model, upstream, dialects = [], fixes, problems } = summary;
    const text = [
      id,
      model,
      upstream,
      ...dialects,
      ...fixes,
      ...Object.keys(problems),
      outcomeOf(summary).word,
    ].join(" ")
      .toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/** @param {string} id */
export function choose(id) {
  chosen = id;
}

/** Shows the list in `main`; gives what ends it. @param {HTMLElement} main */
export function showList(main) {
  const search = h("input", {
    type: "search",
    id: "search",
    placeholder: "Search model, id, dialect, fix, problem",
    "aria-label": "Search model, id, dialect, fix, problem",
    autocomplete: "off",
    spellcheck: "false",
    value: wanted.text,
    input: () => {
      wanted.text = search.value;
      grid.scrollTop = 0;
      update();
    },
    keydown: (/** @type {KeyboardEvent} */ event) => {
      if (event.key === "ArrowDown" || event.key === "Enter") {
        event.preventDefault();
        move(chosen === "" ? 0 : event.key === "Enter" ? 0 : 1);
        grid.focus();
      }
    },
  });
  const filters = FILTERS.map(({ id, name }) => {
    const button = h("button", {
      type: "button",
      "aria-pressed": wanted.filters.has(id),
      "data-filter": id,
      click: () => {
        if (!wanted.filters.delete(id)) wanted.filters.add(id);
        button.setAttribute("aria-pressed", String(wanted.filters.has(id)));
        grid.scrollTop = 0;
        update();
      },
    }, name);
    button.setAttribute("aria-pressed", String(wanted.filters.has(id)));
    return button;
  });
  const told = h("span", { class: "count" });
  const body = h("div", { class: "body", role: "rowgroup" });
  const grid = h(
    "div",
    {
      class: "grid",
      role: "grid",
      tabindex: "0",
      "aria-label": "Exchanges, the newest first",
      scroll: () => {
        scrolled = grid.scrollTop;
        schedule();
      },
      keydown: (/** @type {KeyboardEvent} */ event) => keys(event),
    },
    rowHead(),
    body,
  );
  const nothing = h("div", { class: "panel notice" });
  main.replaceChildren(
    h(
      "section",
      { class: "list", "aria-label": "Exchanges" },
      h("h1", { class: "unseen" }, "Exchanges"),
      h("div", { class: "filters", role: "search" }, search, filters, told),
      grid,
      nothing,
    ),
  );

  openOnPress(body);

  /** @type {readonly Summary[]} */
  let rows = [];
  let frame = 0;
  const schedule = () => frame ||= requestAnimationFrame(draw);
  const height = () => parseFloat(getComputedStyle(grid.parentElement ?? grid).getPropertyValue("--row"));

  const draw = () => {
    frame = 0;
    const size = height();
    const first = Math.max(0, Math.floor(grid.scrollTop / size) - MARGIN);
    const last = Math.min(rows.length, Math.ceil((grid.scrollTop + grid.clientHeight) / size) + MARGIN);
    body.style.height = `${rows.length * size}px`;
    grid.setAttribute("aria-rowcount", String(rows.length + 1));
    body.replaceChildren(
      ...rows.slice(first, last).map((summary, n) => {
        const row = rowOf(summary, first + n, summary.id === chosen);
        row.style.top = `${(first + n) * size}px`;
        return row;
      }),
    );
    if (rows.some(({ id }) => id === chosen)) grid.setAttribute("aria-activedescendant", `row-${chosen}`);
    else grid.removeAttribute("aria-activedescendant");
  };

  const update = () => {
    const top = Math.floor(grid.scrollTop / height());
    const anchor = grid.scrollTop > 0 ? rows[top]?.id : undefined;
    rows = shown();
    // What is looked at stays where it is when newer ones come in above it.
    const moved = anchor === undefined ? -1 : rows.findIndex(({ id }) => id === anchor);
    if (moved > top) {
      body.style.height = `${rows.length * height()}px`;
      grid.scrollTop += (moved - top) * height();
    }
    const { exchanges, kept } = store;
    const all = exchanges.length;
    told.textContent = rows.length === all
      ? several(all, "exchange")
      : `${count(rows.length)} of ${several(all, "exchange")}`;
    told.title = `${bytes(kept.size)} of ${bytes(kept.limits.bytes)} in memory; the oldest go first`;
    grid.hidden = rows.length === 0;
    nothing.hidden = rows.length > 0 || store.state === "waiting";
    if (!nothing.hidden) nothing.replaceChildren(...(all === 0 ? welcome() : noMatch(clear)));
    schedule();
  };

  const clear = () => {
    wanted.text = search.value = "";
    wanted.filters.clear();
    filters.forEach((button) => button.setAttribute("aria-pressed", "false"));
    update();
    search.focus();
  };

  /** @param {number} by */
  const move = (by) => {
    if (rows.length === 0) return;
    const at = rows.findIndex(({ id }) => id === chosen);
    const from = at === -1 && by > 0 ? -1 : at;
    const next = Math.min(rows.length - 1, Math.max(0, from + by));
    const row = rows[next];
    if (row === undefined) return;
    chosen = row.id;
    const size = height();
    const head = grid.querySelector(".head")?.clientHeight ?? 0;
    if (next * size < grid.scrollTop) grid.scrollTop = next * size;
    const below = (next + 1) * size + head - grid.clientHeight;
    if (below > grid.scrollTop) grid.scrollTop = below;
    draw();
    tell(`${row.model}, ${outcomeOf(row).word}`);
  };

  /** @param {KeyboardEvent} event */
  const keys = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(1, Math.floor(grid.clientHeight / height()) - 2);
    const by = {
      j: 1,
      ArrowDown: 1,
      k: -1,
      ArrowUp: -1,
      PageDown: page,
      PageUp: -page,
      End: Infinity,
      Home: -Infinity,
    }[event.key];
    if (by !== undefined) move(Math.max(-rows.length, Math.min(rows.length, by)));
    else if (event.key === "Enter" && chosen !== "") openExchange(chosen);
    else if (event.key === "Escape" && (wanted.text !== "" || wanted.filters.size > 0)) clear();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  /** @param {KeyboardEvent} event */
  const anywhere = (event) => {
    const target = /** @type {Element | null} */ (event.target);
    if (target?.closest("input, select, textarea, button, a, dialog, .grid") && event.key !== "Escape") {
      return;
    }
    if (byId("keys").hasAttribute("open")) return;
    keys(event);
  };
  document.addEventListener("keydown", anywhere);
  addEventListener("resize", schedule);
  const unfollow = store.follow(update);
  update();
  grid.scrollTop = scrolled;
  if (matchMedia("(pointer: fine)").matches) grid.focus({ preventScroll: true });
  return () => {
    unfollow();
    document.removeEventListener("keydown", anywhere);
    removeEventListener("resize", schedule);
    cancelAnimationFrame(frame);
  };
}
