/** The grammar of calls written as a name and pairs of key and value (family D), with all that models make of it. */
import type { Call, Out, ParameterKind } from "../parse/dialect.ts";
import { type Hit, type Marker, MarkerSet } from "../parse/marker.ts";
import type { Scanner, Sink, Step } from "../parse/scanner.ts";
import { assigned } from "./assignments.ts";
import { jsonCalls } from "./json_calls.ts";
import { gap, keyValueText } from "./key_value_text.ts";

/** A grammar of this family. */
export interface KeyValueGrammar {
  /** What may stand round all calls. */
  readonly blockStart: readonly Marker[];
  readonly blockEnd: readonly Marker[];
  readonly callStart: readonly Marker[];
  readonly callEnd: readonly Marker[];
  /** What may stand between the name and the first key. */
  readonly nameEnd: readonly Marker[];
  readonly keyStart: readonly Marker[];
  readonly keyEnd: readonly Marker[];
  readonly typeStart: readonly Marker[];
  readonly typeEnd: readonly Marker[];
  readonly valueStart: readonly Marker[];
  readonly valueEnd: readonly Marker[];
  /** Of two values for one key the first one counts. */
  readonly firstWins?: boolean;
}

/** How a call ended: with its closer, with the block's, with the next call's opener (eaten), or not at all. */
type CallEnd = "ended" | "block-ended" | "next-call" | "none";

/** Reads calls; `inCall` says that the opener of a call is eaten, else it was the block's. True when all closed. */
export function* keyValueCalls(
  scan: Scanner,
  out: Out,
  grammar: KeyValueGrammar,
  inCall: boolean,
): Step<boolean> {
  for (let calls = 0, open = inCall;; calls++) {
    if (!open) {
      yield* gap(scan);
      const hit = yield* scan.accept(...grammar.callStart, ...grammar.blockEnd);
      if (hit === undefined) return false;
      if (grammar.blockEnd.includes(hit.marker)) return calls > 0;
    }
    const end: CallEnd = yield* keyValueCall(scan, out, grammar);
    if (end === "none") return false;
    if (end === "block-ended" || (end === "ended" && inCall)) return true;
    open = end === "next-call";
  }
}

/** Reads one call whose opener is eaten. */
function* keyValueCall(scan: Scanner, out: Out, grammar: KeyValueGrammar): Step<CallEnd> {
  do yield* gap(scan); while (yield* scan.accept(...grammar.callStart)); // the opener twice
  const first = yield* scan.peek();
  if (first === "{" || first === "[") {
    if (!(yield* jsonCalls(scan, out))) return "none";
    return yield* closer(scan, grammar, () => true);
  }
  const name = yield* readName(scan, out);
  if (name === undefined) return "none";
  const known = out.knows(name);
  yield* gap(scan);
  const named = (yield* scan.accept(...grammar.nameEnd)) !== undefined;
  yield* gap(scan);
  const hit = yield* scan.accept(...grammar.keyStart, ...grammar.callEnd, ...grammar.callStart);
  // A tool that was not offered is one only if markup says that this is a name.
  const keyed = hit !== undefined && grammar.keyStart.includes(hit.marker);
  const call = known || named || keyed ? out.call(name) : undefined;
  if (call === undefined) return "none";
  if (keyed) return yield* pairs(scan, out, grammar, call);
  if (hit !== undefined) return endAt(grammar, call, hit);
  return yield* otherArguments(scan, out, grammar, call);
}

/** A name, and whatever a model puts before it with a `/`. Undefined, with something eaten, when there is none. */
function* readName(scan: Scanner, out: Out): Step<string | undefined> {
  const start = scan.mark();
  const word = yield* scan.take(NAME_END, 160);
  scan.rewind(start);
  if (word === undefined) return undefined;
  if (!out.knows(word.text)) {
    // `Weather service/get_weather>{…}`
    const shown = scan.mark();
    const whole = yield* scan.take(SHOWN_END, 160);
    scan.rewind(shown);
    const name = whole?.hit.text === ">" ? whole.text.slice(whole.text.lastIndexOf("/") + 1) : "";
    if (out.knows(name)) {
      scan.skip(whole!.text.length);
      return name;
    }
  }
  scan.skip(word.text.length);
  return /^[\w.:/-]+$/.test(word.text) ? word.text : undefined;
}

/** Reads pairs; the opener of the first key is eaten. */
function* pairs(scan: Scanner, out: Out, grammar: KeyValueGrammar, call: Call): Step<CallEnd> {
  for (const given = new Set<string>();;) {
    const end = yield* pair(scan, out, grammar, call, given);
    if (end === "cut") return "none";
    if (end === "next-key") continue;
    if (end === "call-end") return call.end(true) ? "ended" : "none";
    for (;;) {
      yield* gap(scan);
      const hit = yield* scan.accept(
        ...grammar.keyStart,
        ...grammar.callEnd,
        ...grammar.blockEnd,
        ...grammar.callStart,
        ...grammar.keyEnd,
        ...grammar.valueEnd,
      );
      if (hit === undefined) return "none";
      if (grammar.keyStart.includes(hit.marker)) break;
      if (!grammar.keyEnd.includes(hit.marker) && !grammar.valueEnd.includes(hit.marker)) {
        return endAt(grammar, call, hit);
      }
      out.problem("closer-missing", `stray ${hit.text}`);
    }
  }
}

