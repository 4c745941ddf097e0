/** Where the value of a key ends, when the value may hold the same markup as data. */
import { type Marker, MarkerSet } from "../parse/marker.ts";
import type { Scanner, Sink, Step } from "../parse/scanner.ts";
import type { KeyValueGrammar } from "./key_values.ts";

/** How a value ended: with its closer, the call's, with the next key's opener (eaten), or not at all. */
export type TextEnd = "closed" | "call-end" | "next-key" | "cut";

/**
 * Streams one value into `sink`. As in `element_value.ts`, a closer counts only if what must follow it does, and
 * if no value that the text itself opened still waits for it; the next key ends a value without a closer only if
 * `isNext` knows it.
 */
export function* keyValueText(
  scan: Scanner,
  grammar: KeyValueGrammar,
  sink: Sink,
  isNext: (key: string) => boolean,
): Step<TextEnd> {
  const { inside, keyEnds } = setsOf(grammar);
  const { keyStart, valueStart, valueEnd, callStart, callEnd, blockEnd } = grammar;
  let values = 0; // values that the text opened
  let calls = 0; // calls that the text opened
  for (;;) {
    const hit = yield* scan.until(inside, sink);
    if (hit === undefined) return "cut";
    const { marker } = hit;
    if (valueEnd.includes(marker)) {
      if (values === 0) {
        if (yield* comes(scan, [...keyStart, ...callEnd, ...callStart, ...blockEnd])) return "closed";
      } else if (calls === 0 && (yield* endsAnyway(scan, grammar, keyEnds, isNext))) return "closed";
      else values--;
    } else if (callEnd.includes(marker)) {
      if (calls > 0) {
        calls--;
        values = 0;
      } else if (values === 0 && (yield* comes(scan, [...callStart, ...blockEnd]))) return "call-end";
    } else if (valueStart.includes(marker)) values++;
    else if (callStart.includes(marker)) {
      if (yield* namedCall(scan, grammar)) calls++;
    } else if (values === 0 && calls === 0) {
      const key = yield* keyAhead(scan, keyEnds);
      if (key !== undefined && isNext(key)) return "next-key";
    }
    sink(hit.text);
  }
}

/** A text that opened a value without closing it is over all the same where the next key, or all that ends, comes. */
function* endsAnyway(
  scan: Scanner,
  grammar: KeyValueGrammar,
  keyEnds: MarkerSet,
  isNext: (key: string) => boolean,
): Step<boolean> {
  const behind = scan.mark();
  yield* gap(scan);
  let ends = false;
  if (yield* scan.accept(...grammar.keyStart)) {
    const key = yield* keyAhead(scan, keyEnds);
    ends = key !== undefined && isNext(key);
  } else if (yield* scan.accept(...grammar.callEnd)) {
    ends = yield* comes(scan, [...grammar.callStart, ...grammar.blockEnd]);
  }
  scan.rewind(behind);
  return ends;
}

/** Behind white space, one of `markers` comes next, or the turn ends. */
function* comes(scan: Scanner, markers: readonly Marker[]): Step<boolean> {
  const behind = scan.mark();
  yield* gap(scan);
  const found = (yield* scan.accept(...markers)) !== undefined || (yield* scan.peek()) === "";
  scan.rewind(behind);
  return found;
}

function* keyAhead(scan: Scanner, ends: MarkerSet): Step<string | undefined> {
  const behind = scan.mark();
  const key = yield* scan.take(ends, 160);
  scan.rewind(behind);
  return key?.text.trim();
}

/** A name with a whole key or the closer behind it, or JSON: then the opener before it is no word of prose. */
function* namedCall(
  scan: Scanner,
  { keyStart, keyEnd, valueStart, callEnd }: KeyValueGrammar,
): Step<boolean> {
  const behind = scan.mark();
  yield* scan.skipSpace();
  let found = (yield* scan.peek()) === "{";
  const name = found ? undefined : yield* scan.take(new MarkerSet([...keyStart, ...callEnd]), 160);
  if (name !== undefined && /^\s*[\w.:/-]+\s*(?:<\w+>\s*)?$/.test(name.text)) {
    found = callEnd.includes(name.hit.marker);
    const key = found
      ? undefined
      : yield* scan.take(new MarkerSet(keyEnd.length > 0 ? keyEnd : valueStart), 160);
    found ||= key !== undefined && /^\s*[\w.:/-]+\s*$/.test(key.text);
  }
  scan.rewind(behind);
  return found;
}

/** Eats white space, and the two characters `\n` that some servers put for a line break. */
export function* gap(scan: Scanner): Step<void> {
  do yield* scan.skipSpace(); while (yield* scan.accept("\\n", "\\r\\n"));
}

interface Sets {
  /** What matters in a value. */
  readonly inside: MarkerSet;
  readonly keyEnds: MarkerSet;
}

const setsByGrammar = new WeakMap<KeyValueGrammar, Sets>();

function setsOf(grammar: KeyValueGrammar): Sets {
  let sets = setsByGrammar.get(grammar);
  if (sets === undefined) {
    const { keyStart, keyEnd, valueStart, valueEnd, callStart, callEnd } = grammar;
    sets = {
      inside: new MarkerSet([...keyStart, ...valueStart, ...valueEnd, ...callStart, ...callEnd]),
      keyEnds: new MarkerSet([...keyEnd, ...valueStart]),
    };
    setsByGrammar.set(grammar, sets);
  }
  return sets;
}
