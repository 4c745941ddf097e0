/** Lenient JSON in, strict JSON out, streaming; JSON that is cut off is never closed. */
import { type JsonEnd, type JsonOptions, type JsonRepair, opensString, readString } from "./json_string.ts";
import { opensWord, readWord } from "./json_word.ts";
import { MarkerSet } from "./marker.ts";
import { Scanner, type Sink, type Step } from "./scanner.ts";

export type { JsonEnd, JsonOptions, JsonRepair } from "./json_string.ts";

/** What follows the value of an object's member; for `JsonOptions.after`. */
export const AFTER_MEMBER = ",}";
/** What follows an element of an array; for `JsonOptions.after`. */
export const AFTER_ELEMENT = ",]";

/** Streams one JSON value, and eats the white space before it. */
export function* jsonValue(scan: Scanner, sink: Sink, options: JsonOptions = {}): Step<JsonEnd> {
  const reading = begin(scan, sink, options);
  const end = yield* readValue(reading, options.after, 0);
  return reading.over() ? "broken" : end;
}

/** Streams the inside of one string as JSON text without its quotes, and eats the white space before it. */
export function* jsonString(scan: Scanner, sink: Sink, options: JsonOptions = {}): Step<JsonEnd> {
  const reading = begin(scan, sink, options);
  yield* gap(reading);
  const end = yield* readString(scan, reading.sink, reading.options);
  return reading.over() ? "broken" : end;
}

/** Reads one string and decodes it; undefined when there is none, it is cut off, or longer than the limit. */
export function* jsonText(scan: Scanner, options: JsonOptions = {}): Step<string | undefined> {
  let json = "";
  const collect: Sink = (text) => json += text;
  const end = yield* jsonValue(scan, collect, { limit: LONGEST_NAME, ...options, text: collect });
  return end === "complete" && json.startsWith('"') ? JSON.parse(json) as string : undefined;
}

/**
 * Walks the members of one object. `member` is called with each key and has to read the value, as
 * `jsonValue(scan, sink, { after: AFTER_MEMBER })` does.
 */
export function* jsonMembers(
  scan: Scanner,
  member: (key: string) => Step<JsonEnd>,
  options: JsonOptions = {},
): Step<JsonEnd> {
  const reading = begin(scan, ignore, options);
  const first = yield* gap(reading);
  if (first !== "{") return first === "" ? "cut" : "broken";
  yield* scan.next();
  return yield* readMembers(reading, (key) => member(JSON.parse(`"${key}"`) as string));
}

/** Eats white space and comments, and says what comes next; `""` at the end of the turn. */
export function* jsonGap(scan: Scanner, options: JsonOptions = {}): Step<string> {
  return yield* gap(begin(scan, ignore, options));
}

/** The whole of `text` as strict JSON; undefined unless it is one value and nothing else. */
export function parseLenient(text: string, options: JsonOptions = {}): string | undefined {
  const scan = new Scanner();
  scan.push(text);
  scan.end();
  let json = "";
  const collect: Sink = (piece) => json += piece;
  const reading = begin(scan, collect, { ...options, text: collect });
  const { value: end } = readValue(reading, undefined, 0).next(); // all is there: it never pauses
  if (end !== "complete" || reading.over()) return undefined;
  gap(reading).next();
  return scan.ended ? json : undefined;
}

/** One reading of one value. */
interface Reading {
  readonly scan: Scanner;
  readonly sink: Sink;
  readonly text: Sink; // takes the insides of strings
  readonly options: JsonOptions;
  readonly note: (kind: JsonRepair) => void;
  /** More came out than the limit allows. */
  readonly over: () => boolean;
}

function begin(scan: Scanner, sink: Sink, options: JsonOptions): Reading {
  const { limit = Infinity, onRepair, text = sink } = options;
  const noted = new Set<JsonRepair>();
  const note = (kind: JsonRepair) => {
    if (noted.has(kind)) return;
    noted.add(kind);
    onRepair?.(kind);
  };
  let size = 0; // how much came out
  const counted = (to: Sink): Sink => (piece) => {
    size += piece.length;
    if (size <= limit) to(piece);
  };
  return {
    scan,
    sink: counted(sink),
    text: counted(text),
    options: { ...options, onRepair: note },
    note,
    over: () => size > limit,
  };
}