/** Reads one pair; the key's opener is eaten. */
function* pair(
  scan: Scanner,
  out: Out,
  grammar: KeyValueGrammar,
  call: Call,
  given: Set<string>,
): Step<"closed" | "call-end" | "next-key" | "cut"> {
  const { keyEnd, typeStart, typeEnd, valueStart, valueEnd } = grammar;
  const key = yield* scan.take(new MarkerSet([...keyEnd, ...valueStart, ...valueEnd, "="]));
  const name = key?.text.trim() ?? "";
  if (key === undefined || name === "" || (key.hit.text === "=" && /[\s<>]/.test(name))) return "cut";
  let kind: ParameterKind;
  let whole = keyEnd.length === 0; // both tags between key and value are there
  if (keyEnd.includes(key.hit.marker) || valueEnd.includes(key.hit.marker)) {
    yield* gap(scan);
    if (yield* scan.accept(...typeStart)) {
      const type = yield* scan.take(new MarkerSet(typeEnd), 64);
      if (type === undefined) return "cut";
      kind = type.text.trim() === "string" ? "string" : "json";
      yield* gap(scan);
    }
    whole = (yield* scan.accept(...valueStart)) !== undefined && keyEnd.includes(key.hit.marker);
  }
  if (!whole) out.problem("closer-missing", `between ${name} and its value`);
  const repeated = given.has(name);
  given.add(name);
  if (repeated && grammar.firstWins) out.problem("parameter-repeated", name);
  const sink: Sink = repeated && grammar.firstWins ? ignore : call.parameter(name, kind);
  const end = yield* keyValueText(
    scan,
    grammar,
    sink,
    (next) => call.parameters.includes(next) && !given.has(next),
  );
  if (end === "next-key" || end === "call-end") out.problem("closer-missing", `value of ${name}`);
  return end;
}

/** Arguments behind the name that are no pairs: `{…}`, `>{…}`, `({…})`, `(k=v, …)`, `k=v …`, or one array. */
function* otherArguments(scan: Scanner, out: Out, grammar: KeyValueGrammar, call: Call): Step<CallEnd> {
  if (yield* scan.accept(">")) yield* gap(scan);
  const bracket = (yield* scan.accept("(")) !== undefined;
  if (bracket) yield* gap(scan);
  const first = yield* scan.peek();
  if (first === "{" || first === "[") {
    out.problem("arguments-repaired", `JSON for key and value`);
    if (!(yield* call.json(scan))) return "none";
    yield* gap(scan);
    if (bracket && !(yield* scan.accept(")"))) return "none";
    return yield* closer(scan, grammar, (missing) => call.end(missing));
  }
  const behind = scan.mark();
  const head = yield* scan.take(ASSIGNED, 160);
  scan.rewind(behind);
  const empty = bracket && head?.hit.text === ")";
  if (!empty && (head?.hit.text !== "=" || !/^[\s,]*[A-Za-z_][\w.-]*\s*$/.test(head.text))) return "none";
  const text = yield* scan.take(
    new MarkerSet([...grammar.callEnd, ...grammar.callStart]),
    LONGEST_ASSIGNMENTS,
  );
  const values = text && assigned(text.text, bracket, call.parameters);
  if (values === undefined) return "none";
  out.problem("arguments-repaired", "assignments for key and value");
  for (const [name, value] of values) call.parameter(name)(value);
  return endAt(grammar, call, text!.hit);
}

/** Ends a call at the marker that was eaten behind it. */
function endAt(grammar: KeyValueGrammar, call: Call, { marker }: Hit): CallEnd {
  if (grammar.callEnd.includes(marker)) return call.end() ? "ended" : "none";
  if (!call.end(true)) return "none";
  return grammar.blockEnd.includes(marker) ? "block-ended" : "next-call";
}

/** What follows calls in JSON, which close by themselves; `end` is told whether the closer is missing. */
function* closer(
  scan: Scanner,
  { callEnd, blockEnd, callStart }: KeyValueGrammar,
  end: (missing: boolean) => boolean,
): Step<CallEnd> {
  yield* gap(scan);
  const hit = yield* scan.accept(...callEnd, ...blockEnd, ...callStart);
  const ends = hit !== undefined && callEnd.includes(hit.marker);
  if (!end(!ends) || hit === undefined) return "none";
  return ends ? "ended" : blockEnd.includes(hit.marker) ? "block-ended" : "next-call";
}

const NAME_END = new MarkerSet(["<", ">", "{", "(", "[", "=", "\\", " ", "\t", "\r", "\n"]);
const SHOWN_END = new MarkerSet(["<", ">", "{", "(", "[", "\n"]);
const ASSIGNED = new MarkerSet(["=", ")", "<"]);
const LONGEST_ASSIGNMENTS = 1 << 16;
const ignore: Sink = () => {};
