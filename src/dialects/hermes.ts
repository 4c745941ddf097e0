/** Hermes' JSON in `<tool_call>`, the form that most models know. */
import type { Dialect } from "../parse/dialect.ts";
import { MarkerSet } from "../parse/marker.ts";
import type { Scanner, Step } from "../parse/scanner.ts";
import { jsonCalls } from "./json_calls.ts";
import { acceptBehindSpace } from "./said.ts";
import { otherBody } from "./wrapper.ts";

// NousResearch Hermes 2 to 4, Qwen2.5, QwQ, Qwen3, Granite 4, EXAONE 4, ERNIE 4.5, Trinity, most fine-tunes:
//   <tool_call>
//   {"name": "get_weather", "arguments": {"city": "Paris", "days": 3}}
//   </tool_call>
// Elsewhere: vLLM hermes, SGLang qwen25, llama.cpp "Hermes 2 Pro", Dynamo hermes.
const OTHER_TAGS = [
  "<tool>",
  "<function>",
  "<response>",
  "<json>",
  "<JSON>",
  "<xml>",
];
/** Tags that other dialects read, but not round `<tool_call>`. */
const ROUND = ["<function_call>", "<tools>"];
/** What models put round the JSON once more, inside `<tool_call>`. */
const INSIDE = [...OTHER_TAGS, ...ROUND];
const FENCES = ["```json", "```xml", "```"];

export const hermes: Dialect = {
  id: "hermes",
  aka: ["hermes", "qwen", "qwen25", "qwen3", "granite4", "exaone4", "ernie45"],
  models: "Hermes 2 to 4; Qwen2.5, QwQ, Qwen3; Granite 4; EXAONE 4; ERNIE 4.5; most fine-tunes",
  opens: [
    { marker: "<tool_call>", form: "wrapped" },
    ...INSIDE.map((marker) => ({ marker, form: "recovered" as const })),
  ],

  *block(scan, out, { text: opener }) {
    yield* scan.skipSpace();
    if (opener !== "<tool_call>" && (yield* scan.sees("<tool_call>"))) {
      return (yield* otherBody(scan, out, [closing(opener)])) ?? false;
    }
    if (ROUND.includes(opener)) return false;
    const inner = yield* scan.accept("<tool_call>", ...INSIDE, ...FENCES);
    yield* scan.skipSpace();
    let closed = (yield* scan.peek()) === "["; // also without the tag that closes the block
    if (!(yield* jsonCalls(scan, out))) return false;
    for (;;) {
      yield* scan.skipSpace();
      if (!(yield* scan.accept("}"))) break;
      out.problem("arguments-repaired", "a closing brace too many");
    }
    if (inner !== undefined && FENCES.includes(inner.text)) {
      out.problem("fence-unwrapped", inner.text);
      closed = (yield* acceptBehindSpace(scan, "```")) !== undefined;
      yield* scan.skipSpace();
    } else if (inner !== undefined && (yield* closer(scan))) {
      yield* acceptBehindSpace(scan, closing(opener));
      return true;
    }
    if (yield* closer(scan)) return true;
    const behind = scan.mark();
    const stray = yield* scan.take(STRAY_END, 512);
    if (stray?.hit.text === "</tool_call>") {
      out.text(stray.text);
      return true;
    }
    scan.rewind(behind);
    return closed;
  },
};

/** The tag that closes what `tag` opens. */
const closing = (tag: string): string => `</${tag.slice(1)}`;

/** The closer, also a wrong one (`</tool_response>`, `</get_weather>`) or one that was cut off. */
function* closer(scan: Scanner): Step<boolean> {
  const behind = scan.mark();
  let name = "";
  if (yield* scan.accept("</")) {
    yield* scan.run(NAME_END, (text) => name += text);
    if ((yield* scan.accept(">")) || (yield* scan.peek()) === "") {
      scan.release();
      return true;
    }
  }
  scan.rewind(behind);
  return false;
}

const NAME_END = /[^\w:.-]/g;
const STRAY_END = new MarkerSet(["</tool_call>", "<"]);
