/** Tools as elements: Cline's form, its relatives, and MCP's. */
import type { Dialect, Opener } from "../parse/dialect.ts";
import { MarkerSet } from "../parse/marker.ts";
import type { Scanner, Step } from "../parse/scanner.ts";
import { namedElement } from "./named_element.ts";

// What Cline, Roo and Kilo teach, and what all models know that were trained on their transcripts:
//   <write_file>
//   <path>a.ts</path>
//   <content>…</content>
//   </write_file>
// or <get_weather city="Paris" days="3"/>, or lines of YAML in the element. morph-xml and yaml-xml of
// minpeter's middleware are the same. It looks like HTML: it counts at the start of a line only.
const WRAPPERS: readonly (readonly [open: string, close: string])[] = [
  ["<toolbridge_calls>", "</toolbridge_calls>"], // toolbridge
  ["<tool_calls>", "</tool_calls>"],
  ["<tools>", "</tools>"],
  ["<tool_call>", "</tool_call>"],
];

export const toolElements: Dialect = {
  id: "tool-elements",
  aka: ["morph-xml", "yaml-xml"],
  models: "any that saw transcripts of Cline, Roo or Kilo",
  opens: WRAPPERS.map(([marker]): Opener => ({ marker, form: "bare" })),

  opensFor: (tools) =>
    tools.map(({ name }): Opener => ({
      marker: `<${name}`,
      form: "bare",
      where: "line",
      fences: ["", "xml", "tool_call", "tool"],
    })),

  *block(scan, out, { text }) {
    const closer = WRAPPERS.find(([open]) => open === text)?.[1];
    if (closer === undefined) {
      if (!/^[\s/>]$/.test(yield* scan.peek())) return false; // another name, which begins with the tool's
      scan.rewind(scan.mark(text));
      return yield* namedElement(scan, out, []);
    }
    for (let calls = 0;; calls++) {
      yield* scan.skipSpace();
      if (calls > 0 && (yield* scan.accept(closer))) return true;
      if (!(yield* namedElement(scan, out, [closer]))) return false;
    }
  },
};

// Cline's form for tools of MCP servers:
//   <use_mcp_tool>
//   <server_name>weather</server_name>
//   <tool_name>get_weather</tool_name>
//   <arguments>{"city": "Paris", "days": 3}</arguments>
//   </use_mcp_tool>
const MCP = "use_mcp_tool";

export const mcpElement: Dialect = {
  id: "use-mcp-tool",
  aka: [],
  models: "any that saw transcripts of Cline, Roo or Kilo",
  opens: [],
  // A client that offers a tool of this name wants the call as it stands: the element is named after it.
  opensFor: (tools) =>
    tools.length === 0 || tools.some(({ name }) => name === MCP)
      ? []
      : [{ marker: `<${MCP}>`, form: "bare", where: "line" }],

  *block(scan, out) {
    const server = yield* element(scan, "server_name");
    const tool = yield* element(scan, "tool_name");
    if (tool === undefined) return false;
    const names = [
      tool,
      ...["__", "_", "-"].map((joint) => `${server}${joint}${tool}`),
      `mcp__${server}__${tool}`,
    ];
    const name = names.find((each) => out.knows(each));
    const call = name === undefined ? undefined : out.call(name);
    if (call === undefined) return false;
    yield* scan.skipSpace();
    if (yield* scan.accept("<arguments>")) {
      if (!(yield* call.json(scan))) return false;
      yield* scan.skipSpace();
      if (!(yield* scan.accept("</arguments>"))) return false;
      yield* scan.skipSpace();
    }
    return (yield* scan.accept(`</${MCP}>`)) !== undefined && call.end();
  },
};

/** The text of a short element. */
function* element(scan: Scanner, name: string): Step<string | undefined> {
  yield* scan.skipSpace();
  if (!(yield* scan.accept(`<${name}>`))) return undefined;
  return (yield* scan.take(new MarkerSet([`</${name}>`]), 256))?.text.trim();
}
