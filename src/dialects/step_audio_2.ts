/** Step-Audio-2's calls: the word `function`, the name and the arguments, a line each. */
import type { Dialect } from "../parse/dialect.ts";
import { MarkerSet } from "../parse/marker.ts";

// Step-Audio-2:
//   <tool_call>function
//   get_weather
//   {"city": "Paris", "days": 3}</tool_call>
// Elsewhere: vLLM step_audio_2 (a branch).
const NAME_END = new MarkerSet([" ", "\r", "\n"]);

export const stepAudio2: Dialect = {
  id: "step-audio-2",
  aka: ["step_audio_2"],
  models: "Step-Audio-2",
  opens: [{ marker: "<tool_call>", form: "wrapped" }],

  *block(scan, out) {
    yield* scan.skipSpace();
    if (!(yield* scan.accept("function"))) return false;
    const behind = yield* scan.next();
    if (behind === "" || !" \t\r\n".includes(behind)) return false;
    yield* scan.skipSpace();
    const name = yield* scan.take(NAME_END, 160);
    yield* scan.skipSpace();
    if (name === undefined || (yield* scan.peek()) !== "{") return false;
    const call = out.call(name.text);
    if (call === undefined || !(yield* call.json(scan))) return false;
    yield* scan.skipSpace();
    const closed = (yield* scan.accept("</tool_call>")) !== undefined;
    return call.end(!closed) && closed;
  },
};
