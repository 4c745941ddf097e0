/** The literals of Gemma's calls: JSON without quotes round the keys, and with tokens round the strings. */
import type { Call, Out } from "../parse/dialect.ts";
import { AFTER_ELEMENT, AFTER_MEMBER, jsonValue } from "../parse/json.ts";
import { strictScalar } from "../parse/json_word.ts";
import { chars, either, type Marker, MarkerSet, shape, space } from "../parse/marker.ts";
import type { Scanner, Step } from "../parse/scanner.ts";
import { IDENTIFIER } from "./python_string.ts";

/** The tokens of one member of the family. */
export interface LiteralTokens {
  /** Stands on both sides of a string, in which nothing is escaped. */
  readonly quote: string;
  /** What closes a call. */
  readonly callEnd: string;
  /** What else may stand behind a call. */
  readonly behind: readonly Marker[];
}

/** How the arguments ended: with their brace; without it, where the call did; or not. */
export type LiteralEnd = "closed" | "call-end" | "none";

/** Reads the arguments; their opening brace is eaten. */
export function* literalArguments(
  scan: Scanner,
  out: Out,
  call: Call,
  tokens: LiteralTokens,
): Step<LiteralEnd> {
  for (;;) {
    yield* scan.skipSpace();
    if (yield* scan.accept("}")) return "closed";
    if (yield* scan.sees(tokens.callEnd)) return "call-end";
    if (yield* scan.accept(",")) continue;
    const key = yield* literalKey(scan, tokens);
    if (key === undefined) return "none";
    const end = yield* member(scan, out, call, key, tokens);
    if (end !== undefined) return end;
  }
}

/** A key, with its colon: bare, or in any quotes. */
function* literalKey(scan: Scanner, { quote }: LiteralTokens): Step<string | undefined> {
  const opening = yield* scan.accept(quote, '"', "'");
  let key: string | undefined = "";
  if (opening !== undefined) key = (yield* scan.take(new MarkerSet([opening.text]), 256))?.text;
  else yield* scan.run(KEY_END, (text) => key += text);
  yield* scan.skipSpace();
  return key && (yield* scan.accept(":")) ? key : undefined;
}

/** Reads one value. Undefined when more may follow. */
function* member(
  scan: Scanner,
  out: Out,
  call: Call,
  key: string,
  tokens: LiteralTokens,
): Step<LiteralEnd | undefined> {
  yield* scan.skipSpace();
  if (yield* scan.accept(tokens.quote)) {
    const end = yield* literalString(scan, call.parameter(key, "string"), tokens);
    if (end === "call-end") out.problem("closer-missing", tokens.quote);
    return end === "closed" ? undefined : end;
  }
  const first = yield* scan.peek();
  if (first === "") return "none";
  if ("\"'[{".includes(first)) {
    const json = yield* literalJson(scan, tokens, AFTER_MEMBER, 0);
    return json !== undefined && give(call, key, json) ? undefined : "none";
  }
  const word = yield* bareWord(scan, tokens);
  if (word === undefined) return "none";
  const scalar = strictScalar(word);
  if (scalar !== undefined) return give(call, key, scalar) ? undefined : "none";
  out.problem("arguments-repaired", "a string without quotes");
  call.parameter(key)(word);
  return undefined;
}

const give = (call: Call, name: string, json: string): boolean =>
  call.jsonText(`{${JSON.stringify(name)}:${json}}`);

/** Streams a string; its opening token is eaten. Nothing but the token ends it, or the end of the call. */
function* literalString(
  scan: Scanner,
  sink: (text: string) => void,
  { quote, callEnd, behind }: LiteralTokens,
): Step<LiteralEnd> {
  const inside = setOf(quote, callEnd);
  for (;;) {
    const hit = yield* scan.until(inside, sink);
    if (hit === undefined) return "none";
    if (hit.text === quote) return "closed";
    // `}` and the end of the call in a string may be data: then its token is still to come.
    const start = scan.mark();
    yield* scan.skipSpace();
    const over = (yield* scan.peek()) === "" || (yield* scan.sees(...behind)) !== undefined;
    scan.rewind(start);
    if (over) return "call-end";
    sink(hit.text);
  }
}

/** A value that goes out whole, as JSON. */
function* literalJson(
  scan: Scanner,
  tokens: LiteralTokens,
  after: string,
  depth: number,
): Step<string | undefined> {
  yield* scan.skipSpace();
  if (depth > DEEPEST) return undefined;
  if (yield* scan.accept(tokens.quote)) {
    let text = "";
    const end = yield* literalString(scan, (part) => text += part, tokens);
    return end === "closed" ? JSON.stringify(text) : undefined;
  }
  const first = yield* scan.peek();
  if (first === "{" || first === "[") {
    yield* scan.next();
    const parts: string[] = [];
    for (const closer = first === "{" ? "}" : "]";;) {
      yield* scan.skipSpace();
      if (yield* scan.accept(closer)) return first + parts.join(",") + closer;
      if (yield* scan.accept(",")) continue;
      const key = first === "{" ? yield* literalKey(scan, tokens) : "";
      if (key === undefined) return undefined;
      const value = yield* literalJson(scan, tokens, first === "{" ? AFTER_MEMBER : AFTER_ELEMENT, depth + 1);
      if (value === undefined) return undefined;
      parts.push(first === "{" ? `${JSON.stringify(key)}:${value}` : value);
    }
  }
  let json = "";
  const end = yield* jsonValue(scan, (text) => json += text, { after });
  return end === "complete" ? json : undefined;
}

/** A value without quotes, up to the next key or the end of the arguments; it may hold braces in pairs. */
function* bareWord(scan: Scanner, tokens: LiteralTokens): Step<string | undefined> {
  for (let word = "", depth = 0;;) {
    yield* scan.run(WORD_END, (text) => word += text);
    if (word.length > LONGEST_WORD) return undefined;
    const char = yield* scan.peek();
    if (char === "") return undefined;
    // Where a brace of the value is open, the last one was not the value's.
    if (yield* scan.sees(tokens.callEnd)) return (depth > 0 ? word.replace(/\}\s*$/, "") : word).trim();
    if (char === "{") depth++;
    else if (char === "}" && depth-- === 0) return word.trim();
    else if (depth === 0 && char !== "}") {
      if (strictScalar(word.trim()) !== undefined || (yield* scan.sees(NEXT_KEY))) return word.trim();
      if (yield* scan.sees(shape(",", space, tokens.quote))) return word.trim();
    }
    word += yield* scan.next();
  }
}

const sets = new Map<string, MarkerSet<string>>();

function setOf(quote: string, callEnd: string): MarkerSet<string> {
  let set = sets.get(quote);
  if (set === undefined) sets.set(quote, set = new MarkerSet([quote, `}${callEnd}`, callEnd]));
  return set;
}

const NEXT_KEY = shape(",", space, chars(IDENTIFIER, 1, 64), either(":"));
const KEY_END = /[^\w.$-]/g;
const WORD_END = /[,{}<]/g;
const LONGEST_WORD = 65_536;
const DEEPEST = 64;
