/** Calls as elements that are named after the tool and its parameters (family H). */
import type { Call, Out } from "../parse/dialect.ts";
import { type Marker, MarkerSet } from "../parse/marker.ts";
import type { Scanner, Sink, Step } from "../parse/scanner.ts";
import { unwrapLineBreaks } from "../parse/sinks.ts";
import { treeOf } from "./element_tree.ts";
import { yamlMembers } from "./yaml_text.ts";

/** Elements that stand around all parameters and mean nothing. */
const AROUND = ["parameters", "arguments", "args", "params"];
/** Tags of HTML and SVG that may be empty, or that a tool may be called after. */
const HTML =
  /^(?:a|area|article|aside|audio|b|base|body|br|button|canvas|code|col|data|details|dialog|div|em|embed|figure|footer|form|g|h[1-6]|head|header|hr|html|i|iframe|img|input|label|li|link|main|map|menu|meta|nav|object|ol|option|output|p|param|path|picture|pre|progress|rect|script|search|section|select|slot|source|span|strong|style|summary|svg|table|td|template|text|textarea|th|time|title|tr|track|u|ul|use|var|video|wbr)$/i;
const NOT_BLANK = /[^ \t]/g;
const NAME_END = /[^\w.:-]/g;
const LONGEST = 1 << 20;

/**
 * Reads one call; its element comes next. It counts only if it has a parameter that its tool declares, or if its
 * tool requires none and there is nothing in it. `outer`: what closes the block around it.
 */
export function* namedElement(scan: Scanner, out: Out, outer: readonly Marker[]): Step<boolean> {
  if (!(yield* scan.accept("<"))) return false;
  const name = yield* word(scan);
  if (!out.knows(name)) return false;
  const call = out.call(name);
  if (call === undefined) return false;
  const given = new Set<string>();
  const tag = yield* attributes(scan, call, given);
  if (tag === "none") return false;
  if (tag === "closed") {
    if (!call.required.every((required) => given.has(required))) return false;
    if (given.size === 0 && !(yield* standsAlone(scan, name, outer.length === 0))) return false;
    return call.end();
  }
  const start = scan.here();
  yield* scan.skipSpace();
  if ((yield* scan.peek()) === "{") {
    if (!(yield* call.json(scan))) return false;
    yield* scan.skipSpace();
    return (yield* scan.accept(`</${name}>`)) !== undefined && call.end();
  }
  const bare = outer.length === 0;
  for (;;) {
    yield* scan.skipSpace();
    if (yield* scan.accept(`</${name}>`)) {
      if (given.size === 0 && (call.required.length > 0 || !(yield* standsAlone(scan, name, bare)))) {
        return false;
      }
      return call.end();
    }
    if (given.size > 0 && !bare && (yield* scan.sees(...outer, `<${name}>`))) return call.end(true);
    const end = yield* child(scan, call, name, given, outer);
    if (end === "read") continue;
    if (end === "call-end") return call.end(true);
    if (given.size > 0) return false;
    scan.unread(start);
    return (yield* yamlBody(scan, call, name)) && call.end();
  }
}

/**
 * An element with nothing in it may be HTML, or a word about the tool: without a wrapper it has to have its line to
 * itself.
 */
function* standsAlone(scan: Scanner, name: string, bare: boolean): Step<boolean> {
  if (!bare) return true;
  if (HTML.test(name)) return false;
  const behind = scan.mark();
  yield* scan.run(NOT_BLANK, () => {});
  const alone = ["", "\n", "\r", "<"].includes(yield* scan.peek());
  scan.rewind(behind);
  return alone;
}

/** Reads the rest of the tag; attributes that are declared are parameters. */
function* attributes(scan: Scanner, call: Call, given: Set<string>): Step<"open" | "closed" | "none"> {
  for (let count = 0; count < 64; count++) {
    yield* scan.skipSpace();
    const end = yield* scan.accept("/>", ">");
    if (end !== undefined) return end.text === ">" ? "open" : "closed";
    const key = yield* word(scan);
    yield* scan.skipSpace();
    if (key === "" || !(yield* scan.accept("="))) return "none";
    yield* scan.skipSpace();
    const quote = yield* scan.accept('"', "'");
    const value = quote && (yield* scan.take(quote.text === '"' ? DOUBLE : SINGLE, LONGEST));
    if (value === undefined) return "none";
    if (!call.parameters.includes(key)) continue;
    given.add(key);
    call.parameter(key)(decoded(value.text));
  }
  return "none";
}

