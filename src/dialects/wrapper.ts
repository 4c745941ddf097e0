/** What may stand in a wrapper that is meant for `<invoke>` elements: models put their other habits there. */
import type { Call, Out } from "../parse/dialect.ts";
import type { Marker } from "../parse/marker.ts";
import type { Mark, Scanner, Step } from "../parse/scanner.ts";
import { jsonCall, jsonCalls } from "./json_calls.ts";
import { namedCalls } from "./name_parameters.ts";

/**
 * Reads a body of JSON, of `<name>` and `<parameters>`, or of `<tool_call>` with JSON inside, up to one of
 * `closers`. Undefined, with nothing but white space eaten, when the body is none of these.
 */
export function* otherBody(scan: Scanner, out: Out, closers: readonly Marker[]): Step<boolean | undefined> {
  let found = false;
  for (;;) {
    yield* scan.skipSpace();
    const first = yield* scan.peek();
    if (first === "{") {
      if (!(yield* jsonLine(scan, out))) return false;
    } else if (first === "[") {
      if (!(yield* jsonCalls(scan, out))) return false;
    } else if (found && (yield* scan.accept(",", ";"))) continue;
    else if (yield* scan.accept("<name>")) {
      if (!(yield* namedCalls(scan, out))) return false;
    } else if (yield* nested(scan)) continue;
    else if (!found) return undefined;
    else if ((yield* scan.accept(...closers)) || (yield* closerCut(scan))) return true;
    else if (!(yield* skipLine(scan, out, scan.here()))) return false;
    found = true;
  }
}

/** Reads a call; a line that is none is text where JSON follows (MiniMax M1). */
function* jsonLine(scan: Scanner, out: Out): Step<boolean> {
  const start = scan.here();
  let call: Call | undefined;
  const noting: Out = {
    call: (name, id) => call = out.call(name, id),
    knows: (name) => out.knows(name),
    text: (text) => out.text(text),
    say: (field, text) => out.say(field, text),
    problem: (code, detail) => out.problem(code, detail),
  };
  return (yield* jsonCall(scan, noting)) ||
    (yield* skipLine(scan, out, start, () => call === undefined || call.abandon()));
}

/** The rest of a line is read, and what was read since `start` is text, where JSON follows and `abandon` agrees. */
function* skipLine(scan: Scanner, out: Out, start: Mark, abandon = () => true): Step<boolean> {
  yield* scan.run(LINE_END, () => {});
  yield* scan.skipSpace();
  if ((yield* scan.peek()) !== "{" || !abandon()) return false;
  out.problem("not-a-call", "a line of the block");
  out.text(scan.since(start).map(({ text }) => text).join(""));
  return true;
}

const LINE_END = /\n/g;

/** A closer that the end of the turn cuts off (MiniMax M1). */
function* closerCut(scan: Scanner): Step<boolean> {
  const behind = scan.mark();
  let name = "";
  if (yield* scan.accept("</")) yield* scan.run(NAME_END, (text) => name += text);
  const cut = name !== "" && (yield* scan.peek()) === "";
  if (cut) scan.release();
  else scan.rewind(behind);
  return cut;
}

const NAME_END = /[^\w:.-]/g;

/** `<tool_call>` or its closer inside the block, with JSON or a name behind it. */
function* nested(scan: Scanner): Step<boolean> {
  const behind = scan.mark();
  const tag = yield* scan.accept("<tool_call>", "</tool_call>");
  yield* scan.skipSpace();
  const next = tag === undefined ? "" : tag.text === "</tool_call>" ? "{" : yield* scan.peek();
  const json = next === "{" || next === "[" || (next === "<" && (yield* startsName(scan)));
  if (json) scan.release();
  else scan.rewind(behind);
  return json;
}

function* startsName(scan: Scanner): Step<boolean> {
  const behind = scan.mark();
  const name = (yield* scan.accept("<name>")) !== undefined;
  scan.rewind(behind);
  return name;
}
