/** gpt-oss's Harmony: messages in channels, some of them to a tool. */
import type { Dialect, Out } from "../parse/dialect.ts";
import { either, type Marker, MarkerSet, maybe, shape, space } from "../parse/marker.ts";
import type { Scanner, Step } from "../parse/scanner.ts";
import { type Header, headerOf, readHeader, strippedHeader } from "./harmony_header.ts";
import { acceptBehindSpace, dropMarker, said } from "./said.ts";

// gpt-oss; `<|start|>assistant` of the first message stands in the prompt:
//   <|channel|>analysis<|message|>Need data.<|end|>
//   <|start|>assistant<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>{"city": …}<|call|>
//   <|start|>assistant<|channel|>final<|message|>It is sunny.<|return|>
// `analysis` is reasoning, `final` is content, and so is `commentary` to nobody. A call goes to a recipient, in any
// channel; the recipient may stand behind the role: `<|start|>assistant to=functions.get_weather<|channel|>…`.
// Servers drop the tokens: `assistantcommentary to=functions.get_weather json{"city": …}` is left. These are words,
// so they count only with all of it there: the recipient in full, a known tool, and arguments.
// Elsewhere: vLLM openai, SGLang gpt-oss, Ollama harmony.
const START = "<|start|>";
const CHANNEL = "<|channel|>";
const LOST_START = shape("assistant", space, CHANNEL);
const END = "<|end|>";
const STRIPPED = [
  shape(maybe("assistant"), either("analysis", "commentary", "final"), space, "to=functions."),
  shape(maybe("assistant "), "to=functions."),
];
const OPENERS: readonly Marker[] = [START, CHANNEL, LOST_START];
const CLOSERS: readonly string[] = [END, "<|call|>", "<|return|>"];
const BODY_END = new MarkerSet([...CLOSERS, ...OPENERS]);
const BODY_CLOSED = new MarkerSet([...CLOSERS, "<"]);

export const harmony: Dialect = {
  id: "harmony",
  aka: ["openai", "gpt-oss", "gptoss"],
  models: "gpt-oss",
  opens: [
    ...[...OPENERS, END].map((marker) => ({ marker, form: "wrapped" as const })),
    ...STRIPPED.map((marker) => ({ marker, form: "recovered" as const })),
  ],

  *block(scan, out, hit, { form }) {
    if (form === "recovered") {
      const header = yield* strippedHeader(scan, out);
      if (header === undefined || !(yield* call(scan, out, header))) return false;
      yield* acceptBehindSpace(scan, ...CLOSERS);
      return true;
    }
    if (hit.text === END) return (yield* comesMessage(scan)) && dropMarker(out);
    const header = headerOf(yield* readHeader(scan, hit.text), out);
    return header !== undefined && (yield* messages(scan, out, header));
  },
};

/** Reads the message whose header is eaten, and those that follow it. */
function* messages(scan: Scanner, out: Out, first: Header): Step<boolean> {
  let header = first;
  for (let called = false;;) {
    if (header.role !== "assistant") {
      if (!called) return false;
      out.problem("result-invented", header.role); // rule 9: the answer ends there
      yield* scan.run(NEVER, () => {});
      return true;
    }
    if (header.recipient !== undefined) {
      if (!(yield* call(scan, out, header))) return called;
      yield* messageEnd(scan, out);
      called = true;
    } else if (header.channel !== "analysis") return dropMarker(out) || called;
    else {
      const end = yield* said(scan, out, "reasoning", BODY_END);
      if (end === false) return called;
      if (end === undefined) return true;
      if (!CLOSERS.includes(end.text)) scan.rewind(scan.mark(end.text));
    }
    const behind = scan.mark();
    yield* scan.skipSpace();
    const opener = yield* scan.accept(...OPENERS);
    const next = opener && headerOf(yield* readHeader(scan, opener.text), out);
    if (next === undefined) {
      scan.rewind(behind);
      return true;
    }
    scan.release();
    header = next;
  }
}

/** Reads a call's body. */
function* call(scan: Scanner, out: Out, { recipient = "", code }: Header): Step<boolean> {
  yield* scan.skipSpace();
  const empty = (yield* scan.sees(...CLOSERS, START)) !== undefined;
  const first = yield* scan.peek();
  const object = first === "{";
  if (!empty && !object && !code && first !== "") return false; // at the end of the turn a call was cut off
  const call = out.call(recipient);
  if (call === undefined) return false;
  if (object) return (yield* call.json(scan)) && call.end();
  if (empty) return call.end();
  if (first === "") return false;
  // The built-in Python tool is given code as it stands.
  const [only, ...others] = call.parameters;
  if (only === undefined || others.length > 0) return false;
  const end = yield* scan.until(BODY_END, call.parameter(only, "string"));
  if (end === undefined) return false;
  scan.rewind(scan.mark(end.text));
  return call.end();
}

/** The closer of a call, with text before it that is no part of the arguments. */
function* messageEnd(scan: Scanner, out: Out): Step<void> {
  if (yield* acceptBehindSpace(scan, ...CLOSERS)) return;
  const behind = scan.mark();
  const text = yield* scan.take(BODY_CLOSED, 160);
  if (text === undefined || text.hit.text === "<") return scan.rewind(behind);
  scan.release();
  out.text(text.text);
}

/** Another message comes next, or the end of the turn. */
function* comesMessage(scan: Scanner): Step<boolean> {
  const behind = scan.mark();
  yield* scan.skipSpace();
  const comes = (yield* scan.accept(...OPENERS)) !== undefined || (yield* scan.peek()) === "";
  scan.rewind(behind);
  return comes;
}

const NEVER = /[^\s\S]/g;
