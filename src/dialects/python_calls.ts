/** Calls as Python writes them: `get_weather(city="Paris", days=3)` (family G). */
import type { Call, Out } from "../parse/dialect.ts";
import { MarkerSet } from "../parse/marker.ts";
import type { Scanner, Step } from "../parse/scanner.ts";
import { pythonGap, pythonValue } from "./python_literal.ts";
import { KEYWORD, opensPythonString, pythonString, type StringPlace } from "./python_string.ts";
import { BLOCK_ENDS } from "./pythonic_rows.ts";

/** A call whose name and bracket come next; eats both. Undefined, with nothing eaten, when something else does. */
export function* callee(scan: Scanner): Step<string | undefined> {
  const start = scan.mark();
  let name = "";
  yield* scan.run(NAME_END, (text) => name += text);
  if (NAME.test(name) && (yield* scan.accept("("))) {
    scan.release();
    return name;
  }
  scan.rewind(start);
  return undefined;
}

/** Reads one call; its name and bracket are eaten. */
export function* pythonCall(scan: Scanner, out: Out, name: string): Step<boolean> {
  const call = out.call(name);
  return call !== undefined && (yield* pythonArguments(scan, out, call));
}

/** Reads the arguments up to the bracket that closes them, which may be another one, and ends the call. */
function* pythonArguments(scan: Scanner, out: Out, call: Call): Step<boolean> {
  const declares = (name: string) => call.parameters.length === 0 || call.parameters.includes(name);
  for (let given = 0, named = false, commas = 0;;) {
    const char = yield* pythonGap(scan);
    if (char === "") return false;
    const wrong = given > 0 && commas < given && (char === "]" || char === "}");
    if (char === ")" || wrong) {
      yield* scan.next();
      return call.end(wrong);
    }
    if (char === "," && commas < given) {
      yield* scan.next();
      commas++;
      continue;
    }
    if (commas < given) return false;
    const keyword = yield* scan.accept(KEYWORD);
    const name = keyword?.text.slice(0, -1).trim() ?? call.parameters[given];
    if (keyword === undefined && named) return false;
    named ||= keyword !== undefined;
    if (keyword === undefined && char === "{") {
      // One dictionary for all arguments, or the first of them.
      const json = yield* pythonValue(scan, out);
      if (json === undefined) return false;
      const keys = Object.keys(JSON.parse(json) as object);
      if (keys.length > 0 && given === 0 && keys.every((key) => call.parameters.includes(key))) {
        if (!call.jsonText(json)) return false;
      } else if (name === undefined || !give(call, name, json)) return false;
    } else {
      const place = keyword === undefined ? "argument" : { declares };
      if (name === undefined || !(yield* argument(scan, out, call, name, place))) return false;
    }
    given++;
  }
}

/** Reads one argument: strings as they come, all else once it is whole. */
function* argument(
  scan: Scanner,
  out: Out,
  call: Call,
  name: string,
  place: StringPlace,
): Step<boolean> {
  yield* pythonGap(scan);
  if (yield* opensPythonString(scan)) {
    return yield* pythonString(scan, out, call.parameter(name, "string"), place);
  }
  const json = yield* pythonValue(scan, out);
  return json !== undefined && give(call, name, json);
}

const give = (call: Call, name: string, json: string): boolean =>
  call.jsonText(`{${JSON.stringify(name)}:${json}}`);

/**
 * Reads calls for as long as there are any, with commas, semicolons or white space between. Whatever follows is
 * left. True when there was at least one, and none broke off; with `salvage`, one that breaks off is text where
 * another follows it.
 */
export function* pythonCalls(scan: Scanner, out: Out, salvage = false): Step<boolean> {
  for (let calls = 0;; calls++) {
    const behind = scan.mark();
    yield* scan.skipSpace();
    let separated = false;
    while (calls > 0 && (yield* scan.accept(",", ";"))) {
      separated = true;
      yield* scan.skipSpace();
    }
    const name = yield* callee(scan);
    if (name === undefined) {
      if (separated && (yield* listEnds(scan))) scan.release(); // models end the last call like a statement
      else scan.rewind(behind);
      return calls > 0;
    }
    scan.release();
    const call = out.call(name);
    if (call === undefined) return false;
    const start = scan.here();
    if (yield* pythonArguments(scan, out, call)) continue;
    if (!salvage || !call.abandon() || !(yield* reachNextCall(scan, out))) return false;
    out.text(`${name}(${scan.since(start).map(({ text }) => text).join("")}`);
  }
}

/** The end of the turn, of the list or of the block comes next. */
function* listEnds(scan: Scanner): Step<boolean> {
  const next = yield* scan.peek();
  return next === "" || next === "]" || (yield* scan.sees(...BLOCK_ENDS)) !== undefined;
}

/** Reads on to where another call follows. */
function* reachNextCall(scan: Scanner, out: Out): Step<boolean> {
  for (let tries = 0; tries < 16; tries++) {
    if ((yield* scan.take(CLOSING, 1024)) === undefined) return false;
    const behind = scan.mark();
    yield* scan.skipSpace();
    yield* scan.accept(",", ";");
    yield* scan.skipSpace();
    const name = yield* callee(scan);
    scan.rewind(behind);
    if (name !== undefined && out.knows(name)) return true;
  }
  return false;
}

/** Reads a list of calls, with or without its brackets; models forget the last, or write another. */
export function* pythonList(scan: Scanner, out: Out, salvage = false): Step<boolean> {
  yield* scan.skipSpace();
  const listed = (yield* scan.accept("[")) !== undefined;
  if (!(yield* pythonCalls(scan, out, salvage))) return false;
  if (!listed) return true;
  const behind = scan.mark();
  yield* scan.skipSpace();
  yield* scan.accept(",");
  yield* scan.skipSpace();
  if (yield* scan.accept("]")) {
    scan.release();
    return true;
  }
  const wrong = yield* scan.accept(")", "}");
  out.problem("closer-missing", wrong === undefined ? "]" : `${wrong.text} instead of ]`);
  if (wrong !== undefined) scan.release();
  else scan.rewind(behind);
  return true;
}

const CLOSING = new MarkerSet([")"]);
const NAME_END = /[^\w.:/-]/g;
const NAME = /^[A-Za-z_][\w.:/-]{0,127}$/;
