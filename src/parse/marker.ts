/** Markers: the fixed strings, and shapes of strings, that delimit things in a turn. */

/** Something to find: a fixed string, or a family of near-identical spellings. */
export type Marker = string | Shape;

/** What stands in a shape: a fixed string, or something that varies. */
type Piece = string | Chars | Either;

interface Chars {
  readonly kind: "chars";
  readonly set: string;
  readonly min: number;
  readonly max: number;
}

interface Either {
  readonly kind: "either";
  readonly words: readonly string[];
}

/** A marker that is spelled in several ways; made by `shape()`. */
export interface Shape {
  /** What it may begin with: up to `HEAD` characters of each way to write it. */
  readonly heads: readonly string[];
  /** Matches a whole marker. */
  readonly whole: RegExp;
  /** Matches text that ends before one can tell. */
  readonly part: RegExp;
}

/** A marker that was found, and how it was written. */
export interface Hit<M extends Marker = Marker> {
  readonly marker: M;
  readonly text: string;
}

/** What a text holds of markers: where the first is, or the end of the text; `starts` when it may become one. */
export interface Look {
  readonly at: number;
  readonly starts: boolean;
}

/** The text ends before one can tell. */
export const MORE = -1;

/** Between `min` and `max` characters out of `set`. */
export function chars(set: string, min: number, max: number): Chars {
  return { kind: "chars", set, min, max };
}

/** One of `words`. */
export function either(...words: readonly string[]): Either {
  return { kind: "either", words };
}

/** `word`, or nothing. */
export function maybe(word: string): Either {
  return either(word, "");
}

/** A little white space, or none: models put it where the grammar has none. */
export const space: Chars = chars(" \t\r\n", 0, 8);

/**
 * Makes a marker out of pieces. The last piece must not be able to go on (a string, or `either()` without
 * the empty word): a marker has to have an end.
 */
export function shape(...pieces: readonly Piece[]): Shape {
  // Made when first looked for: most turns meet few of all the markers that there are.
  let heads: readonly string[] | undefined;
  let whole: RegExp | undefined;
  let part: RegExp | undefined;
  return {
    get heads() {
      return heads ??= headsOf(pieces, HEAD);
    },
    get whole() {
      return whole ??= new RegExp(wholeOf(pieces), "y");
    },
    get part() {
      return part ??= new RegExp(partOf(pieces), "y");
    },
  };
}

/** How long `marker` is at `at`; `MORE` when the text ends before one can tell; 0 when it is not there. */
export function measure(marker: Marker, text: string, at: number, ended: boolean): number {
  if (typeof marker === "string") {
    if (text.startsWith(marker, at)) return marker.length;
    return !ended && text.length - at < marker.length && marker.startsWith(text.slice(at)) ? MORE : 0;
  }
  if (!ended && matches(marker.part, text, at)) return MORE;
  return matches(marker.whole, text, at) ? marker.whole.lastIndex - at : 0;
}

/** A set of markers to look for at once, indexed by first character so that prose costs next to nothing. */
export class MarkerSet<M extends Marker = Marker> {
  readonly #markers: readonly M[];
  #index: Index<M> | undefined; // made when first looked for: most turns meet few of all the sets that there are

  constructor(markers: Iterable<M>) {
    this.#markers = [...markers];
  }

