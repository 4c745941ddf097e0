/** The grammar of calls written as elements: a call element that holds parameter elements (families B and C). */
import type { Call, Out, ParameterKind } from "../parse/dialect.ts";
import { type Hit, type Marker, MarkerSet } from "../parse/marker.ts";
import type { Scanner, Sink, Step } from "../parse/scanner.ts";
import type { Wrapped } from "../parse/sinks.ts";
import { comes, elementValue } from "./element_value.ts";

/** How one spelling of the elements looks. Opening markers stop before the name or the attributes. */
export interface Tags {
  readonly call: readonly Marker[];
  readonly callEnd: readonly Marker[];
  readonly parameter: readonly Marker[];
  readonly parameterEnd: readonly Marker[];
}

/** A grammar of this family: its tags, its wrapper, and how it treats white space round values. */
export interface ElementGrammar {
  /** The spellings it may have; a parameter ends in the spelling in which it began. */
  readonly tags: readonly Tags[];
  /** What opens the wrapper: where one block follows another without a closer, and twice in a row. */
  readonly blockStart: readonly Marker[];
  readonly blockEnd: readonly Marker[];
  /** What may stand between calls and says nothing. */
  readonly between?: readonly Marker[];
  /** What becomes of the white space at the ends of a value (`dialects.md` §9.2). */
  readonly wrap: (sink: Sink) => Wrapped;
}

/** An element's tag, read. */
export interface Tag {
  readonly name: string | undefined;
  readonly attributes: ReadonlyMap<string, string>;
  readonly selfClosed: boolean;
}

/** How a call ended: with its closer, with what belongs to the next thing, or not at all. */
export type CallEnd = "ended" | "block-ended" | "none" | Hit;

/**
 * Reads the call whose opening marker is eaten, and all calls that follow it; `before` calls have been read already.
 * True when the wrapper closed.
 */
export function* elementCalls(
  scan: Scanner,
  out: Out,
  grammar: ElementGrammar,
  first: Hit | undefined,
  before = 0,
): Step<boolean> {
  const markers = markersOf(grammar);
  const wrapped = first === undefined;
  let hit = first;
  for (let calls = before;; calls++) {
    if (hit === undefined) {
      yield* scan.skipSpace();
      hit = yield* scan.accept(...markers.calls, ...grammar.blockEnd, ...markers.idle);
      if (hit !== undefined && grammar.blockEnd.includes(hit.marker)) return calls > 0;
      if (hit !== undefined && markers.idle.includes(hit.marker)) {
        hit = undefined;
        calls--;
        continue;
      }
      if (hit === undefined && calls > 0) {
        // Prose between the calls of a block (MiniMax M2). Without a wrapper the closer behind it is another block's.
        const prose = wrapped ? yield* scan.take(markers.nextCall, 512) : undefined;
        if (prose === undefined || grammar.blockStart.includes(prose.hit.marker)) return false;
        out.text(prose.text);
        if (grammar.blockEnd.includes(prose.hit.marker)) return true;
        hit = prose.hit;
      }
      if (hit === undefined) return false;
    }
    const end: CallEnd = yield* elementCall(scan, out, grammar, hit);
    if (end === "none") return false;
    if (end === "block-ended") return true;
    hit = end === "ended" ? undefined : end;
  }
}

/** Reads calls that have no wrapper; the first one's opening marker is eaten. */
export function* bareCalls(scan: Scanner, out: Out, grammar: ElementGrammar, first: Hit): Step<boolean> {
  let end: CallEnd = first;
  while (typeof end === "object") end = yield* elementCall(scan, out, grammar, end);
  return end === "ended";
}

/** Reads one call whose opening marker is eaten. */
function* elementCall(scan: Scanner, out: Out, grammar: ElementGrammar, hit: Hit): Step<CallEnd> {
  const tag = yield* readTag(scan, hit);
  if (tag?.name === undefined) return "none";
  const name = tag.name.replace(/<\|.*/s, ""); // Muse glues the next token to it
  if (name !== tag.name) out.problem("name-resolved", tag.name);
  const call = out.call(name, tag.attributes.get("id"));
  if (call === undefined) return "none";
  if (tag.selfClosed) {
    const value = tag.attributes.get("string");
    const [only, ...others] = call.required.length > 0 ? call.required : call.parameters;
    // DeepSeek V4 puts a value where the flag belongs: MetaFARS/codex-relay#49.
    if (value !== undefined && only !== undefined && others.length === 0) call.parameter(only)(value);
    return call.end() ? "ended" : "none";
  }
  return yield* elementBody(scan, out, grammar, call);
}

/** Reads what a call holds, and its closer. */
export function* elementBody(scan: Scanner, out: Out, grammar: ElementGrammar, call: Call): Step<CallEnd> {
  const markers = markersOf(grammar);
  yield* scan.skipSpace();
  if ((yield* scan.peek()) === "{" && !(yield* call.json(scan))) return "none";
  for (const given = new Set<string>();;) {
    yield* scan.skipSpace();
    const next = yield* scan.accept(
      ...markers.parameters,
      ...markers.callEnds,
      ...grammar.blockEnd,
      ...markers.calls,
    );
    if (next === undefined) {
      if (yield* propertyElement(scan, grammar, call, given)) continue;
      // Valid arguments may be followed by a stray closer (`dialects.md` §2.1, 6).
      const stray = yield* scan.accept(...markers.parameterEnds);
      if (stray === undefined) return "none";
      out.problem("closer-missing", `stray ${stray.text}`);
      continue;
    }
    if (markers.callEnds.includes(next.marker)) return call.end() ? "ended" : "none";
    if (grammar.blockEnd.includes(next.marker)) return call.end(true) ? "block-ended" : "none";
    if (markers.calls.includes(next.marker)) return call.end(true) ? next : "none";
    const end = yield* parameter(scan, out, grammar, call, next, given);
    if (end !== "closed") {
      if (end === "cut" || !call.end(true)) return "none";
      return end === "call-end" ? "ended" : "block-ended";
    }
  }
}

