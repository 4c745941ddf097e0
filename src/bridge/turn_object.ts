/** Reads a whole turn that is one JSON object: what it says, and what it calls. */
import { jsonCalls } from "../dialects/json_calls.ts";
import type { Call, Out } from "../parse/dialect.ts";
import {
  AFTER_MEMBER,
  type JsonEnd,
  jsonGap,
  jsonMembers,
  jsonString,
  jsonText,
  jsonValue,
} from "../parse/json.ts";
import { opensString } from "../parse/json_string.ts";
import { chars, either, shape } from "../parse/marker.ts";
import { Scanner, type Sink, type Step } from "../parse/scanner.ts";

const MESSAGES = ["message", "content", "text", "response", "answer"];
const CALLS = ["tool_calls", "toolCalls", "tool_call", "calls", "tools"];
const NAMES = ["name", "tool", "tool_name"];
const ARGUMENTS = ["arguments", "args", "parameters", "params", "input", "tool_input"];
const MODES = new Set(
  ("tool tools tool_call tool_calls tool_use toolcall call calls action function function_call final final_answer " +
    "answer response message text reply chat done complete finish end stop clarify clarification question ask")
    .split(" "),
);

const ROOM = chars(" \t\r\n", 0, 64);
const QUOTE = either('"', "'", "“", "”", '\\"', "");

const startWith = (...keys: readonly string[]) => shape("{", ROOM, QUOTE, either(...keys), QUOTE, ROOM, ":");

/** How a turn object begins: with one of the keys that it has. */
export const TURN_START = startWith(
  "v",
  "version",
  "mode",
  "message",
  "tool_calls",
  "toolCalls",
  "tool_call",
);
/** How one begins whose model thinks in it first; nobody asked for these members, and they are dropped. */
export const THOUGHT_START = startWith(
  "thought",
  "thoughts",
  "thinking",
  "reasoning",
  "analysis",
  "plan",
);

/** What has been read of a turn object. */
interface Reading {
  /** It has a version, and a mode that may be one. */
  version: boolean;
  mode: boolean;
  /** The mode is one of those that models write. */
  known: boolean;
  /** The tool that the mode names. */
  named: string | undefined;
  /** A list of calls is being read. */
  calling: boolean;
  /** It has a message. */
  message: boolean;
  /** It is a turn: what it says may go out. */
  sure: boolean;
  /** A message that came before that was certain. */
  early: string;
  /** The call whose name stands beside the mode. */
  call: Call | undefined;
}

/**
 * Reads the object that comes next. `certain`: nothing else is to be expected here, so that any mode counts. False when it is no turn, with
 * nothing said; or when it breaks off.
 */
export function* turnObject(scan: Scanner, out: Out, certain: boolean): Step<boolean> {
  const reading: Reading = {
    version: false,
    mode: false,
    known: false,
    named: undefined,
    calling: false,
    message: false,
    sure: false,
    early: "",
    call: undefined,
  };
  const end = yield* jsonMembers(scan, (key) => member(scan, out, reading, key, certain));
  const { sure, version, mode, known } = reading;
  // All that was said has gone out: what is left of a turn that breaks off frames it.
  const calling = reading.calling || reading.call !== undefined;
  if (end !== "complete" && (!sure || calling || (yield* scan.peek()) !== "")) return false;
  if (!sure && !(mode && (reading.message || (version && known)))) return false;
  beSure(out, reading);
  if (reading.call !== undefined && !reading.call.end()) return false;
  out.say("content", ""); // also a turn that says nothing has been read
  yield* strayClosers(scan, out);
  return true;
}

