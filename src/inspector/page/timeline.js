// @ts-check
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** The pieces of an answer over time: what came from the upstream, what went to the client, what struck when. */
import { h, svg } from "./dom.js";
import { bytes, count, duration } from "./format.js";

/**
 * @typedef {{ ms: number, start: number, end: number, attempt: number }} Piece
 * @typedef {{ ms: number, kind: "problem" | "fix", name: string }} Tick
 * @typedef {{
 *   upstream: readonly Piece[], client: readonly Piece[], ticks: readonly Tick[], asked: readonly number[], total: number,
 *   textOf: (lane: "upstream" | "client", piece: Piece) => string,
 *   pointed: (lane: "upstream" | "client", piece: Piece | undefined) => void,
 * }} Line
 */

const [LEFT, RIGHT, TOP, LANE, GAP, AXIS] = [72, 24, 20, 46, 18, 24];
const HEIGHT = TOP + 2 * LANE + GAP + AXIS + 2;
const LANES = /** @type {const} */ (["upstream", "client"]);

/** @param {Line} line */
export function timeline(line) {
  const picture = svg("svg", { height: HEIGHT, "aria-hidden": "true" });
  const told = h("p", { class: "piece" });
  const shown = h("pre", { class: "piece-text", hidden: true });
  /** @type {{ lane: "upstream" | "client", n: number } | undefined} */
  let at;
  const holder = h("div", {
    class: "timeline",
    tabindex: "0",
    role: "slider",
    "aria-label": "Pieces of the answer; arrows go from one to the next",
    "aria-valuemin": 1,
    "aria-valuemax": Math.max(1, line.upstream.length),
    "aria-valuenow": 1,
    mousemove: (/** @type {MouseEvent} */ event) => point(event),
    click: (/** @type {MouseEvent} */ event) => point(event),
    keydown: (/** @type {KeyboardEvent} */ event) => step(event),
  }, picture);
  const element = h("div", {}, holder, told, shown);
  let width = 0;

  const end = Math.max(line.total, line.upstream.at(-1)?.ms ?? 0, line.client.at(-1)?.ms ?? 0, 1) * 1.01;
  const x = (/** @type {number} */ ms) => LEFT + (width - LEFT - RIGHT) * ms / end;
  const top = { upstream: TOP, client: TOP + LANE + GAP };
  const cursor = svg("rect", { class: "cursor", width: 3, height: LANE + 4, rx: 1.5, visibility: "hidden" });

  /** A line through both lanes, with a word at its head. @param {string} name @param {string} look @param {number | undefined} ms */
  const flag = (name, look, ms) => {
    if (ms === undefined) return [];
    const at = x(ms);
    const late = at > width - 90;
    const crowded = look === "first" && line.asked.slice(1).some((other) => Math.abs(x(other) - at) < 150);
    return [
      svg("line", { class: `flag ${look}`, x1: at, x2: at, y1: 6, y2: top.client + LANE }),
      !crowded && svg("text", {
        class: "flag-name",
        x: at + (late ? -5 : 5),
        y: 13,
        "text-anchor": late ? "end" : "start",
      }, name),
    ];
  };

  const draw = () => {
    width = Math.max(280, holder.clientWidth);
    const sums = { upstream: buckets(line.upstream, x), client: buckets(line.client, x) };
    const largest = Math.max(1, ...sums.upstream.values(), ...sums.client.values());
    picture.setAttribute("width", String(width));
    picture.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    const base = top.client + LANE;
    const children = [
      ...axis(end, width, base),
      ...LANES.flatMap((lane) => [
        svg("rect", {
          class: "lane",
          x: LEFT,
          y: top[lane],
          width: width - LEFT - RIGHT,
          height: LANE,
          rx: 4,
        }),
        svg("text", { class: "lane-name", x: 0, y: top[lane] + LANE / 2 + 4 }, lane),
      ]),
      ...gaps(line).map(([from, to]) => {
        const wide = x(to) - x(from);
        return svg(
          "g",
          {},
          svg("rect", { class: "gap", x: x(from), y: top.client, width: wide, height: LANE }),
          wide > 74 &&
            svg(
              "text",
              { class: "gap-name", x: x(from) + wide / 2, y: top.client + LANE / 2 + 4 },
              "held back",
            ),
        );
      }),
      ...LANES.map((lane) =>
        svg("path", { class: `pieces ${lane}`, d: bars(sums[lane], largest, top[lane] + LANE) })
      ),
      ...flag("first byte", "first", line.client[0]?.ms),
      ...line.asked.slice(1).flatMap((ms) => flag("asked again", "again", ms)),
      ...line.ticks.map(({ ms, kind, name }) =>
        svg(
          "g",
          { class: `tick ${kind}` },
          svg("line", { x1: x(ms), x2: x(ms), y1: top.upstream + LANE, y2: top.client }),
          svg("circle", { cx: x(ms), cy: top.client - GAP / 2, r: 4.5 }),
          svg("title", {}, `${name} at ${duration(ms)}`),
        )
      ),
      cursor,
    ];
    picture.replaceChildren(...children.filter((child) => child instanceof Node));
    if (at) go(at.lane, at.n, false);
  };

  /** @param {"upstream" | "client"} lane @param {number} n @param {boolean} [tell] */
  const go = (lane, n, tell = true) => {
    const piece = line[lane][n];
    if (piece === undefined) return;
    at = { lane, n };
    cursor.setAttribute("visibility", "visible");
    cursor.setAttribute("x", String(x(piece.ms) - 1.5));
    cursor.setAttribute("y", String(top[lane] - 2));
    if (!tell) return;
    const text = `${lane === "upstream" ? "From the upstream" : "To the client"}: piece ${count(n + 1)} of ${
      count(line[lane].length)
    }, ${bytes(piece.end - piece.start)} at ${duration(piece.ms)}`;
    told.textContent = text;
    holder.setAttribute("aria-valuenow", String(n + 1));
    holder.setAttribute("aria-valuemax", String(line[lane].length));
    holder.setAttribute("aria-valuetext", text);
    const full = line.textOf(lane, piece);
    shown.hidden = false;
    shown.textContent = full.length > 600 ? `${full.slice(0, 600)} …` : full.replace(/\n+$/, "");
    line.pointed(lane, piece);
  };

  /** @param {MouseEvent} event */
  const point = (event) => {
    const box = picture.getBoundingClientRect();
    const own = event.clientY - box.top < top.upstream + LANE + GAP / 2 ? "upstream" : "client";
    const lane = line[own].length > 0 ? own : own === "client" ? "upstream" : "client";
    const ms = (event.clientX - box.left - LEFT) / (width - LEFT - RIGHT) * end;
    const n = nearest(line[lane], ms);
    if (n >= 0 && (at?.lane !== lane || at.n !== n)) go(lane, n);
  };

  /** @param {KeyboardEvent} event */
  const step = (event) => {
    const { lane, n } = at ?? { lane: /** @type {const} */ ("upstream"), n: -1 };
    const by = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity }[event.key];
    if (by !== undefined) go(lane, Math.max(0, Math.min(line[lane].length - 1, n + by)));
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const other = event.key === "ArrowDown" ? "client" : "upstream";
      go(other, Math.max(0, nearest(line[other], line[lane][Math.max(0, n)]?.ms ?? 0)));
    } else return;
    event.preventDefault();
  };

  told.textContent = line.upstream.length === 0
    ? "Nothing has come."
    : "Point at a piece, or go through them with the arrow keys.";
  const watcher = new ResizeObserver(draw);
  watcher.observe(holder);
  return { element, end: () => watcher.disconnect() };
}

