/** Kimi K3's XTML: elements between special tokens. */
import type { Dialect, Out, ParameterKind } from "../parse/dialect.ts";
import { either, type Marker, MarkerSet, maybe, shape } from "../parse/marker.ts";
import type { Scanner, Sink, Step } from "../parse/scanner.ts";
import { dropMarker } from "./said.ts";

// Kimi K3, all in one line; the prompt may have opened the first element:
//   <|open|>think<|sep|>plan<|close|>think<|sep|>
//   <|open|>response<|sep|>Hi<|close|>response<|sep|>
//   <|open|>tools<|sep|>
//     <|open|>call tool="get_weather" index="1"<|sep|>
//       <|open|>argument key="city" type="string"<|sep|>Paris<|close|>argument<|sep|>
//       <|open|>argument key="days" type="number"<|sep|>3<|close|>argument<|sep|>
//     <|close|>call<|sep|>
//   <|close|>tools<|sep|><|close|>message<|sep|>
// `think` is one of the parser's reasoning tags. Attributes escape `&` and `"`, values nothing; `index` is not to
// be trusted. Detokenizers drop tokens: `toolscall tool="get_weather" index="1"argument key=…`
// (https://github.com/can1357/oh-my-pi/issues/8495). Elsewhere: vLLM and SGLang kimi_k3.
const OPEN = "<|open|>";
const CLOSE = "<|close|>";
const SEP = "<|sep|>";
const ELEMENT = shape(either("response", "message", "tools", "think"), SEP);
const TOOLS = shape("tools", SEP);
const STRIPPED = shape(maybe("tools"), "call tool=");
const ORPHAN = "<|open|>call tool=";

/** How the elements of a call are written. */
interface Spelling {
  readonly call: Marker;
  readonly callEnd: Marker;
  readonly argument: Marker;
  readonly argumentEnd: Marker;
  readonly toolsEnd: Marker;
  /** What may follow an argument. */
  readonly follow: readonly Marker[];
  /** What matters in a value. */
  readonly inside: MarkerSet;
}

function spelling(open: string, close: string, sep: string): Spelling {
  const argument = `${open}argument key=`, call = `${open}call tool=`;
  const callEnd = `${close}call${sep}`, argumentEnd = `${close}argument${sep}`;
  const toolsEnd = `${close}tools${sep}`;
  // Without its tokens the end of a call is but a word; it counts only with the end of the section, or the turn's.
  const follow = sep === "" ? [argument, callEnd + toolsEnd, callEnd + call] : [argument, callEnd, toolsEnd];
  const inside = new MarkerSet([argument, argumentEnd]);
  return { call, callEnd, argument, argumentEnd, toolsEnd, follow, inside };
}

const TOKENS = spelling(OPEN, CLOSE, SEP);
const WORDS = spelling("", "", "");

export const kimiK3: Dialect = {
  id: "kimi-k3",
  aka: ["kimi_k3", "kimik3"],
  models: "Kimi K3",
  opens: [
    { marker: OPEN, form: "wrapped" },
    { marker: CLOSE, form: "wrapped" },
    { marker: ORPHAN, form: "recovered" },
    { marker: STRIPPED, form: "recovered" },
  ],

  *block(scan, out, hit, { form }) {
    if (form === "recovered") return yield* calls(scan, out, true);
    if (hit.text === OPEN) {
      if (yield* scan.accept(STRIPPED)) return yield* calls(scan, out, true);
      if (yield* scan.accept(TOOLS)) return yield* calls(scan, out, false);
    }
    return (yield* scan.accept(ELEMENT)) !== undefined && dropMarker(out);
  },
};

/** Reads calls up to the end of their section. `begun`: the tag of the first one is eaten up to its name. */
function* calls(scan: Scanner, out: Out, begun: boolean): Step<boolean> {
  for (let count = 0;; count++) {
    if (!begun) {
      yield* scan.skipSpace();
      const hit = yield* scan.accept<Marker>(TOKENS.call, TOKENS.toolsEnd, WORDS.call, WORDS.toolsEnd);
      if (hit === undefined) return false;
      if (hit.text === TOKENS.toolsEnd || hit.text === WORDS.toolsEnd) return count > 0 || dropMarker(out);
    }
    if (!(yield* call(scan, out))) return false;
    begun = false;
  }
}

/** Reads one call; its tag is eaten up to the name. */
function* call(scan: Scanner, out: Out): Step<boolean> {
  const name = yield* quoted(scan);
  if (name === undefined || (yield* attributes(scan)) === undefined) return false;
  const tags = (yield* scan.accept(SEP)) ? TOKENS : WORDS;
  const call = out.call(name);
  if (call === undefined) return false;
  for (;;) {
    yield* scan.skipSpace();
    const hit = yield* scan.accept(tags.argument, tags.callEnd);
    if (hit === undefined) {
      const over = tags === TOKENS && (yield* scan.sees(tags.call, tags.toolsEnd)) !== undefined;
      return over && call.end(true);
    }
    if (hit.text === tags.callEnd) return call.end();
    const key = yield* quoted(scan);
    const others = yield* attributes(scan);
    if (key === undefined || others === undefined) return false;
    yield* scan.accept(SEP);
    const type = others.get("type");
    const kind: ParameterKind = type === undefined ? type : type === "string" ? "string" : "json";
    if (!(yield* value(scan, tags, call.parameter(key, kind)))) return false;
  }
}

/**
 * Streams one value up to its closer. A value may hold this very markup: arguments that it opens have their own
 * closers, and a closer counts only before what may follow an argument.
 */
function* value(scan: Scanner, tags: Spelling, sink: Sink): Step<boolean> {
  for (let depth = 0;;) {
    const hit = yield* scan.until(tags.inside, sink);
    if (hit === undefined) return false;
    if (hit.text === tags.argument) depth++;
    else if (depth > 0) depth--;
    else if (yield* closes(scan, tags)) return true;
    sink(hit.text);
  }
}

function* closes(scan: Scanner, tags: Spelling): Step<boolean> {
  const behind = scan.mark();
  yield* scan.skipSpace();
  let closes = (yield* scan.sees(...tags.follow)) !== undefined;
  if (!closes) {
    yield* scan.accept(tags.callEnd);
    yield* scan.skipSpace();
    closes = (yield* scan.peek()) === "";
  }
  scan.rewind(behind);
  return closes;
}

/** Reads the attributes that are left in a tag; undefined when one does not end. */
function* attributes(scan: Scanner): Step<ReadonlyMap<string, string> | undefined> {
  const found = new Map<string, string>();
  for (let hit; (hit = yield* scan.accept(ATTRIBUTE)) !== undefined;) {
    const text = yield* quoted(scan);
    if (text === undefined) return undefined;
    found.set(hit.text.trim().slice(0, -1), text);
  }
  return found;
}

/** Reads an attribute's value with its quotes. */
function* quoted(scan: Scanner): Step<string | undefined> {
  if (!(yield* scan.accept('"'))) return undefined;
  const text = yield* scan.take(QUOTE);
  return text?.text.replace(/&(amp|quot|lt|gt);/g, (_, name: string) => ENTITIES[name]!);
}

const ATTRIBUTE = shape(" ", either("index", "type", "key", "tool"), "=");
const QUOTE = new MarkerSet(['"']);
const ENTITIES: { readonly [name: string]: string } = { amp: "&", quot: '"', lt: "<", gt: ">" };
