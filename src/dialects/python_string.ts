/** Python's string literals: all quotes and prefixes, read as they come. */
import type { Out } from "../parse/dialect.ts";
import { chars, either, shape } from "../parse/marker.ts";
import type { Scanner, Sink, Step } from "../parse/scanner.ts";
import { BLOCK_ENDS } from "./pythonic_rows.ts";

/** What a string is in: it says what may follow. */
export type StringPlace = "argument" | "element" | "key" | NamedArgument;

/** The value of an argument with a name: only another such argument follows it, or the end of the call. */
export interface NamedArgument {
  /** Whether the call may have an argument of this name. */
  readonly declares: (name: string) => boolean;
}

const PREFIX = "rRbBuUfF";
const OPENER = shape(chars(PREFIX, 0, 2), either('"', "'"));

/** A string literal comes next. */
export function* opensPythonString(scan: Scanner): Step<boolean> {
  return (yield* scan.sees(OPENER)) !== undefined;
}

/**
 * Streams what a literal means, or several in a row mean together. False when the turn ended in it. A quote that
 * cannot end the literal is data: models forget to escape.
 */
export function* pythonString(scan: Scanner, out: Out, sink: Sink, place: StringPlace): Step<boolean> {
  do {
    if (!(yield* oneLiteral(scan, out, sink, place))) return false;
  } while (yield* anotherLiteral(scan));
  return true;
}

/** Another literal behind white space goes on with the string. */
function* anotherLiteral(scan: Scanner): Step<boolean> {
  const behind = scan.mark();
  yield* scan.skipSpace();
  const another = yield* opensPythonString(scan);
  if (another) scan.release();
  else scan.rewind(behind);
  return another;
}

function* oneLiteral(scan: Scanner, out: Out, sink: Sink, place: StringPlace): Step<boolean> {
  let prefix = "";
  yield* scan.run(NOT_PREFIX, (text) => prefix += text);
  const raw = /r/i.test(prefix);
  const { text: quotes } = (yield* scan.accept('"""', "'''", '"', "'"))!;
  const quote = quotes.charAt(0);
  const stop = quote === '"' ? DOUBLE : SINGLE;
  const named = new Set<string>(); // repairs
  const repaired = (what: string) => {
    if (!named.has(what)) out.problem("arguments-repaired", what);
    named.add(what);
  };
  for (;;) {
    yield* scan.run(stop, sink);
    const char = yield* scan.next();
    if (char === "") return false;
    if (char === "\\") {
      if (!(yield* escape(scan, sink, raw))) return false;
    } else if (char === "\n") {
      if (quotes.length === 1) repaired("line break in a string");
      sink(char);
    } else if (quotes.length === 3) {
      // The longest run of quotes ends with the three that close.
      if ((yield* scan.sees(quote + quote)) && !(yield* scan.sees(quotes))) {
        scan.skip(2);
        return true;
      }
      sink(char);
    } else if (yield* ends(scan, out, quote, place, named.has(INNER_QUOTE))) return true;
    else {
      repaired(INNER_QUOTE);
      sink(char);
    }
  }
}

/** Whether the quote that was just read may end its literal, by what follows. */
function* ends(scan: Scanner, out: Out, quote: string, place: StringPlace, doubtful: boolean): Step<boolean> {
  const behind = scan.mark();
  let space = "";
  yield* scan.run(NOT_SPACE, (text) => space += text);
  const next = yield* scan.next();
  let ends = next === "" || next === "," || next === "]" || next === "}" || next === ")";
  if (next === ":") ends = place === "key";
  else if (next === "#") ends = space.includes("\n");
  else if (next === "," && (place === "argument" || typeof place === "object")) {
    yield* scan.skipSpace();
    const after = yield* scan.peek();
    const keyword = yield* scan.accept(KEYWORD);
    ends = after === "" || after === ")" ||
      (keyword === undefined
        ? place === "argument" && (yield* startsValue(scan))
        : place === "argument" || place.declares(keyword.text.slice(0, -1).trim()));
  } else if (next === ")" && (place === "argument" || typeof place === "object")) {
    ends = (yield* scan.peek()) !== quote && (yield* callIsOver(scan, out, doubtful));
  } else if (space !== "" && /["'rRbBuUfF]/.test(next)) {
    ends = /["']/.test(next) || /["']/.test(yield* scan.peek());
  }
  scan.rewind(behind);
  return ends;
}

/**
 * Behind the bracket of a call comes what may stand there: another call, or the end of the list or of the block.
 * Anything else means that the bracket is part of a string with quotes in it: to end it there would cut a file short.
 */
function* callIsOver(scan: Scanner, out: Out, doubtful: boolean): Step<boolean> {
  yield* scan.skipSpace();
  const next = yield* scan.peek();
  if (next === "") return !doubtful; // after quotes that were data the turn may have been cut off in the string
  if ("])}<`".includes(next)) return true;
  const separated = (yield* scan.accept(",", ";")) !== undefined;
  yield* scan.skipSpace();
  const behind = yield* scan.peek();
  if (separated && (behind === "]" || (behind === "" && !doubtful))) return true;
  if (separated && (yield* scan.sees(...BLOCK_ENDS)) !== undefined) return true;
  const callee = yield* scan.accept(CALLEE);
  return callee !== undefined && out.knows(callee.text.slice(0, -1).replace(/\.call$/, ""));
}

/** A positional argument may begin here. */
function* startsValue(scan: Scanner): Step<boolean> {
  return /[\d[{(-]/.test(yield* scan.peek()) || (yield* opensPythonString(scan));
}

/** Reads what follows a backslash. False when the turn ended in it. */
function* escape(scan: Scanner, sink: Sink, raw: boolean): Step<boolean> {
  const char = yield* scan.next();
  if (char === "") return false;
  const plain = PLAIN[char];
  if (raw) sink("\\" + char);
  else if (plain !== undefined) sink(plain);
  else if (char in HEX_DIGITS) {
    let digits = "";
    while (digits.length < HEX_DIGITS[char]! && HEX.test(yield* scan.peek())) digits += yield* scan.next();
    const code = parseInt(digits, 16);
    if (digits.length < HEX_DIGITS[char]! || code > 0x10ffff) sink(`\\${char}${digits}`);
    else sink(String.fromCodePoint(code));
  } else if (OCTAL.test(char)) {
    let digits = char;
    while (digits.length < 3 && OCTAL.test(yield* scan.peek())) digits += yield* scan.next();
    sink(String.fromCharCode(parseInt(digits, 8)));
  } else sink("\\" + char);
  return true;
}

const PLAIN: Readonly<Record<string, string>> = {
  "\n": "",
  "\\": "\\",
  "'": "'",
  '"': '"',
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};
const HEX_DIGITS: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };
const HEX = /^[\da-fA-F]$/;
const OCTAL = /^[0-7]$/;
const DOUBLE = /["\\\n]/g;
const SINGLE = /['\\\n]/g;
const NOT_PREFIX = /[^rRbBuUfF]/g;
const NOT_SPACE = /[^ \t\r\n]/g;

/** What a Python identifier is made of, dots and dashes of tool names among it. */
export const IDENTIFIER = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";

const INNER_QUOTE = "inner quote";
const CALLEE = shape(chars(IDENTIFIER, 1, 128), "(");

/** The name of an argument, and its `=`. */
export const KEYWORD = shape(chars(IDENTIFIER, 1, 64), chars(" \t", 0, 4), "=");
