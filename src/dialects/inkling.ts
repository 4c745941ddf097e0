/** Inkling's messages: each says what its content is. */
import type { Dialect } from "../parse/dialect.ts";
import { MarkerSet } from "../parse/marker.ts";
import { jsonCalls } from "./json_calls.ts";
import { readName } from "./named_json.ts";
import { acceptBehindSpace, dropMarker, said } from "./said.ts";
import { opensObject } from "./token_json.ts";

// Inkling (TML):
//   <|message_model|><|content_thinking|>Need data.<|end_message|>
//   <|message_model|>get_weather<|content_invoke_tool_json|>{"name":"get_weather","args":{…}}<|end_message|>
//   <|message_model|><|content_text|>It is sunny.<|end_message|><|content_model_end_sampling|>
// Elsewhere: vLLM and SGLang inkling.
const MODEL = "<|message_model|>";
const CALL = "<|content_invoke_tool_json|>";
const THINKING = "<|content_thinking|>";
const TEXT = "<|content_text|>";
const END = "<|end_message|>";
const OVER = "<|content_model_end_sampling|>";
const ENDS = new MarkerSet([END, MODEL, OVER]);

export const inkling: Dialect = {
  id: "inkling",
  aka: [],
  models: "Inkling",
  opens: [
    ...[MODEL, THINKING, TEXT, END, OVER].map((marker) => ({ marker, form: "wrapped" as const })),
    { marker: CALL, form: "recovered" },
  ],

  *block(scan, out, hit) {
    let kind: string = hit.text;
    if (kind === MODEL) {
      yield* scan.skipSpace();
      yield* readName(scan); // the JSON names the tool as well
      kind = (yield* scan.accept(CALL, THINKING, TEXT))?.text ?? "";
    }
    if (kind === "") return false;
    if (kind === CALL) {
      if (!(yield* opensObject(scan)) || !(yield* jsonCalls(scan, out))) return false;
      yield* acceptBehindSpace(scan, END);
      return true;
    }
    if (kind !== THINKING) return dropMarker(out);
    const end = yield* said(scan, out, "reasoning", ENDS);
    if (end === false) return false;
    if (end?.text === MODEL) scan.rewind(scan.mark(MODEL));
    return true;
  },
};