/** Reads one element inside the call. */
function* child(
  scan: Scanner,
  call: Call,
  tool: string,
  given: Set<string>,
  outer: readonly Marker[],
): Step<"read" | "call-end" | "none"> {
  const start = scan.mark();
  const around = AROUND.filter((name) => !call.parameters.includes(name));
  if (yield* scan.accept(...around.flatMap((name) => [`<${name}>`, `</${name}>`]))) {
    scan.release();
    return "read";
  }
  const name = (yield* scan.accept("<")) ? yield* word(scan) : "";
  const declared = call.parameters.includes(name);
  const open = name !== "" && (declared || given.size > 0) && (yield* rest(scan));
  if (!open) {
    scan.rewind(start);
    return "none";
  }
  scan.release();
  given.add(name);
  const end = yield* parameter(scan, call, tool, name, outer);
  return end === "closed" ? "read" : end === "call-end" ? "call-end" : "none";
}

/** The rest of a parameter's tag. */
function* rest(scan: Scanner): Step<boolean> {
  const tag = yield* scan.take(TAG_END, 256);
  return tag !== undefined && (tag.text === "" || /^\s[^<]*[^/]$/.test(tag.text));
}

function* parameter(scan: Scanner, call: Call, tool: string, name: string, outer: readonly Marker[]) {
  if (call.allowsText(name)) {
    const sink = unwrapLineBreaks(call.parameter(name));
    const end = yield* value(scan, call, tool, name, outer, sink.write);
    sink.end();
    return end;
  }
  let text = "";
  const end = yield* value(scan, call, tool, name, outer, (part) => text += part);
  const tree = treeOf(text);
  if (tree === undefined) call.parameter(name)(text);
  else call.tree(name, tree);
  return end;
}

/**
 * Streams a value up to its closer. A file's content holds the same tags: a closer counts only if the next
 * parameter or the end of the call follows, and not inside a call that the value itself holds.
 */
function* value(
  scan: Scanner,
  call: Call,
  tool: string,
  name: string,
  outer: readonly Marker[],
  sink: Sink,
): Step<"closed" | "call-end" | "cut"> {
  const cdata = (yield* scan.accept("<![CDATA[")) !== undefined;
  const close = cdata ? `]]></${name}>` : `</${name}>`;
  const callEnd = `</${tool}>`;
  const inside = new MarkerSet([close, `<${tool}>`, callEnd]);
  const next = [
    callEnd,
    ...outer,
    ...call.parameters.map((each) => `<${each}>`),
    ...AROUND.map((each) => `</${each}>`),
  ];
  for (let level = 0;;) {
    const hit = yield* scan.until(inside, sink);
    if (hit === undefined) return "cut";
    if (hit.text === `<${tool}>`) level++;
    else if (level > 0) level -= hit.text === callEnd ? 1 : 0;
    else if (hit.text === close) {
      if (yield* comes(scan, next)) return "closed";
    } else if (!cdata && outer.length > 0 && (yield* comes(scan, outer, false))) return "call-end";
    sink(hit.text);
  }
}

/** Behind white space, one of `markers` comes, or, with `atEnd`, the end of the turn; eats nothing. */
function* comes(scan: Scanner, markers: readonly Marker[], atEnd = true): Step<boolean> {
  const behind = scan.mark();
  yield* scan.skipSpace();
  const found = (yield* scan.sees(...markers)) !== undefined || (atEnd && (yield* scan.peek()) === "");
  scan.rewind(behind);
  return found;
}

/** `city: Paris` in lines, all of it declared parameters. */
function* yamlBody(scan: Scanner, call: Call, tool: string): Step<boolean> {
  const first = scan.mark();
  yield* scan.skipSpace();
  let key = "";
  yield* scan.run(NAME_END, (text) => key += text);
  const declared = call.parameters.includes(key.replace(/:$/, "")) || call.parameters.includes(key);
  scan.rewind(first);
  const body = declared ? yield* scan.take(new MarkerSet([`</${tool}>`]), LONGEST) : undefined;
  const members = body && yamlMembers(body.text);
  if (members === undefined || !members.every((member) => call.parameters.includes(member.key))) return false;
  for (const { key, kind, text } of members) call.parameter(key, kind)(text);
  return true;
}

function* word(scan: Scanner): Step<string> {
  let word = "";
  yield* scan.run(NAME_END, (text) => word += text);
  return word;
}

/** Entities mean something in attributes, and nowhere else (rule 14). */
function decoded(text: string): string {
  return text.replace(/&(amp|lt|gt|quot|apos|#39|#10);/g, (_, name: string) => ENTITIES[name]!);
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  "#39": "'",
  "#10": "\n",
};
const TAG_END = new MarkerSet([">"]);
const DOUBLE = new MarkerSet(['"']);
const SINGLE = new MarkerSet(["'"]);
