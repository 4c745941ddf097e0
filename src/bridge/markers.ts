/** The protocol `markers`: calls and final answers between words in double brackets. */
import { jsonCalls } from "../dialects/json_calls.ts";
import type { Dialect, Opener, Out } from "../parse/dialect.ts";
import { chars, either, type Hit, type Marker, shape } from "../parse/marker.ts";
import type { Scanner, Step } from "../parse/scanner.ts";
import { type Bridge, lines } from "./bridge.ts";
import { callText } from "./past_call.ts";
import { lineBreakBehind, roomBehind, sayNothing } from "./frame.ts";
import { TURN_START, turnObject } from "./turn_object.ts";

// As NanoProxy teaches it to any model:
//   [[OPENCODE_TOOL]]
//   [[CALL]]
//   {"name": "read", "arguments": {"filePath": "src/app.js"}}
//   [[/CALL]]
//   [[/OPENCODE_TOOL]]
// and, for an answer in words:
//   [[OPENCODE_FINAL]]
//   Your answer here.
//   [[/OPENCODE_FINAL]]
// The words that only say what kind of answer this is are dropped where they stand: what is between them is read
// as any text is, so that a wrong word, a missing closer or a model's own dialect do no harm.
const OPEN = either("[[", "[");
const CLOSE = either("]]", "]");
const GAP = chars(" ", 0, 2);
/** NanoProxy met them in any case. */
const cased = (...words: string[]): string[] =>
  words.flatMap((word) => [
    word,
    word.toLowerCase(),
    word.split("_").map((part) => part.charAt(0) + part.slice(1).toLowerCase()).join("_"),
  ]);
const TOOL_WORDS = cased("OPENCODE_TOOL", "OPENCODE_TOOLS");
const FINAL_WORDS = cased("OPENCODE_FINAL");
const CALL_WORDS = cased("CALL");
const TOOL_WORD = either(...TOOL_WORDS);
const FINAL_WORD = either(...FINAL_WORDS);
const CALL_WORD = either(...CALL_WORDS);
/** It met `[/[CALL]]` as well; JSON would have `\/`. */
const SLASH = either("/", "//", "/[", "\\/");
const BREAK = either("\r\n", "\n", "");

const TOOL = shape(OPEN, GAP, TOOL_WORD, GAP, CLOSE);
const TOOL_END = shape(OPEN, GAP, SLASH, GAP, TOOL_WORD, GAP, CLOSE);
const FINAL = shape(OPEN, GAP, FINAL_WORD, GAP, CLOSE);
const CALL = shape("[[", GAP, CALL_WORD, GAP, CLOSE);
const CALL_BARE = "[CALL]";
const CALL_END = shape(OPEN, GAP, SLASH, GAP, CALL_WORD, GAP, CLOSE);
/** What closes a frame takes the line break before it along. */
const frameEnd = (...words: string[]): Marker =>
  shape(BREAK, OPEN, GAP, SLASH, GAP, either(...words), GAP, CLOSE);
const FINAL_END = frameEnd(...FINAL_WORDS);
const CALLS_END = frameEnd(...TOOL_WORDS, ...CALL_WORDS);
const RESULT = "[[OPENCODE_RESULT]]";
const RESULT_END = "[[/OPENCODE_RESULT]]";

/** What may follow a frame that has closed; white space between is nobody's. */
const FRAMES: readonly Marker[] = [TOOL, CALL, CALL_BARE, FINAL_END, CALLS_END, RESULT];
const ENDS: readonly Marker[] = [CALL_END, TOOL_END, CALL, CALL_BARE, TOOL, FINAL, RESULT];

export const markers: Bridge = {
  id: "markers",

  teach: (example, several) =>
    lines(
      "To call tools, answer with nothing but this, one [[CALL]] block a call, each with one JSON object:",
      "",
      toolTurn([callText(example)]),
      several && "",
      several &&
        "Calls that do not depend on each other may stand in one answer, one block behind the other:",
      several && "",
      several && toolTurn([callText(example), callText(example)]),
      "",
      "When no tool is needed any more, answer with nothing but this:",
      "",
      "[[OPENCODE_FINAL]]\nYour answer here.\n[[/OPENCODE_FINAL]]",
      "",
      `What a tool answers comes to you between ${RESULT} and ${RESULT_END}. Never write that yourself.`,
    ),

  turn: (text, calls) => (text === "" ? "" : `${text}\n`) + toolTurn(calls.map(callText)),

  result: (name, nth) => ({
    before: `${RESULT} ${name}${nth === undefined ? "" : ` (call ${nth})`}\n`,
    behind: `\n${RESULT_END}`,
  }),

  dialect: () => dialect,
};

function toolTurn(calls: readonly string[]): string {
  const blocks = calls.map((call) => `[[CALL]]\n${call}\n[[/CALL]]`);
  return ["[[OPENCODE_TOOL]]", ...blocks, "[[/OPENCODE_TOOL]]"].join("\n");
}