/** How many bytes fall on each pixel. @param {readonly Piece[]} pieces @param {(ms: number) => number} x */
function buckets(pieces, x) {
  /** @type {Map<number, number>} */
  const sums = new Map();
  for (const { ms, start, end } of pieces) {
    const at = Math.round(x(ms) / 2) * 2;
    sums.set(at, (sums.get(at) ?? 0) + end - start);
  }
  return sums;
}

/** @param {ReadonlyMap<number, number>} sums @param {number} largest @param {number} base */
function bars(sums, largest, base) {
  const parts = [];
  for (const [at, sum] of sums) {
    // A byte is to be seen beside a megabyte.
    const height = 4 + (LANE - 10) * Math.log1p(sum) / Math.log1p(largest);
    parts.push(`M${at} ${base}V${(base - height).toFixed(1)}`);
  }
  return parts.join("");
}

/** Where pieces came and nothing went out for long. @param {Line} line @returns {[number, number][]} */
function gaps({ upstream, client, total }) {
  const least = Math.max(20, total * 0.03);
  /** @type {[number, number][]} */
  const found = [];
  let next = 0;
  let from;
  for (const { ms } of upstream) {
    while (next < client.length && /** @type {Piece} */ (client[next]).ms < ms) {
      const went = /** @type {Piece} */ (client[next++]).ms;
      if (from !== undefined && went - from >= least) found.push([from, went]);
      from = undefined;
    }
    from ??= ms;
  }
  const went = client[next]?.ms;
  if (from !== undefined && went !== undefined && went - from >= least) found.push([from, went]);
  return found;
}

/** @param {readonly Piece[]} pieces @param {number} ms */
function nearest(pieces, ms) {
  let [low, high] = [0, pieces.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (/** @type {Piece} */ (pieces[middle]).ms < ms) low = middle + 1;
    else high = middle;
  }
  const before = pieces[low - 1];
  return before !== undefined && ms - before.ms < (pieces[low]?.ms ?? 0) - ms ? low - 1 : high;
}

/** @param {number} end @param {number} width @param {number} base */
function axis(end, width, base) {
  const wanted = end / Math.max(2, (width - LEFT) / 130);
  const power = 10 ** Math.floor(Math.log10(wanted));
  const every = [1, 2, 5, 10].map((n) => n * power).find((each) => each >= wanted) ?? power * 10;
  /** @type {SVGElement[]} */
  const all = [];
  for (let ms = 0; ms <= end; ms += every) {
    const at = LEFT + (width - LEFT - RIGHT) * ms / end;
    all.push(svg("line", { class: "grid-line", x1: at, x2: at, y1: TOP, y2: base + 4 }));
    all.push(
      svg(
        "text",
        { class: "tick-time", x: at, y: base + 18 },
        ms === 0 ? "0" : ms >= 1000 ? `${+(ms / 1000).toFixed(3)} s` : `${+ms.toFixed(2)} ms`,
      ),
    );
  }
  return all;
}
