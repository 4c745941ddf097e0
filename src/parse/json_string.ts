/** Strings of lenient JSON: whatever their quotes and escapes, what comes out is strict JSON text. */
import type { Marker, Shape } from "./marker.ts";
import type { Scanner, Sink, Step } from "./scanner.ts";

/** How reading JSON ended: whole; cut off by the end of the turn; or it is no JSON, or too deep or too long. */
export type JsonEnd = "complete" | "cut" | "broken";

/** What had to be mended. */
export type JsonRepair =
  | "bare-word" // a string without quotes
  | "comma" // a comma too many, or a missing one
  | "comment"
  | "control-character" // a raw newline or the like in a string
  | "escape" // a backslash before a character that needs none
  | "escaped-quotes" // `\"` instead of `"` around a string
  | "inner-quote" // an unescaped quote inside a string
  | "key" // a key without quotes
  | "literal" // True, False, None
  | "number" // a number that JSON does not know, or that no double can hold
  | "quotes" // other quotes than `"` around a string
  | "tuple"; // (1, 2) instead of [1, 2]

/** How to read a value. */
export interface JsonOptions {
  /** Told of each kind of repair once. */
  readonly onRepair?: ((kind: JsonRepair) => void) | undefined;
  /**
   * The characters one of which follows the value, as `,}` does in an object: a quote before anything else is
   * data, and a bare word is a string. Not said: a string ends at its first quote, and a bare word is no JSON.
   */
  readonly after?: string | undefined;
  /** Markers at which the JSON has ended even if it is not whole: a quote before one is no data. */
  readonly closers?: readonly Marker[] | undefined;
  /** The most characters that may come out. */
  readonly limit?: number | undefined;
  /** Takes the insides of string values in place of the sink, for who needs to know which is which. */
  readonly text?: Sink | undefined;
}

/** Characters that may open a string, and those that then close it. */
const QUOTES = new Map<string, string>([
  ['"', '"'],
  ["'", "'"],
  ["`", "`"],
  ...[..."“”„"].map((quote) => [quote, '“”„"'] as const),
  ...[..."‘’"].map((quote) => [quote, "‘’'"] as const),
]);

/** Whether `char` can open a string. */
export function opensString(char: string): boolean {
  return QUOTES.has(char) || char === "\\";
}

/**
 * Streams the inside of one string as strict JSON text, without the quotes. `onRepair` is told of each repair
 * each time.
 */
export function* readString(scan: Scanner, sink: Sink, options: JsonOptions): Step<JsonEnd> {
  const first = yield* scan.peek();
  if (first === "\\") return yield* readEscapedString(scan, sink, options);
  const quotes = QUOTES.get(first);
  if (quotes === undefined) return first === "" ? "cut" : "broken";
  if (first !== '"') options.onRepair?.("quotes");
  yield* scan.next();
  const stop = stopAt(quotes);
  for (;;) {
    yield* scan.run(stop, sink);
    const char = yield* scan.next();
    if (char === "") return "cut";
    if (char === "\\") {
      const end = yield* readEscape(scan, sink, options, quotes);
      if (end !== undefined) return end;
    } else if (quotes.includes(char)) {
      if (yield* closes(scan, sink, options, char, quotes)) return "complete";
    } else sink(escaped(char, options));
  }
}

/** Whether the quote that was just read closes its string; when it is data it goes to the sink. */
function* closes(
  scan: Scanner,
  sink: Sink,
  options: JsonOptions,
  quote: string,
  quotes: string,
): Step<boolean> {
  const { after, closers, onRepair } = options;
  if (after === undefined || !(yield* scan.sees(dataAfter(quotes, after)))) return true;
  let data = quote;
  if (closers !== undefined) {
    yield* scan.run(NOT_SPACE, (space) => data += space);
    if (yield* scan.sees(...closers)) return true;
  }
  onRepair?.("inner-quote");
  sink(JSON.stringify(data).slice(1, -1));
  return false;
}

