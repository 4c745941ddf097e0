/** The protocol `xml`: text in `<open>`, each call as an element named after its tool. */
import type { Call, Dialect, Opener, Out, Tool } from "../parse/dialect.ts";
import { chars, either, type Hit, type Marker, MarkerSet, shape } from "../parse/marker.ts";
import type { Scanner, Step } from "../parse/scanner.ts";
import { readToolSchema } from "../parse/schema.ts";
import { type Bridge, lines } from "./bridge.ts";
import { lineBreakBehind, roomBehind, sayNothing } from "./frame.ts";
import { elementText } from "./xml_text.ts";
import { xmlValue } from "./xml_value.ts";

// As NanoProxy's xml bridge and Cline's prompts teach it:
//   <open>
//   I will read the file.
//   </open>
//   <read>
//   <filePath>src/app.js</filePath>
//   </read>
// `<open>` only frames text: it is dropped where it stands, and calls are read inside it as well as behind it.
export const xml: Bridge = {
  id: "xml",

  teach: (example, several, schemaOf) =>
    lines(
      "What the user is to read goes between <open> and </open>. To call a tool, write an element that is named after",
      "the tool, with one child element for each argument:",
      "",
      `<open>\nA word on what you do, or nothing.\n</open>\n${elementText(example, schemaOf)}`,
      several && "",
      several && "Calls that do not depend on each other may stand one behind the other in one answer.",
      "Write text as it is, without escapes like &lt;. A value that holds < goes in <![CDATA[ ]]>. Lists and objects",
      "are written as JSON.",
      "",
      "When no tool is needed any more:",
      "",
      "<open>\nYour answer here.\n</open>",
      "",
      "What a tool answers comes to you between <tool_result> and </tool_result>. Never write that yourself.",
    ),

  turn: (text, calls, schemaOf) =>
    [
      ...(text === "" ? [] : [`<open>\n${text}\n</open>`]),
      ...calls.map((call) => elementText(call, schemaOf)),
    ]
      .join("\n"),

  result: (name, nth) => ({
    before: `<tool_result>\ntool: ${name}${nth === undefined ? "" : ` (call ${nth})`}\n`,
    behind: "\n</tool_result>",
  }),

  dialect: (tools) => dialectOf(tools),
};

const GAP = chars(" \t\r\n", 0, 8);
const BREAK = either("\r\n", "\n", "");
const OPEN = shape("<", either("open", "OPEN"), GAP, ">");
const OPEN_END = shape(BREAK, "</", either("open", "OPEN"), GAP, ">");
/** How a made-up result and a model's own dialects begin. */
const OTHERS = ["<tool_", "<tools>", "<tool>", "<function", "<invoke", "<|", "<｜"];
const WHITE = either(" ", "\n", "\t", "\r");

/** What belongs to one tool. */
interface Element {
  readonly tool: Tool;
  /** Opening tags: whole, closed at once, or up to the white space behind the name. */
  readonly opens: readonly Marker[];
  readonly close: Marker;
  readonly parameters: readonly string[];
}

function elementOf(tool: Tool): Element {
  const { name, parameters } = tool;
  return {
    tool,
    opens: [`<${name}>`, `<${name}/>`, shape(`<${name}`, WHITE)],
    close: shape("</", GAP, name, GAP, ">"),
    parameters: [...readToolSchema(parameters).properties.keys()],
  };
}

/** The openers are the request's own tools, so this is made for each request. */
function dialectOf(tools: readonly Tool[]): Dialect {
  const elements = tools.map(elementOf);
  const byOpener = new Map(
    elements.flatMap((element) => element.opens.map((marker) => [marker, element] as const)),
  );
  /** What shows that a call is over though its closer is missing; an argument may be named as a tool is. */
  const endsOf = (own: Element): Marker[] => {
    const { parameters } = own;
    const others = elements.filter((element) =>
      !parameters.includes(element.tool.name) && (element !== own || parameters.length > 0)
    );
    return [...others.flatMap(({ opens }) => opens), OPEN, OPEN_END];
  };
  const opens: Opener[] = [...byOpener.keys()].flatMap((marker): Opener[] => [
    { marker, form: "wrapped", where: "line", answer: true },
    { marker, form: "wrapped" },
  ]);
  opens.push(
    { marker: OPEN, form: "bare", where: "line", answer: true },
    { marker: OPEN, form: "bare" },
    { marker: OPEN_END, form: "bare" },
  );
  const behindText = [...byOpener.keys(), OPEN_END, ...OTHERS];
  return {
    id: "bridge-xml",
    aka: ["NanoProxy"],
    models: "any model that is taught it",
    opens,
    *block(scan, out, hit, { where }) {
      const element = byOpener.get(hit.marker);
      if (element !== undefined) {
        return yield* call(scan, out, element, hit, endsOf(element), where === "line");
      }
      if (hit.marker === OPEN) {
        if (where === undefined && !"\r\n".includes(yield* scan.peek())) return false; // prose about an element
        yield* lineBreakBehind(scan);
        return sayNothing(out);
      }
      return yield* openEnds(scan, out, hit, behindText);
    },
  };
}