function* member(
  scan: Scanner,
  out: Out,
  reading: Reading,
  key: string,
  certain: boolean,
): Step<JsonEnd> {
  if (key === "mode" || key === "type" || key === "kind") {
    const json = yield* value(scan);
    if (json === undefined) return "broken";
    if (!json.startsWith('"')) return "complete";
    const word = JSON.parse(json) as string;
    reading.known ||= MODES.has(word.toLowerCase());
    reading.mode ||= certain || reading.known;
    if (out.knows(word)) reading.named = word;
    return "complete";
  }
  if (MESSAGES.includes(key)) return yield* message(scan, out, reading);
  if (CALLS.includes(key)) return yield* calls(scan, out, reading);
  if (NAMES.includes(key) && reading.call === undefined && reading.mode) {
    const name = yield* jsonText(scan, { after: AFTER_MEMBER });
    if (name === undefined) return "broken";
    if (!out.knows(name)) return "complete";
    beSure(out, reading);
    reading.call = out.call(name);
    return "complete";
  }
  if (ARGUMENTS.includes(key) && reading.call === undefined && reading.named !== undefined) {
    beSure(out, reading);
    reading.call = out.call(reading.named);
  }
  if (ARGUMENTS.includes(key) && reading.call !== undefined) {
    return (yield* reading.call.json(scan)) ? "complete" : "broken";
  }
  const json = yield* value(scan);
  if (json === undefined) return "broken";
  // `"version": "1.0.0"` is a package's.
  reading.version ||= (key === "v" || (certain && key === "version")) && VERSION.test(json);
  return "complete";
}

function* message(scan: Scanner, out: Out, reading: Reading): Step<JsonEnd> {
  if (reading.version || reading.mode) beSure(out, reading);
  reading.message = true;
  const first = yield* jsonGap(scan);
  if (!opensString(first)) {
    const json = yield* value(scan);
    if (json !== undefined && json !== "null") sayOrKeep(out, reading, json);
    return json === undefined ? "broken" : "complete";
  }
  const text = unescaping((said) => sayOrKeep(out, reading, said));
  return yield* jsonString(scan, text, { after: AFTER_MEMBER });
}

function* calls(scan: Scanner, out: Out, reading: Reading): Step<JsonEnd> {
  const first = yield* jsonGap(scan);
  if (first === "{" || (first === "[" && !(yield* isEmptyList(scan)))) {
    if (reading.version || reading.mode) beSure(out, reading);
    reading.calling = true;
    if (!(yield* jsonCalls(scan, out))) return "broken";
    reading.calling = false;
    beSure(out, reading);
    return "complete";
  }
  const json = yield* value(scan); // null, an empty list, or a list that was written as a string
  if (json === undefined) return "broken";
  if (json.startsWith('"') && callsIn(JSON.parse(json) as string, out)) beSure(out, reading);
  reading.sure ||= reading.version || reading.mode;
  return "complete";
}

/** Calls that were encoded twice. */
function callsIn(text: string, out: Out): boolean {
  if (!/^\s*[[{]/.test(text)) return false;
  const scan = new Scanner();
  scan.push(text);
  scan.end();
  const called = jsonCalls(scan, out).next().value === true; // all is there: it never pauses
  if (called) out.problem("arguments-repaired", "calls that were encoded twice");
  return called;
}

function* isEmptyList(scan: Scanner): Step<boolean> {
  const behind = scan.mark();
  yield* scan.next();
  const empty = (yield* jsonGap(scan)) === "]";
  scan.rewind(behind);
  return empty;
}

function beSure(out: Out, reading: Reading): void {
  reading.sure = true;
  if (reading.early === "") return;
  out.say("content", reading.early);
  reading.early = "";
}

function sayOrKeep(out: Out, reading: Reading, text: string): void {
  if (reading.sure) out.say("content", text);
  else reading.early += text;
}

function* value(scan: Scanner): Step<string | undefined> {
  let json = "";
  const end = yield* jsonValue(scan, (text) => json += text, { after: AFTER_MEMBER });
  return end === "complete" ? json : undefined;
}

/** Closing brackets too many, where nothing else follows. */
function* strayClosers(scan: Scanner, out: Out): Step<void> {
  const behind = scan.mark();
  let stray = "";
  yield* scan.run(NO_CLOSER, (text) => stray += text);
  if (/[}\]]/.test(stray) && ((yield* scan.peek()) === "" || /\s$/.test(stray))) {
    out.problem("arguments-repaired", "a closing brace too many");
    scan.release();
  } else scan.rewind(behind);
}

/** Takes the inside of a JSON string, and hands on what it means; half of a surrogate pair waits for the other half. */
function unescaping(sink: Sink): Sink {
  let half = "";
  return (json) => {
    const text = half + (JSON.parse(`"${json}"`) as string);
    half = /[\ud800-\udbff]$/.test(text) ? text.slice(-1) : "";
    const whole = half === "" ? text : text.slice(0, -1);
    if (whole !== "") sink(whole);
  };
}

const VERSION = /^"?\d+(?:\.0+)?"?$/;
const NO_CLOSER = /[^}\]\s]/g;
