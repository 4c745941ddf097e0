/** Calls as a `<name>` element beside a `<parameters>` element. */
import type { Call, Dialect, Out } from "../parse/dialect.ts";
import { chars, MarkerSet, shape } from "../parse/marker.ts";
import type { Scanner, Step } from "../parse/scanner.ts";
import { unwrapPairedLineBreaks } from "../parse/sinks.ts";
import { comes } from "./element_value.ts";

// Qwen3 and DeepSeek under prompts of their own:
//   <tool_call><name>get_weather</name><parameters>{"city": "Paris", "days": 3}</parameters></tool_call>
// or <arguments>, or an element a parameter: <parameters><city>Paris</city></parameters>.
// Read first by opencode_compat_proxy. Some say <function> for <name>. Anthropic's models in 2023:
//   <function_calls>
//   <invoke>
//   <tool_name>get_weather</tool_name>
//   <parameters><city>Paris</city></parameters>
//   </invoke>
//   </function_calls>
const NAME = ["<name>", "<tool_name>", "<function>"];
const NAME_END = new MarkerSet(["</name>", "</tool_name>", "</function>"]);
const TAG_END = new MarkerSet([">"]);
const LETTERS = "abcdefghijklmnopqrstuvwxyz";
const NEXT = shape("<", chars(`${LETTERS}${LETTERS.toUpperCase()}0123456789_.:-`, 1, 128), ">");

export const nameParameters: Dialect = {
  id: "name-parameters",
  aka: [],
  models: "Qwen3 and DeepSeek through prompt-mode harnesses",
  opens: [{ marker: "<tool_call>", form: "wrapped" }],

  *block(scan, out) {
    yield* scan.skipSpace();
    if (!(yield* scan.accept(...NAME)) || !(yield* namedCalls(scan, out))) return false;
    yield* scan.skipSpace();
    return (yield* scan.accept("</tool_call>", "</tool_calls>")) !== undefined;
  },
};

export const anthropic2023: Dialect = {
  id: "anthropic-2023",
  aka: [],
  models: "Claude 2 and what was trained on it",
  opens: [
    { marker: "<function_calls>", form: "wrapped" },
    { marker: "<invoke>", form: "recovered" },
  ],

  *block(scan, out, _hit, { form }) {
    for (let calls = 0, open = form === "recovered";; calls++, open = false) {
      yield* scan.skipSpace();
      if (!open && form === "wrapped" && calls > 0 && (yield* scan.accept("</function_calls>"))) return true;
      if (!open && !(yield* scan.accept("<invoke>"))) return form === "recovered";
      yield* scan.skipSpace();
      if (!(yield* scan.accept("<tool_name>", "<name>"))) return false;
      if (!(yield* namedCalls(scan, out, "</invoke>"))) return false;
    }
  },
};

/**
 * Reads the calls that begin with a `<name>` that is eaten; `closer` ends each of them. False when one broke off.
 */
export function* namedCalls(scan: Scanner, out: Out, closer?: string): Step<boolean> {
  for (;;) {
    const name = yield* scan.take(NAME_END);
    const call = name && out.call(name.text);
    const end = call && (yield* parameters(scan, call));
    if (call === undefined || end === undefined) return false;
    if (closer !== undefined) {
      yield* scan.skipSpace();
      if (!(yield* scan.accept(closer))) return false;
    }
    if (!call.end(end === "recovered")) return false;
    const behind = scan.mark();
    yield* scan.skipSpace();
    if (closer !== undefined || !(yield* scan.accept(...NAME))) {
      scan.rewind(behind);
      return true;
    }
    scan.release();
  }
}

/** Reads what stands behind the name; undefined when it breaks off, "recovered" when its closer is missing. */
function* parameters(scan: Scanner, call: Call): Step<"closed" | "recovered" | undefined> {
  yield* scan.skipSpace();
  const opener = yield* scan.accept("<parameters>", "<arguments>");
  if (opener === undefined) {
    const json = (yield* scan.peek()) === "{";
    return (json ? yield* call.json(scan) : yield* comesClosed(scan)) ? "closed" : undefined;
  }
  const closer = opener.text === "<parameters>" ? "</parameters>" : "</arguments>";
  yield* scan.skipSpace();
  if ((yield* scan.peek()) === "{") {
    if (!(yield* call.json(scan))) return undefined;
    yield* scan.skipSpace();
    return (yield* scan.accept(closer)) === undefined ? "recovered" : "closed";
  }
  for (;;) {
    yield* scan.skipSpace();
    if (yield* scan.accept(closer)) return "closed";
    if (!(yield* scan.accept("<"))) return undefined;
    const tag = yield* scan.take(TAG_END);
    if (tag === undefined || !/^[\w.:-]+$/.test(tag.text)) return undefined;
    if (!(yield* value(scan, tag.text, closer, call))) return undefined;
  }
}

/**
 * Reads the value of the element `name`, inside one that `closer` closes. A file may hold the same tags: a closer
 * counts once those that the value has opened are closed, or where nothing else comes behind it. False when it breaks off.
 */
function* value(scan: Scanner, name: string, closer: string, call: Call): Step<boolean> {
  const open = `<${name}>`;
  const inside = new MarkerSet([open, `</${name}>`]);
  const sink = unwrapPairedLineBreaks(call.parameter(name));
  for (let level = 0;;) {
    const hit = yield* scan.until(inside, sink.write);
    if (hit === undefined) return false;
    if (hit.text === open) level++;
    else if (yield* comes(scan, level === 0 ? [closer, NEXT] : [closer])) break;
    else if (level > 0) level--;
    sink.write(hit.text);
  }
  sink.end();
  return true;
}

/** A call without parameters may go without their element, but not in the middle of a turn that breaks off. */
function* comesClosed(scan: Scanner): Step<boolean> {
  const behind = scan.mark();
  const closer = yield* scan.accept("</tool_call>", "</tool_calls>", "</invoke>", ...NAME);
  scan.rewind(behind);
  return closer !== undefined;
}
