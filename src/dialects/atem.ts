/** ATEM of Muse: messages to a recipient, and calls as `<atem:invoke>` elements in those to a tool. */
import type { Dialect } from "../parse/dialect.ts";
import { chars, either, type Marker, MarkerSet, shape, space } from "../parse/marker.ts";
import type { Scanner, Step } from "../parse/scanner.ts";
import { unwrapPairedLineBreaks } from "../parse/sinks.ts";
import { ATEM_TAGS } from "./element_rows.ts";
import { elementCalls, type ElementGrammar } from "./elements.ts";

// Muse Glimmer; the prompt ends with <|start|>assistant:
//    to=self<|message|>I should look it up.<|eom|>
//   <|start|>assistant to=get_weather<|message|><atem:function_calls>
//   <atem:invoke name="get_weather">
//   <atem:parameter name="city">Paris</atem:parameter>
//   </atem:invoke>
//   </atem:function_calls><|eot|>
// What goes to `self` is reasoning, what goes to `user` content; markup in either is no call. Seen: a recipient
// that is not the tool, no header at all, `name="read<|message|>"` (ggml-org/llama.cpp#27025, #29240).
// Elsewhere: vLLM and SGLang muse_glimmer, Rapid-MLX muse.
const BLOCK = "<atem:function_calls>";
const NAME = chars("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:/-", 1, 64);
const HEADER_END = either("<|message|>", BLOCK);
const FIRST_HEADER = shape("to=", NAME, space, HEADER_END);
const HEADER = shape("<|start|>assistant", space, "to=", NAME, space, HEADER_END);
const MESSAGE_ENDS = ["<|eom|>", "<|eot|>", "<|end_of_text|>"] as const;
const CHANNEL_END = new MarkerSet<Marker>([...MESSAGE_ENDS, HEADER]);

const GRAMMAR: ElementGrammar = {
  tags: [ATEM_TAGS],
  blockStart: [BLOCK],
  blockEnd: ["</atem:function_calls>"],
  wrap: unwrapPairedLineBreaks,
};

export const atem: Dialect = {
  id: "atem",
  aka: ["muse", "muse_glimmer", "glimmer"],
  models: "Muse, Muse Glimmer",
  opens: [
    { marker: FIRST_HEADER, form: "wrapped", where: "turn" },
    { marker: HEADER, form: "wrapped" },
    { marker: BLOCK, form: "wrapped" },
    ...ATEM_TAGS.call.map((marker) => ({ marker, form: "recovered" as const })),
  ],

  *block(scan, out, hit, { form }) {
    if (form === "recovered") return yield* elementCalls(scan, out, GRAMMAR, hit);
    for (let header: string | undefined = hit.text; header !== undefined;) {
      const to = /to=([^\s<]*)/.exec(header)?.[1];
      if (header.endsWith("|>") && (to === "self" || to === "user")) {
        const end = yield* scan.until(
          CHANNEL_END,
          (text) => out.say(to === "self" ? "reasoning" : "content", text),
        );
        header = end?.marker === HEADER ? end.text : yield* nextHeader(scan);
        continue;
      }
      if (header.endsWith("|>")) {
        yield* scan.skipSpace();
        if (!(yield* scan.sees(BLOCK, ...ATEM_TAGS.call))) return false;
      }
      if (!(yield* elementCalls(scan, out, GRAMMAR, undefined))) return false;
      header = yield* nextHeader(scan);
    }
    return true;
  },
};

/** The header of the message that follows; the end of the one before is eaten. */
function* nextHeader(scan: Scanner): Step<string | undefined> {
  const behind = scan.mark();
  do yield* scan.skipSpace(); while (yield* scan.accept(...MESSAGE_ENDS));
  const header = yield* scan.accept<Marker>(HEADER, BLOCK);
  if (header !== undefined || (yield* scan.peek()) === "") scan.release();
  else scan.rewind(behind);
  return header?.text;
}
