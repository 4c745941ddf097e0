/** Where the value of an element ends, when the value may hold the same markup as data. */
import { type Hit, type Marker, MarkerSet, shape, space } from "../parse/marker.ts";
import type { Scanner, Sink, Step } from "../parse/scanner.ts";
import type { ElementGrammar, Tags } from "./elements.ts";

/** How a value ended: with its closer, the call's or the block's, with the next parameter's tag, or not at all. */
export type ValueEnd = "closed" | "call-end" | "block-end" | "cut" | Hit;

/**
 * Streams one value into `sink`. An agent that edits a parser writes markup into its values, up to whole calls.
 * So a closer counts only if what must follow it does, and if no element that the value itself opened still
 * waits for it; the next parameter's tag ends a value without a closer only if `isNext` knows its name.
 */
export function* elementValue(
  scan: Scanner,
  grammar: ElementGrammar,
  tags: Tags,
  sink: Sink,
  isNext: (name: string) => boolean,
): Step<ValueEnd> {
  const wrapper = yield* scan.accept(CDATA_START, VALUE_START);
  if (wrapper?.marker === CDATA_START) return yield* cdata(scan, tags, sink);
  if (wrapper === undefined) return yield* plainValue(scan, grammar, tags, sink, isNext);
  let text = wrapper.text;
  const end = yield* plainValue(scan, grammar, tags, (part) => text += part, isNext);
  // One `<value>` element round all of it was put there by the model, not by the user.
  sink(/^\s*<value>((?:(?!<value>)[^])*)<\/value>\s*$/.exec(text)?.[1] ?? text);
  return end;
}

function* plainValue(
  scan: Scanner,
  grammar: ElementGrammar,
  tags: Tags,
  sink: Sink,
  isNext: (name: string) => boolean,
): Step<ValueEnd> {
  const { inside, follow, callEnds } = setsOf(grammar, tags);
  const open: ("parameter" | "call")[] = []; // elements the value opened
  let blocks = 0; // wrappers the value opened
  for (;;) {
    const hit = yield* scan.until(inside, sink);
    if (hit === undefined) return "cut";
    const { marker } = hit;
    if (tags.parameterEnd.includes(marker)) {
      if (open.at(-1) !== "parameter") {
        if (yield* comes(scan, follow)) return "closed";
      } else if (!open.includes("call") && (yield* endsAnyway(scan, grammar, tags, callEnds, isNext))) {
        return "closed";
      } else open.pop();
    } else if (tags.callEnd.includes(marker)) {
      if (open.includes("call")) open.length = open.lastIndexOf("call");
      else if (yield* comes(scan, [...grammar.blockEnd, ...grammar.between ?? [], ...tags.call])) {
        return "call-end";
      }
    } else if (grammar.blockEnd.includes(marker)) {
      if (blocks > 0) blocks--;
      else if (open.length === 0 && (yield* comes(scan, grammar.blockStart))) return "block-end";
    } else if (grammar.blockStart.includes(marker)) blocks++;
    else {
      const name = yield* nameAhead(scan);
      if (name !== undefined && tags.call.includes(marker)) open.push("call");
      else if (name !== undefined && !open.includes("call") && isNext(name)) return hit;
      else if (name !== undefined) open.push("parameter");
    }
    sink(hit.text);
  }
}

/** A value that is one CDATA section. */
function* cdata(scan: Scanner, tags: Tags, sink: Sink): Step<ValueEnd> {
  for (;;) {
    if ((yield* scan.until(CDATA_END, sink)) === undefined) return "cut";
    const behind = scan.mark();
    yield* scan.skipSpace();
    if (yield* scan.accept(...tags.parameterEnd)) {
      scan.release();
      return "closed";
    }
    scan.rewind(behind);
    sink("]]>");
  }
}

/**
 * A value that opened a parameter without closing it is over all the same where the next parameter begins, or
 * where all closers up to the end of the turn, or up to the next block, come.
 */
function* endsAnyway(
  scan: Scanner,
  grammar: ElementGrammar,
  tags: Tags,
  callEnds: readonly Marker[],
  isNext: (name: string) => boolean,
): Step<boolean> {
  const behind = scan.mark();
  yield* scan.skipSpace();
  let ends: boolean;
  if (yield* scan.accept(...tags.parameter)) {
    const name = yield* nameAhead(scan);
    ends = name !== undefined && isNext(name);
  } else {
    ends = (yield* scan.accept(...callEnds)) !== undefined;
    yield* scan.skipSpace();
    yield* scan.accept(...grammar.blockEnd);
    ends &&= yield* comes(scan, grammar.blockStart);
  }
  scan.rewind(behind);
  return ends;
}

/** Behind white space, one of `markers` comes next, or the turn ends. */
export function* comes(scan: Scanner, markers: readonly Marker[]): Step<boolean> {
  const behind = scan.mark();
  yield* scan.skipSpace();
  const found = (yield* scan.accept(...markers)) !== undefined || (yield* scan.peek()) === "";
  scan.rewind(behind);
  return found;
}

/** The name in the tag whose opening marker has just been eaten; undefined when this is no tag. */
function* nameAhead(scan: Scanner): Step<string | undefined> {
  const behind = scan.mark();
  const tag = yield* scan.take(TAG_END, 160);
  scan.rewind(behind);
  return tag === undefined
    ? undefined
    : /^\s*(?:id\s*=\s*"[^"]*"\s+)?(?:name\s*=\s*)?["']?([\w.:-]+)["']?(?:\s|\/?$)/.exec(tag.text)?.[1];
}

const TAG_END = new MarkerSet([">"]);
const CDATA_START = shape(space, "<![CDATA[");
const VALUE_START = shape(space, "<value>");
const CDATA_END = new MarkerSet(["]]>"]);

interface Sets {
  /** What matters in a value. */
  readonly inside: MarkerSet;
  /** What may follow a parameter. */
  readonly follow: readonly Marker[];
  readonly callEnds: readonly Marker[];
}

const setsByTags = new WeakMap<ElementGrammar, Map<Tags, Sets>>();

function setsOf(grammar: ElementGrammar, tags: Tags): Sets {
  let byTags = setsByTags.get(grammar);
  if (byTags === undefined) setsByTags.set(grammar, byTags = new Map());
  let sets = byTags.get(tags);
  if (sets === undefined) {
    const all = (of: (tags: Tags) => readonly Marker[]) => grammar.tags.flatMap(of);
    sets = {
      inside: new MarkerSet([
        ...tags.parameterEnd,
        ...tags.parameter,
        ...tags.call,
        ...tags.callEnd,
        ...grammar.blockEnd,
        ...grammar.blockStart,
      ]),
      follow: [
        ...all((each) => each.parameter),
        ...all((each) => each.callEnd),
        ...all((each) => each.call),
        ...grammar.blockEnd,
      ],
      callEnds: all((each) => each.callEnd),
    };
    byTags.set(tags, sets);
  }
  return sets;
}