/** Eats white space and comments, and says what comes next. */
function* gap({ scan, note }: Reading): Step<string> {
  for (;;) {
    yield* scan.skipSpace();
    const char = yield* scan.peek();
    if (char === "/") {
      const hit = yield* scan.accept("//", "/*");
      if (hit === undefined) return char;
      note("comment");
      if (hit.marker === "//") yield* scan.run(LINE_END, ignore);
      else yield* scan.until(COMMENT_END, ignore);
    } else if (char === "\\") {
      // White space as well was escaped once too often, where quotes were.
      if (!(yield* scan.accept("\\n", "\\r", "\\t"))) return char;
      note("escaped-quotes");
    } else return char;
  }
}

function* readValue(reading: Reading, after: string | undefined, depth: number): Step<JsonEnd> {
  const { scan, sink, note, options } = reading;
  const char = yield* gap(reading);
  if (char === "") return "cut";
  if (depth > DEEPEST || reading.over()) return "broken";
  if (opensString(char)) {
    sink('"');
    const end = yield* readString(scan, reading.text, { ...options, after });
    if (end === "complete") sink('"');
    return end;
  }
  if (char === "{") {
    yield* scan.next();
    let separator = "{";
    const end = yield* readMembers(reading, function* (key) {
      sink(`${separator}"${key}":`);
      separator = ",";
      return yield* readValue(reading, AFTER_MEMBER, depth + 1);
    });
    if (end === "complete") sink(separator === "{" ? "{}" : "}");
    return end;
  }
  if (char === "[" || char === "(") {
    yield* scan.next();
    if (char === "(") note("tuple");
    let separator = "[";
    const end = yield* readElements(reading, char === "[" ? "]" : ")", function* () {
      sink(separator);
      separator = ",";
      return yield* readValue(reading, char === "[" ? AFTER_ELEMENT : ",)", depth + 1);
    });
    if (end === "complete") sink(separator === "[" ? "[]" : "]");
    return end;
  }
  return opensWord(char) ? yield* readWord(scan, sink, note, after) : "broken";
}

/** The members of an object up to its end; `member` gets each key as JSON text without its quotes. */
function* readMembers(reading: Reading, member: (key: string) => Step<JsonEnd>): Step<JsonEnd> {
  return yield* readElements(reading, "}", function* () {
    const key = yield* readKey(reading);
    if (key === undefined) return (yield* reading.scan.peek()) === "" ? "cut" : "broken";
    const char = yield* gap(reading);
    if (char !== ":") return char === "" ? "cut" : "broken";
    yield* reading.scan.next();
    return yield* member(key);
  });
}

function* readElements(reading: Reading, closer: string, element: () => Step<JsonEnd>): Step<JsonEnd> {
  const { scan, note } = reading;
  for (let first = true;; first = false) {
    let commas = 0;
    let char = yield* gap(reading);
    for (; char === ","; char = yield* gap(reading)) {
      yield* scan.next();
      commas++;
    }
    if (char === "") return "cut";
    if (commas !== (first || char === closer ? 0 : 1)) note("comma");
    if (char === closer) {
      yield* scan.next();
      return "complete";
    }
    const end = yield* element();
    if (end !== "complete") return end;
    if (reading.over()) return "broken";
  }
}

/** One key as JSON text without its quotes; undefined when there is none. */
function* readKey({ scan, options, note }: Reading): Step<string | undefined> {
  let key = "";
  const collect: Sink = (text) => {
    if (key.length <= LONGEST_NAME) key += text;
  };
  if (opensString(yield* scan.peek())) {
    const end = yield* readString(scan, collect, { ...options, after: undefined });
    return end === "complete" && key.length <= LONGEST_NAME ? key : undefined;
  }
  yield* scan.run(KEY_END, collect);
  if (key === "" || key.length > LONGEST_NAME) return undefined;
  note("key");
  yield* scan.accept('"'); // the one at the start was lost
  return JSON.stringify(key).slice(1, -1);
}

/** Deeper than this is no JSON that a model wrote. */
const DEEPEST = 256;
/** Longer than this is no key and no name. */
const LONGEST_NAME = 65_536;
const LINE_END = /[\r\n]/g;
const KEY_END = /[\s:,{}[\]()<>"'`\\]/g;
const COMMENT_END = new MarkerSet(["*/"]);
const ignore: Sink = () => {};