const dialect: Dialect = {
  id: "bridge-markers",
  aka: ["NanoProxy"],
  models: "any model that is taught it",
  opens: [
    { marker: TOOL, form: "wrapped", where: "line", answer: true },
    { marker: TOOL, form: "wrapped", answer: true },
    { marker: CALL, form: "wrapped", answer: true },
    { marker: CALL_BARE, form: "recovered" },
    { marker: FINAL, form: "bare", where: "line", answer: true },
    { marker: FINAL, form: "bare" },
    { marker: FINAL_END, form: "bare" },
    { marker: CALLS_END, form: "bare", where: "line" },
    { marker: CALLS_END, form: "bare" },
    { marker: RESULT, form: "bare", where: "line" },
  ],

  *block(scan, out, hit, opener) {
    if (hit.marker === TOOL) return yield* toolBlock(scan, out, opener);
    if (hit.marker === CALL || hit.marker === CALL_BARE) {
      if (!(yield* call(scan, out))) return false;
      if (opener.form !== "recovered") out.problem("opener-missing", "[[OPENCODE_TOOL]]");
      return true;
    }
    return yield* frame(scan, out, hit, opener);
  },
};

/** A word that only says what kind of answer this is. */
function* frame(scan: Scanner, out: Out, { marker, text }: Hit, { where }: Opener): Step<boolean> {
  if (marker === RESULT) {
    out.problem("result-invented", text);
    yield* scan.run(NEVER, () => {});
  } else if (marker === FINAL) {
    if (where === "line") yield* lineBreakBehind(scan);
  } else {
    if (marker === CALLS_END && !/^[\r\n]/.test(text) && (yield* inWords(scan, where))) return false;
    yield* roomBehind(scan, FRAMES);
  }
  return sayNothing(out);
}

/** In the middle of a line, and words go on behind it: a word for calls is spoken of (`[call]`, `[/call]` are BBCode). */
function* inWords(scan: Scanner, where: Opener["where"]): Step<boolean> {
  if (where !== undefined) return false;
  const behind = scan.mark();
  yield* scan.run(NOT_BLANK, () => {});
  const words = !"\r\n<`".includes(yield* scan.peek()) && !(yield* scan.sees(...FRAMES, FINAL));
  scan.rewind(behind);
  return words;
}

/** The calls behind `[[OPENCODE_TOOL]]`; where there is none, the word was the wrong one. */
function* toolBlock(scan: Scanner, out: Out, { where }: Opener): Step<boolean> {
  const spokenOf = yield* inWords(scan, where);
  for (let calls = 0;;) {
    yield* scan.skipSpace();
    const hit = yield* scan.accept<Marker>(CALL, CALL_BARE, CALL_END, TOOL_END, TOOL);
    if (hit?.marker === CALL || hit?.marker === CALL_BARE) {
      if (!(yield* call(scan, out))) return false;
      calls++;
    } else if (hit?.marker === TOOL_END && calls > 0) return true;
    else if (hit !== undefined) out.problem("not-a-call", hit.text);
    else if (yield* scan.sees(TURN_START)) {
      if (!(yield* turnObject(scan, out, true))) return false;
      calls++;
    } else if ("{[".includes((yield* scan.peek()) || "end") && !(yield* scan.sees(...ENDS))) {
      if (!(yield* jsonCalls(scan, out))) return false;
      calls++;
    } else {
      if (calls > 0) out.problem("closer-missing", "[[/OPENCODE_TOOL]]");
      return calls > 0 || (!spokenOf && sayNothing(out));
    }
  }
}

/** One call, behind `[[CALL]]`: JSON, or a name with JSON behind it. */
function* call(scan: Scanner, out: Out): Step<boolean> {
  yield* scan.skipSpace();
  const fence = yield* scan.accept<Marker>(FENCE, "```");
  if (fence !== undefined) yield* scan.skipSpace();
  const first = yield* scan.peek();
  const whole = first === "{" || first === "["
    ? (yield* scan.sees(...ENDS)) === undefined && (yield* jsonCalls(scan, out))
    : yield* namedCall(scan, out);
  if (!whole) return false;
  yield* scan.skipSpace();
  while (yield* scan.accept("}")) {
    out.problem("arguments-repaired", "a closing brace too many");
    yield* scan.skipSpace();
  }
  if (fence !== undefined) {
    yield* scan.accept("```");
    yield* scan.skipSpace();
  }
  if (!(yield* scan.accept(CALL_END))) {
    out.problem("closer-missing", "[[/CALL]]");
    yield* openerAsCloser(scan);
  }
  return true;
}

/** Eats `[[CALL]]` where no call follows: `[[/CALL]]` was meant. */
function* openerAsCloser(scan: Scanner): Step<void> {
  const behind = scan.mark();
  let closes = (yield* scan.accept(CALL)) !== undefined;
  if (closes) {
    yield* scan.skipSpace();
    closes = (yield* scan.peek()) === "" || (yield* scan.sees(CALL, TOOL_END)) !== undefined;
  }
  if (closes) scan.release();
  else scan.rewind(behind);
}

/** `read {"filePath": "a"}`, `read({"filePath": "a"})` */
function* namedCall(scan: Scanner, out: Out): Step<boolean> {
  let name = "";
  yield* scan.run(NAME_END, (text) => {
    if (name.length < 256) name += text;
  });
  name = name.trim();
  const bracket = yield* scan.accept("(");
  if (bracket === undefined) yield* scan.accept(":");
  yield* scan.skipSpace();
  if ((yield* scan.peek()) !== "{" || !out.knows(name)) return false;
  const made = out.call(name);
  if (made === undefined || !(yield* made.json(scan))) return false;
  if (bracket !== undefined) {
    yield* scan.skipSpace();
    yield* scan.accept(")");
  }
  return made.end();
}

const FENCE = shape("```", either("json", "JSON", "tool_code"));
const NAME_END = /[{[(:\n]/g;
const NOT_BLANK = /[^ \t]/g;
const NEVER = /[^\s\S]/g;
