/** Calls written as JSON (families A and E): an object, several, or a list of them. */
import type { Call, Out } from "../parse/dialect.ts";
import { AFTER_MEMBER, jsonGap, jsonText, jsonValue } from "../parse/json.ts";
import { opensString } from "../parse/json_string.ts";
import type { Scanner, Step } from "../parse/scanner.ts";

const NAME_KEYS: readonly string[] = ["name", "tool_name", "tool", "function", "function_name"];
const ARGUMENTS_KEYS: readonly string[] = [
  "arguments",
  "parameters",
  "args",
  "params",
  "input",
  "tool_input",
];
const ID_KEYS: readonly string[] = ["id", "tool_call_id", "call_id"];
const PLAIN_KEYS: readonly string[] = ["type", "index"]; // they say nothing that is not known
const KEY_END = /[\s:,{}[\]()<>"'`\\]/g;

/** How calls are written, where it is not the common way. */
export interface JsonForm {
  /** The `[` of the list is eaten. */
  readonly inList?: boolean;
  /** A call has a name and arguments, and nothing else that means something: anything more is data. */
  readonly strict?: boolean;
  /** The one key of an object is the name: `{"get_weather": {"city": "Paris"}}`. */
  readonly keyIsName?: boolean;
}

/**
 * Reads calls for as long as there are any: objects one behind the other, with or without `,` or `;` between,
 * or in a list. Whatever follows is left. True when there was at least one, and none broke off.
 */
export function* jsonCalls(scan: Scanner, out: Out, form: JsonForm = {}): Step<boolean> {
  for (let calls = 0, lists = form.inList ? 1 : 0;;) {
    const behind = scan.mark();
    const char = yield* jsonGap(scan);
    if (char === "{" || (char === "\\" && calls === 0)) {
      scan.release();
      if (!(yield* jsonCall(scan, out, form))) return false;
      calls++;
    } else if (char === "[" && lists === 0 && calls === 0) {
      scan.release();
      yield* scan.next();
      lists++;
    } else if ((char === "," || char === ";") && calls > 0) {
      scan.release();
      yield* scan.next();
    } else if (char === "]" && lists > 0) {
      scan.release();
      yield* scan.next();
      return calls > 0;
    } else {
      scan.rewind(behind);
      return calls > 0;
    }
  }
}

/** What is known of a call while its object is read. */
interface Reading {
  call?: Call | undefined;
  id?: string;
  /** Arguments that came before the name, as JSON. */
  early?: string;
  /** The arguments have been read. */
  done?: boolean;
  readonly form: JsonForm;
  /** Members that are neither name nor arguments, as JSON. */
  readonly others: Map<string, string>;
}

/** Reads one call; the `{` is not yet eaten. */
export function* jsonCall(scan: Scanner, out: Out, form: JsonForm = {}): Step<boolean> {
  const reading: Reading = { form, others: new Map() };
  const whole = yield* members(scan, out, reading);
  if (whole === undefined) return false;
  const { call, others } = reading;
  if (call === undefined) return namedByKey(out, others);
  if (form.strict && !reading.done) return false;
  if (!reading.done && others.size > 0) {
    // `{"name": "f", "city": "Paris"}`: the arguments stand beside the name.
    const parts = [...others].map(([key, json]) => `${JSON.stringify(key)}:${json}`);
    if (!call.jsonText(`{${parts.join(",")}}`)) return false;
  }
  return call.end(!whole);
}

/** Reads an object's members. True when it closed; undefined when it is no call. */
function* members(scan: Scanner, out: Out, reading: Reading): Step<boolean | undefined> {
  yield* scan.next();
  for (;;) {
    const char = yield* jsonGap(scan);
    if (char === ",") yield* scan.next();
    else if (char === "}") {
      yield* scan.next();
      return true;
    } else if (char === "") return undefined;
    else if (reading.done && "<[`;|".includes(char)) return false; // the last `}` is missing
    else if (!(yield* member(scan, out, reading))) return undefined;
  }
}

function* member(scan: Scanner, out: Out, reading: Reading): Step<boolean> {
  const key = yield* readKey(scan);
  if (key === undefined || (yield* jsonGap(scan)) !== ":") return false;
  yield* scan.next();
  if (reading.form.keyIsName && reading.call === undefined && (yield* jsonGap(scan)) === "{") {
    reading.call = out.call(key);
    reading.done = true;
    return reading.call !== undefined && (yield* reading.call.json(scan));
  }
  if (NAME_KEYS.includes(key) && reading.call === undefined) {
    if ((yield* jsonGap(scan)) === "{") return (yield* members(scan, out, reading)) !== undefined; // OpenAI's shape
    const name = yield* jsonText(scan, { after: AFTER_MEMBER });
    reading.call = name === undefined ? undefined : out.call(name, reading.id);
    if (reading.call === undefined) return false;
    return reading.early === undefined || reading.call.jsonText(reading.early);
  }
  if (ARGUMENTS_KEYS.includes(key) && !reading.done) {
    reading.done = true;
    if (reading.call !== undefined) return yield* reading.call.json(scan);
    const json = yield* readJson(scan);
    if (json !== undefined) reading.early = json;
    return json !== undefined;
  }
  if (reading.form.strict && !ID_KEYS.includes(key) && !PLAIN_KEYS.includes(key)) return false;
  const json = yield* readJson(scan);
  if (json === undefined) return false;
  if (ID_KEYS.includes(key)) {
    const id = json.startsWith('"') ? JSON.parse(json) as string : json;
    if (id === "" || id === "null") return true;
    reading.id = id;
    reading.call?.identify(id);
  } else if (!PLAIN_KEYS.includes(key)) reading.others.set(key, json);
  return true;
}

/** `{"f": {"city": "Paris"}}`: the key is the name (Apertus). */
function namedByKey(out: Out, others: ReadonlyMap<string, string>): boolean {
  const [entry, ...more] = others;
  if (entry === undefined || more.length > 0 || !out.knows(entry[0]) || !entry[1].startsWith("{")) {
    return false;
  }
  const call = out.call(entry[0]);
  return call !== undefined && call.jsonText(entry[1]) && call.end();
}

function* readKey(scan: Scanner): Step<string | undefined> {
  if (opensString(yield* jsonGap(scan))) return yield* jsonText(scan);
  let key = "";
  yield* scan.run(KEY_END, (text) => key += text);
  return key === "" ? undefined : key;
}

function* readJson(scan: Scanner): Step<string | undefined> {
  let json = "";
  const end = yield* jsonValue(scan, (text) => json += text, { after: AFTER_MEMBER });
  return end === "complete" ? json : undefined;
}