/**
 * `\\` was just read: a backslash, or, where a quote follows that is data, an escape too many (Qwen2.5-Coder writes
 * `\\"` for `\"`). Whether a quote follows that closes the string.
 */
function* closesBehindBackslash(
  scan: Scanner,
  sink: Sink,
  options: JsonOptions,
  quotes: string,
): Step<boolean> {
  const quote = yield* scan.peek();
  const follows = options.after !== undefined && quote !== "" && quotes.includes(quote);
  if (follows) {
    yield* scan.next();
    if (!(yield* closes(scan, sink, options, quote, quotes))) return false;
  }
  sink("\\\\");
  return follows;
}

/** Reads what follows a backslash. How the string ended, if it did. */
function* readEscape(
  scan: Scanner,
  sink: Sink,
  options: JsonOptions,
  quotes: string,
): Step<JsonEnd | undefined> {
  const char = yield* scan.peek();
  if (char === "") return "cut";
  if (char === "u") {
    let digits = yield* scan.next();
    while (digits.length < 5 && HEX.test(yield* scan.peek())) digits += yield* scan.next();
    if (digits.length < 5 && (yield* scan.peek()) === "") return "cut";
    if (digits.length < 5) options.onRepair?.("escape");
    sink((digits.length < 5 ? "\\\\" : "\\") + digits);
  } else if (char === "\\") {
    yield* scan.next();
    if (yield* closesBehindBackslash(scan, sink, options, quotes)) return "complete";
  } else if (ESCAPES.includes(char)) {
    sink("\\" + (yield* scan.next()));
  } else {
    options.onRepair?.("escape");
    if (char === "'" || quotes.includes(char)) sink(yield* scan.next());
    else sink("\\\\"); // `\$` is more likely a lost backslash than a needless one
  }
  return undefined;
}

/**
 * A string in `\"`, in JSON that was escaped once too often. One level of escapes is taken off on the way:
 * `\\n` is what `\n` is elsewhere, and `\\\"` is a quote inside the string.
 */
function* readEscapedString(scan: Scanner, sink: Sink, options: JsonOptions): Step<JsonEnd> {
  let level = 0, run = 0; // how many backslashes stand before the opening quote, and before the next character
  yield* scan.run(NOT_BACKSLASH, (text) => level += text.length);
  const first = yield* scan.peek();
  if (first !== '"') return first === "" ? "cut" : "broken";
  options.onRepair?.("escaped-quotes");
  for (yield* scan.next();; run = 0) {
    yield* scan.run(stopAt('"'), sink);
    yield* scan.run(NOT_BACKSLASH, (text) => run += text.length);
    const char = yield* scan.peek();
    if (char === "") return "cut";
    if (run === 0) {
      sink(escaped(yield* scan.next(), options));
    } else if (char === '"') {
      yield* scan.next();
      if (run === level) return "complete";
      const slashes = run >> 1;
      if (level === 1 && run % 2 === 1 && slashes % 2 === 0) {
        sink("\\".repeat(slashes));
        return "complete";
      }
      sink("\\".repeat(slashes) + (slashes % 2 === 1 ? '"' : '\\"'));
    } else {
      const known = run % 2 === 1 && ESCAPES_ONCE.includes(char);
      let slashes = (run >> 1) + (run % 2 === 1 && !known ? 1 : 0);
      if (known) slashes += slashes % 2; // a backslash before a control character stands for itself
      if (slashes > 1) sink("\\".repeat(slashes - slashes % 2));
      if ((known || slashes % 2 === 1) && (yield* readEscape(scan, sink, options, '"')) !== undefined) {
        return "cut";
      }
    }
  }
}

/** A quote or a control character as JSON writes it. */
function escaped(char: string, options: JsonOptions): string {
  if (char < " ") options.onRepair?.("control-character");
  return JSON.stringify(char).slice(1, -1);
}