/** `</open>` is dropped where an answer may end: at the start of a line, or before its end; else it is text. */
function* openEnds(scan: Scanner, out: Out, { text }: Hit, behind: readonly Marker[]): Step<boolean> {
  const next = yield* scan.peek();
  if (!/^[\r\n]/.test(text) && !"\n\r<".includes(next)) return false;
  yield* roomBehind(scan, behind);
  return sayNothing(out);
}

/**
 * One call whose opening tag, or the beginning of it, is eaten. In the middle of a line (not `alone`) it has to begin
 * with an argument that its tool declares: it may be an element of HTML.
 */
function* call(
  scan: Scanner,
  out: Out,
  element: Element,
  hit: Hit,
  ends: readonly Marker[],
  alone: boolean,
): Step<boolean> {
  const { tool, close, parameters } = element;
  const tag = /[>]$/.test(hit.text) ? hit.text.slice(0, -1) : yield* restOfTag(scan);
  if (tag === undefined) return false;
  let made: Call | undefined; // once it is certain that this is a call
  const start = (): Call => made ??= out.call(tool.name)!;
  for (const [, name, quoted] of tag.matchAll(ATTRIBUTE)) {
    if (parameters.includes(name!)) start().parameter(name!)(quoted!.slice(1, -1));
  }
  if (tag.endsWith("/")) return start().end();
  yield* scan.skipSpace();
  if ((yield* scan.peek()) === "{") {
    if (!(yield* start().json(scan))) return false;
    yield* scan.skipSpace();
    return start().end((yield* scan.accept(close)) === undefined);
  }
  for (;;) {
    yield* scan.skipSpace();
    if (yield* scan.accept(...ALL_ENDS)) continue;
    if (yield* scan.accept(close)) return (made !== undefined || !requires(tool)) && start().end();
    if (made !== undefined && (yield* scan.sees(...ends))) return made.end(true); // its own closer is missing
    const child = yield* childTag(scan);
    if (child === undefined) return false;
    const meant = parameters.find((name) => bare(name) === bare(child.name));
    if (made === undefined && meant === undefined && parameters.length > 0) {
      if (!alone && !ALL.includes(child.name)) return false;
      if (ALL.includes(child.name)) {
        yield* scan.skipSpace(); // `<arguments>` round the children, or with all of them as JSON
        if ((yield* scan.peek()) === "{" && !(yield* start().json(scan))) return false;
        continue;
      }
    }
    const sink = start().parameter(child.name, child.kind);
    if (child.empty) continue;
    const end = yield* xmlValue(scan, sink, child.name, close, ends);
    if (end === "call-closed") return start().end(true);
    if (end === "cut") return false;
  }
}

function requires({ parameters }: Tool): boolean {
  return readToolSchema(parameters).required.length > 0;
}

/** The rest of a tag, without its `>`. */
function* restOfTag(scan: Scanner): Step<string | undefined> {
  let text = "";
  do {
    const part = yield* scan.take(TAG_END, 65_536);
    if (part === undefined) return undefined;
    text += (text === "" ? "" : ">") + part.text;
  } while (text.split('"').length % 2 === 0); // an open quote: `>` is part of it
  return text.trimEnd();
}

interface ChildTag {
  readonly name: string;
  readonly kind: "json" | "string" | undefined;
  readonly empty: boolean;
}

/** A child's opening tag. */
function* childTag(scan: Scanner): Step<ChildTag | undefined> {
  if (!(yield* scan.accept("<"))) return undefined;
  const tag = yield* scan.take(TAG_END, 256);
  const read = tag && CHILD.exec(tag.text);
  if (!read) return undefined;
  const type = /\btype\s*=\s*["']?(\w+)/.exec(read[2]!)?.[1];
  return {
    name: read[1]!,
    kind: type === "json" || type === "string" ? type : undefined,
    empty: tag.text.endsWith("/"),
  };
}

const bare = (name: string): string => name.toLowerCase().replace(/[-_]/g, "");
const ALL = ["arguments", "args", "parameters", "params", "input"];
const ALL_ENDS = ALL.map((name) => `</${name}>`);
const TAG_END = new MarkerSet([">"]);
const CHILD = /^([^\s<>/=]+)(?:\s([^<>]*?))?\/?$/;
const ATTRIBUTE = /([\w:.-]+)\s*=\s*("[^"]*"|'[^']*')/g;
