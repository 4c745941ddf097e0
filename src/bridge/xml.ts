/** The protocol `xml`: text in `<open>`, each call as an element named after its tool. */
import type { Call, Dialect, Opener, Out, Tool } from "../parse/dialect.ts";
import { chars, either, type Hit, type Marker, shape } from "../parse/marker.ts";
import type { Scanner, Step } from "../parse/scanner.ts";
import { readToolSchema } from "../parse/schema.ts";
import { treeOf } from "../dialects/element_tree.ts";
import { type Bridge, lines } from "./bridge.ts";
import { lineBreakBehind, roomBehind, sayNothing } from "./frame.ts";
import { spellingsOf } from "./spellings.ts";
import { childTag, restOfTag } from "./xml_tag.ts";
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

  dialect(tools) {
    const key = JSON.stringify(tools);
    let dialect = made.get(key);
    if (dialect === undefined) {
      if (made.size >= REMEMBERED) made.delete(made.keys().next().value!);
      made.set(key, dialect = dialectOf(tools));
    }
    return dialect;
  },
};

const GAP = chars(" \t\r\n", 0, 8);
const BREAK = either("\r\n", "\n", "");
const OPEN = shape("<", either("open", "Open", "OPEN"), GAP, ">");
const OPEN_END = shape(BREAK, "</", either("open", "Open", "OPEN"), GAP, ">");
/** How a made-up result and a model's own dialects begin. */
const OTHERS = ["<tool_", "<tools>", "<tool>", "<function", "<invoke", "<|", "<｜"];
const WHITES = [" ", "\n", "\t", "\r"];
const WHITE = either(...WHITES);

/** What belongs to one tool. */
interface Element {
  readonly tool: Tool;
  /** Opening tags: whole, closed at once, or up to the white space behind the name. */
  readonly opens: readonly Marker[];
  /** The same with the name in another spelling (rule 6); they count only with an argument that is declared. */
  readonly alike: Marker | undefined;
  readonly close: Marker;
  readonly parameters: readonly string[];
  /** It is named as the frame round text is: what it holds has to tell it from that. */
  readonly framed: boolean;
  /** How arguments that are JSON begin. */
  readonly json: Marker;
}

function elementOf(tool: Tool, others: readonly string[]): Element {
  const { name } = tool;
  const parameters = [...readToolSchema(tool.parameters).properties.keys()];
  const framed = /^open$/i.test(name);
  return {
    tool,
    opens: [`<${name}>`, `<${name}/>`, shape(`<${name}`, WHITE)],
    alike: others.length === 0 ? undefined : shape("<", either(...others), either(">", "/>", ...WHITES)),
    close: shape("</", GAP, either(name, ...others), GAP, ">"),
    parameters,
    framed,
    json: framed && parameters.length > 0 ? shape("{", GAP, '"', either(...parameters), '"') : "{",
  };
}

const made = new Map<string, Dialect>(); // by the tools: clients send the same ones with each request
const REMEMBERED = 16;

/** The openers are the tools that are offered, so there is one for each list of them. */
function dialectOf(tools: readonly Tool[]): Dialect {
  const spellings = spellingsOf(tools.map(({ name }) => name));
  const elements = tools.map((tool) => elementOf(tool, spellings.get(tool.name)!));
  const byOpener = new Map(
    elements.flatMap((element) => element.opens.map((marker) => [marker, element] as const)),
  );
  const byAlike = new Map<Marker, Element>();
  for (const element of elements) if (element.alike !== undefined) byAlike.set(element.alike, element);
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
    ...[...byAlike.keys()].map((marker): Opener => ({
      marker,
      form: "wrapped",
      where: "line",
      answer: true,
    })),
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
        return yield* call(scan, out, element, hit, endsOf(element), where === "line" && !element.framed);
      }
      const alike = byAlike.get(hit.marker);
      if (alike !== undefined) {
        out.problem("name-resolved", `${hit.text.slice(1).trim()} -> ${alike.tool.name}`);
        return yield* call(scan, out, alike, hit, endsOf(alike), false);
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
 * with an argument that its tool declares: it may be an element of HTML. So has that of a tool that is named as the
 * frame round text is.
 */
function* call(
  scan: Scanner,
  out: Out,
  element: Element,
  hit: Hit,
  ends: readonly Marker[],
  alone: boolean,
): Step<boolean> {
  const { tool, close, parameters, json } = element;
  const tag = /[>]$/.test(hit.text) ? hit.text.slice(0, -1) : yield* restOfTag(scan);
  if (tag === undefined) return false;
  let made: Call | undefined; // once it is certain that this is a call
  const start = (): Call => made ??= out.call(tool.name)!;
  for (const [, name, quoted] of tag.matchAll(ATTRIBUTE)) {
    if (parameters.includes(name!)) start().parameter(name!)(quoted!.slice(1, -1));
  }
  if (tag.endsWith("/")) {
    return (made !== undefined || (yield* mayBeEmpty(scan, tool, alone))) && start().end();
  }
  yield* scan.skipSpace();
  if (yield* scan.sees(json)) {
    if (!(yield* start().json(scan))) return false;
    yield* scan.skipSpace();
    return start().end((yield* scan.accept(close)) === undefined);
  }
  for (;;) {
    yield* scan.skipSpace();
    if (yield* scan.accept(close)) {
      return (made !== undefined || (yield* mayBeEmpty(scan, tool, alone))) && start().end();
    }
    if (yield* scan.accept(...ALL_ENDS)) continue;
    if (made !== undefined && (yield* scan.sees(...ends))) return made.end(true); // its own closer is missing
    const child = yield* childTag(scan, parameters);
    if (child === undefined) return false;
    const meant = parameters.find((name) => bare(name) === bare(child.parameter));
    if (made === undefined && meant === undefined && parameters.length > 0) {
      if (!alone && !ALL.includes(child.name)) return false;
      if (ALL.includes(child.name)) {
        yield* scan.skipSpace(); // `<arguments>` round the children, or with all of them as JSON
        if ((yield* scan.peek()) === "{" && !(yield* start().json(scan))) return false;
        continue;
      }
    }
    const { parameter: name, kind } = child;
    const nested = kind === undefined && !child.empty && !start().allowsText(meant ?? name);
    let text = "";
    const sink = nested ? (piece: string) => text += piece : start().parameter(name, kind);
    if (child.empty) continue;
    const end = yield* xmlValue(scan, sink, child, close, ends);
    if (end === "cut") return false;
    if (nested) start().tree(name, treeOf(text) ?? text);
    if (end === "call-closed") return start().end(true);
  }
}

/** A call without arguments: its tool requires none, and nobody speaks of it in the middle of a line. */
function* mayBeEmpty(scan: Scanner, { parameters }: Tool, alone: boolean): Step<boolean> {
  if (readToolSchema(parameters).required.length > 0) return false;
  if (alone) return true;
  const behind = scan.mark();
  yield* scan.run(NOT_BLANK, () => {});
  const next = yield* scan.peek();
  scan.rewind(behind);
  return next === "" || "\r\n<".includes(next);
}

const bare = (name: string): string => name.toLowerCase().replace(/[-_]/g, "");
const ALL = ["arguments", "args", "parameters", "params", "input"];
const ALL_ENDS = ALL.map((name) => `</${name}>`);
const NOT_BLANK = /[^ \t]/g;
const ATTRIBUTE = /([\w:.-]+)\s*=\s*("[^"]*"|'[^']*')/g;
