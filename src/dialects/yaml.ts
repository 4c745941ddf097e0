/** Calls as a YAML mapping in `<tool_call>`. */
import type { Call, Dialect, Out } from "../parse/dialect.ts";
import { MarkerSet } from "../parse/marker.ts";
import type { Scanner, Step } from "../parse/scanner.ts";
import { type YamlMember, yamlMembers } from "./yaml_text.ts";

// Granite 4, which was taught the JSON of hermes.ts; the closer is often another tag's:
//   <tool_call>
//   name: get_weather
//   arguments:
//     city: Paris
//     days: 3
//   </tool_call>
const LINE = new MarkerSet(["\n"]);
const BODY_END = new MarkerSet(["</tool_call>", "\n</tool_call>", "\n</"]);
const NAME = /^\s*(?:name|tool|tool_name|function)\s*:\s*["']?([\w.:/-]+)["']?\s*$/;
const ARGUMENTS: readonly string[] = ["arguments", "parameters", "args", "params", "input"];
const LONGEST = 1 << 20;

export const yaml: Dialect = {
  id: "yaml",
  aka: [],
  models: "Granite 4, now and then",
  opens: [{ marker: "<tool_call>", form: "wrapped" }],

  *block(scan, out) {
    yield* scan.skipSpace();
    const name = NAME.exec((yield* scan.take(LINE, 200))?.text ?? "")?.[1];
    if (name === undefined || !out.knows(name)) return false;
    const text = yield* body(scan, out);
    const members = text === undefined ? undefined : text.trim() === "" ? [] : yamlMembers(text);
    const call = members && out.call(name);
    if (call === undefined || !take(call, members!)) return false;
    return call.end();
  },
};

/** Reads up to the closer; undefined when it does not come. */
function* body(scan: Scanner, out: Out): Step<string | undefined> {
  for (let text = "";;) {
    const part = yield* scan.take(BODY_END, LONGEST);
    if (part === undefined || text.length > LONGEST) return undefined;
    text += part.text;
    if (part.hit.text.endsWith("</tool_call>")) return text;
    const tag = scan.mark();
    const other = yield* scan.take(TAG_END, 64);
    yield* scan.skipSpace();
    const next = /^[\w:.-]+$/.test(other?.text ?? "") && (yield* scan.sees("<tool_call>"));
    const ends = next !== undefined && next !== false || (other !== undefined && (yield* scan.peek()) === "");
    if (ends) {
      scan.release();
      out.problem("closer-missing", `</${other!.text}>`);
      return text;
    }
    scan.rewind(tag);
    text += part.hit.text;
  }
}

/** Hands over the arguments, which stand in a mapping of their own or beside the name. */
function take(call: Call, members: readonly YamlMember[]): boolean {
  for (const { key, kind, text, members: inner } of members) {
    if (!ARGUMENTS.includes(key) || call.parameters.includes(key)) call.parameter(key, kind)(text);
    else if (inner !== undefined) {
      inner.forEach((member) => call.parameter(member.key, member.kind)(member.text));
    } else if (text !== "null" && !call.jsonText(text)) return false;
  }
  return true;
}

const TAG_END = new MarkerSet([">"]);