const HEX = /^[\da-fA-F]$/;
const ESCAPES = '"/bfnrt';
const ESCAPES_ONCE = "/bfnrtu";
const NOT_SPACE = /[^ \t\r\n]/g;
const NOT_BACKSLASH = /[^\\]/g;

const stops = new Map<string, RegExp>();

/** What cannot stand as it is in a string that `quotes` close. */
function stopAt(quotes: string): RegExp {
  let stop = stops.get(quotes);
  if (stop === undefined) stops.set(quotes, stop = new RegExp(`["\\\\\\x00-\\x1f${quotes}]`, "g"));
  return stop;
}

/** Between `min` and `max` characters of a class; of the ways to go on, each is a list of these. */
interface Atom {
  readonly of: string;
  readonly min: number;
  readonly max: number;
}

const one = (of: string): Atom => ({ of: `[${of}]`, min: 1, max: 1 });
const many = (of: string, min: number, max: number): Atom => ({ of: `[${of}]`, min, max });
const space = many(" \\t\\r\\n", 0, 256);

const shapes = new Map<string, Shape>();

/**
 * Matches what shows that the quote before it is data. In JSON that is valid none of it can follow a closing
 * quote; where a limit is passed the quote closes.
 */
function dataAfter(quotes: string, after: string): Shape {
  const name = `${quotes} ${after}`;
  let shape = shapes.get(name);
  if (shape === undefined) shapes.set(name, shape = anyOf(waysOfData(quotes, after)));
  return shape;
}

function waysOfData(quotes: string, after: string): Atom[][] {
  const quote = one(quotes),
    inside = `^${quotes}\\\\\\n`,
    more = one(",}\\]"),
    word = "\\w$.\\-\\u0080-\\uffff";
  const ways = [
    [space, one(`^ \\t\\r\\n/${quotes}${after.replace("]", "\\]")}`)],
    [space, one("/"), one("^/*")], // no comment
  ];
  if (after.includes("}") || after.includes("]")) {
    const closer = after.includes("}") ? "}" : "\\]";
    ways.push([quote, quote]); // """
    ways.push([space, quote, space, more]); // the next quote is the one that closes: ""data""
    ways.push([space, one(closer), many("}\\]", 0, 15), quote, space, more]); // "d = {"a": "b"}", …
  }
  if (after.includes("}")) {
    // After a string comes a key, with a comma before it or (missing) without.
    for (const start of [[space], [space, one(","), space]]) {
      ways.push([...start, quote, many(inside, 1, 256), quote, space, one("^: \\t\\r\\n")]); // f("a", "b")
      ways.push([...start, quote, many(inside, 0, 256), one("\\n")]);
    }
    const comma = [space, one(","), space];
    ways.push([...comma, one("()<>\\[\\]{;:=!?*&^%#@|~+")]);
    ways.push([...comma, many(word, 1, 64), one(`^${word}: \\t\\r\\n`)]);
    ways.push([...comma, many(word, 1, 64), many(" \\t\\r\\n", 1, 256), one("^: \\t\\r\\n")]); // "no", he said
  } else if (after.includes("]")) {
    ways.push([quote, one("^ \\t\\r\\n,\\]")]);
    ways.push([space, one(","), space, one("\\w$("), many(`${inside},\\]`, 0, 256), quote]);
  }
  return ways;
}

/** A marker made of several ways to go on. */
function anyOf(ways: readonly (readonly Atom[])[]): Shape {
  const whole = ways.map((way) => way.map(({ of, min, max }) => `${of}{${min},${max}}`).join(""));
  const part = ways.map((way) => way.reduceRight(partOf, "(?!)"));
  return { heads: [], whole: new RegExp(whole.join("|"), "y"), part: new RegExp(part.join("|"), "y") };
}

/** Any character may be the last one that has arrived. */
function partOf(rest: string, { of, min, max }: Atom): string {
  return max === 1 ? `(?:$|${of}${rest})` : `(?:${of}{0,${max}}$|${of}{${min},${max}}${rest})`;
}