/** Reads one parameter whose opening marker is eaten, and what follows it without a closer. */
function* parameter(
  scan: Scanner,
  out: Out,
  grammar: ElementGrammar,
  call: Call,
  hit: Hit,
  given: Set<string>,
): Step<"closed" | "call-end" | "block-end" | "cut"> {
  for (;;) {
    const tag = yield* readTag(scan, hit);
    const name = tag?.name ?? (call.parameters.length === 1 ? call.parameters[0] : undefined);
    if (tag === undefined || name === undefined) return "cut";
    given.add(name);
    const flag = tag.attributes.get("string");
    const kind: ParameterKind = flag === "true" ? "string" : flag === "false" ? "json" : undefined;
    const sink = grammar.wrap(call.parameter(name, kind));
    if (tag.selfClosed) {
      sink.write(kind === undefined ? flag ?? "" : "");
      sink.end();
      return "closed";
    }
    const tags = grammar.tags.find(({ parameter }) => parameter.includes(hit.marker))!;
    const end = yield* elementValue(
      scan,
      grammar,
      tags,
      sink.write,
      (key) => call.parameters.includes(key) && !given.has(key),
    );
    if (end !== "cut") sink.end();
    if (end === "cut" || end === "closed") return end;
    out.problem("closer-missing", `${name} of ${hit.text}`);
    if (end === "call-end" || end === "block-end") return end;
    hit = end;
  }
}

/**
 * `<path>a.ts</path>` right in a call, with the name of a declared parameter (Qwen2.5, GLM-4.7). A file may hold the
 * same tag: a closer counts only where the next parameter or the end of the call follows.
 */
function* propertyElement(
  scan: Scanner,
  grammar: ElementGrammar,
  call: Call,
  given: Set<string>,
): Step<boolean> {
  const openers = call.parameters.map((name) => `<${name}>`);
  const hit = yield* scan.accept(...openers);
  if (hit === undefined) return false;
  const name = hit.text.slice(1, -1);
  given.add(name);
  const { calls, callEnds, parameters } = markersOf(grammar);
  const next = [...openers, ...parameters, ...callEnds, ...calls, ...grammar.blockEnd];
  const closer = new MarkerSet([`</${name}>`]);
  const value = grammar.wrap(call.parameter(name));
  for (;;) {
    const end = yield* scan.until(closer, value.write);
    if (end === undefined) return false;
    if (yield* comes(scan, next)) break;
    value.write(end.text);
  }
  value.end();
  return true;
}

/** Reads the rest of a tag whose opening marker is eaten: `=NAME>`, ` name="NAME" …>`, `>NAME</…>`. */
export function* readTag(scan: Scanner, hit: Hit): Step<Tag | undefined> {
  if (hit.text.endsWith(">")) return { name: undefined, attributes: new Map(), selfClosed: false };
  let text = "";
  do {
    const part = yield* scan.take(TAG_END, MAX_TAG);
    if (part === undefined || text.length > MAX_TAG) return undefined;
    text += (text === "" ? "" : ">") + part.text;
  } while ((text.split('"').length & 1) === 0); // an open quote: `>` is part of it
  const selfClosed = text.trimEnd().endsWith("/");
  const inside = text.trim().replace(/\/$/, "").trimEnd();
  const attributes = new Map<string, string>();
  const first = hit.text.trimEnd().endsWith("=");
  const [, name, more] = (first && NAME_FIRST.exec(inside)) || [undefined, inside, ""];
  for (const [, key, value] of (first ? more : inside)!.matchAll(ATTRIBUTE)) {
    attributes.set(key!, unquote(value!));
  }
  return { name: first ? unquote(name!) : attributes.get("name"), attributes, selfClosed };
}

const TAG_END = new MarkerSet([">"]);
const MAX_TAG = 4096;
const ATTRIBUTE = /([\w:.-]+)\s*=\s*("[^"]*"|'[^']*'|[^\s"']+)/g;
/** A name with attributes behind it. */
const NAME_FIRST = new RegExp(`^("[^"]*"|'[^']*'|[^\\s"']+)((?:\\s+${ATTRIBUTE.source})+)$`);
const unquote = (text: string): string => /^(["']).*\1$/s.test(text) ? text.slice(1, -1) : text;

interface Markers {
  readonly calls: readonly Marker[];
  readonly callEnds: readonly Marker[];
  readonly parameters: readonly Marker[];
  readonly parameterEnds: readonly Marker[];
  readonly idle: readonly Marker[];
  readonly nextCall: MarkerSet;
}

const markersByGrammar = new WeakMap<ElementGrammar, Markers>();

function markersOf(grammar: ElementGrammar): Markers {
  let markers = markersByGrammar.get(grammar);
  if (markers === undefined) {
    const all = (of: (tags: Tags) => readonly Marker[]) => [...new Set(grammar.tags.flatMap(of))];
    const calls = all((tags) => tags.call);
    markers = {
      calls,
      callEnds: all((tags) => tags.callEnd),
      parameters: all((tags) => tags.parameter),
      parameterEnds: all((tags) => tags.parameterEnd),
      idle: [...grammar.blockStart, ...grammar.between ?? []],
      nextCall: new MarkerSet([...calls, ...grammar.blockEnd, ...grammar.blockStart]),
    };
    markersByGrammar.set(grammar, markers);
  }
  return markers;
}
