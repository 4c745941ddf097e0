/** Python's literals as JSON: numbers keep their digits, tuples and sets are arrays. */
import type { Out } from "../parse/dialect.ts";
import { strictScalar } from "../parse/json_word.ts";
import type { Scanner, Step } from "../parse/scanner.ts";
import { opensPythonString, pythonString, type StringPlace } from "./python_string.ts";

/** Reads one literal; undefined when there is none, or the turn ended in it. */
export function* pythonValue(scan: Scanner, out: Out, depth = 0): Step<string | undefined> {
  const first = yield* pythonGap(scan);
  if (first === "" || depth > DEEPEST) return undefined;
  if (yield* opensPythonString(scan)) return yield* text(scan, out, depth === 0 ? "argument" : "element");
  if (first === "[") return yield* sequence(scan, out, depth, "]");
  if (first === "(") return yield* sequence(scan, out, depth, ")");
  if (first === "{") return yield* mapping(scan, out, depth);
  return yield* word(scan);
}

/** Eats white space and comments, and says what comes next. */
export function* pythonGap(scan: Scanner): Step<string> {
  for (;;) {
    yield* scan.skipSpace();
    const char = yield* scan.peek();
    if (char !== "#") return char;
    yield* scan.run(LINE_END, () => {});
  }
}

function* text(scan: Scanner, out: Out, place: StringPlace): Step<string | undefined> {
  let text = "";
  const whole = yield* pythonString(scan, out, (part) => text += part, place);
  return whole ? JSON.stringify(text) : undefined;
}

function* sequence(scan: Scanner, out: Out, depth: number, closer: string): Step<string | undefined> {
  yield* scan.next();
  const items: string[] = [];
  for (let commas = 0;;) {
    const char = yield* pythonGap(scan);
    if (char === closer) {
      yield* scan.next();
      return closer === ")" && items.length === 1 && commas === 0 ? items[0] : `[${items.join(",")}]`;
    }
    if (char === "," && commas < items.length) {
      yield* scan.next();
      commas++;
      continue;
    }
    const item = commas < items.length ? undefined : yield* pythonValue(scan, out, depth + 1);
    if (item === undefined) return undefined;
    items.push(item);
  }
}

/** A dictionary, or a set. */
function* mapping(scan: Scanner, out: Out, depth: number): Step<string | undefined> {
  yield* scan.next();
  const members: string[] = [];
  for (let commas = 0, isSet = false;;) {
    const char = yield* pythonGap(scan);
    if (char === "}") {
      yield* scan.next();
      return isSet ? `[${members.join(",")}]` : `{${members.join(",")}}`;
    }
    if (char === "," && commas < members.length) {
      yield* scan.next();
      commas++;
      continue;
    }
    if (commas < members.length) return undefined;
    const key = (yield* opensPythonString(scan))
      ? yield* text(scan, out, "key")
      : yield* pythonValue(scan, out, depth + 1);
    if (key === undefined) return undefined;
    const pair = (yield* pythonGap(scan)) === ":";
    if (members.length > 0 && pair === isSet) return undefined;
    isSet = !pair;
    if (isSet) {
      members.push(key);
      continue;
    }
    yield* scan.next();
    const value = yield* pythonValue(scan, out, depth + 1);
    if (value === undefined) return undefined;
    members.push(`${key.startsWith('"') ? key : JSON.stringify(key)}:${value}`);
  }
}

/** A number, or True, False, None, also as JSON writes them. */
function* word(scan: Scanner): Step<string | undefined> {
  let word = "";
  yield* scan.run(WORD_END, (part) => {
    if (word.length <= LONGEST_WORD) word += part;
  });
  if ((yield* scan.peek()) === "" || word.length > LONGEST_WORD) return undefined; // more of it may have come
  if (/^-?0[xob][\da-f_]+$/i.test(word)) {
    const digits = word.replace(/^-|_/g, "");
    try {
      return (word.startsWith("-") ? "-" : "") + BigInt(digits).toString();
    } catch {
      return undefined;
    }
  }
  return strictScalar(/^[\d_.eE+-]+$/.test(word) ? word.replaceAll("_", "") : word);
}

const DEEPEST = 64;
const LONGEST_WORD = 4096;
const LINE_END = /[\r\n]/g;
const WORD_END = /[^\w.+-]/g;