  /**
   * Text between `from` and `at` is no marker. At `at` stands `marker`, `size` long; without one, the rest of
   * the text is either the start of one (`at` before the end) or nothing at all.
   */
  locate(text: string, from: number, ended: boolean): { at: number; size: number; marker?: M } {
    if (this.#markers.length === 0) return { at: text.length, size: 0 };
    const { starts } = this.#index ??= indexOf(this.#markers);
    for (starts.lastIndex = from; starts.test(text);) {
      const at = starts.lastIndex - 1;
      const found = this.at(text, at, ended);
      if (found === MORE) return { at, size: 0 };
      if (found !== undefined) return { at, ...found };
      starts.lastIndex = at + 1;
    }
    return { at: text.length, size: 0 };
  }

  /** The longest marker that stands at `at`. */
  at(text: string, at: number, ended: boolean): { size: number; marker: M } | typeof MORE | undefined {
    let best: { size: number; marker: M } | undefined;
    const { byFirst } = this.#index ??= indexOf(this.#markers);
    for (const marker of byFirst.get(text.charAt(at)) ?? []) {
      const size = measure(marker, text, at, ended);
      if (size === MORE) return MORE;
      if (size > (best?.size ?? 0)) best = { size, marker };
    }
    return best;
  }
}

/** How to find markers. */
interface Index<M extends Marker> {
  /** Finds the first character of what may be one. */
  readonly starts: RegExp;
  readonly byFirst: ReadonlyMap<string, readonly M[]>;
}

function indexOf<M extends Marker>(markers: readonly M[]): Index<M> {
  const byFirst = new Map<string, M[]>();
  const heads = new Map<string, Set<string>>(); // what may follow a first character
  for (const marker of markers) {
    for (const head of typeof marker === "string" ? [marker.slice(0, HEAD)] : marker.heads) {
      const first = head.charAt(0);
      const group = byFirst.get(first) ?? [];
      if (!group.includes(marker)) byFirst.set(first, [...group, marker]);
      heads.set(first, (heads.get(first) ?? new Set()).add(head.slice(1)));
    }
  }
  const firsts = [...heads.keys()].map(escape).join("");
  // Many letters and signs start something: what follows has to fit, as far as it has come.
  const fits = [...heads].map(([first, rests]) => `(?<=${escape(first)})${comingOf([...rests])}`);
  return { starts: new RegExp(`[${firsts}](?=${fits.join("|")})`, "g"), byFirst };
}

function matches(pattern: RegExp, text: string, at: number): boolean {
  pattern.lastIndex = at;
  return pattern.test(text);
}

function escape(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|\-/]/g, "\\$&");
}

function classOf({ set }: Chars): string {
  return `[${[...set].map(escape).join("")}]`;
}

/** How far one has to look to know that a word of prose is no marker. */
const HEAD = 6;

function headsOf([piece, ...rest]: readonly Piece[], size: number): readonly string[] {
  if (piece === undefined || size <= 0) return [""];
  const behind = (own: string) => headsOf(rest, size - own.length).map((head) => (own + head).slice(0, size));
  if (typeof piece === "string") return behind(piece);
  if (piece.kind === "either") return [...new Set(piece.words.flatMap(behind))];
  // White space may be repeated, which `comingOf()` knows; of all else that is, one is enough for a head.
  const some = /^\s+$/.test(piece.set) ? behind(" ") : [...piece.set];
  return [...new Set([...some, ...(piece.min === 0 ? behind("") : [])])];
}

/** Matches one of `texts` as far as it has come; any white space for a blank. */
function comingOf(texts: readonly string[]): string {
  if (texts.includes("")) return ""; // whatever follows
  const ways = [...new Set(texts.map((text) => text.charAt(0)))].map((first) => {
    const rests = texts.filter((text) => text.startsWith(first)).map((text) => text.slice(1));
    return (first === " " ? "\\s+" : escape(first)) + comingOf(rests);
  });
  return `(?:$|${ways.join("|")})`;
}

function wholeOf(pieces: readonly Piece[]): string {
  return pieces.map((piece) => {
    if (typeof piece === "string") return escape(piece);
    if (piece.kind === "chars") return `${classOf(piece)}{${piece.min},${piece.max}}`;
    const longestFirst = [...piece.words].sort((a, b) => b.length - a.length);
    return `(?:${longestFirst.map(escape).join("|")})`;
  }).join("");
}

/** Each character may be the last one that has arrived: `ab` becomes `a(?:$|b…)`. */
function partOf([piece, ...rest]: readonly Piece[]): string {
  if (piece === undefined) return "(?!)"; // all of it is there: no longer a part
  const after = partOf(rest);
  const word = (text: string) => [...text].reduceRight((then, char) => `(?:$|${escape(char)}${then})`, after);
  if (typeof piece === "string") return word(piece);
  if (piece.kind === "chars") {
    return `(?:${classOf(piece)}{0,${piece.max}}$|${classOf(piece)}{${piece.min},${piece.max}}${after})`;
  }
  return `(?:${piece.words.map(word).join("|")})`;
}
