/** DeepSeek's token format, before DSML: calls between full-width bars. */
import type { Dialect } from "../parse/dialect.ts";
import { either, maybe, shape } from "../parse/marker.ts";
import { namedCalls, type NamedGrammar } from "./named_json.ts";

// DeepSeek V3, R1 and Cogito:
//   <｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>get_weather
//   ```json
//   {"city": "Paris", "days": 3}
//   ```<｜tool▁call▁end｜><｜tool▁calls▁end｜>
// DeepSeek V3.1 and V3.2-Exp, in the same markers:
//   …<｜tool▁call▁begin｜>get_weather<｜tool▁sep｜>{"city": "Paris", "days": 3}<｜tool▁call▁end｜>…
// Models mix the two. The gaps in the markers drift (`_`, a space, `\_`), and the bars become ASCII.
// Elsewhere: vLLM and SGLang deepseek_v3/deepseekv3 and deepseek_v31/deepseekv31, Ollama deepseek3 and cogito.
const BAR = either("｜", "|");
const GAP = either("▁", "_", " ", "\\_");
const mark = (...words: readonly string[]) =>
  shape("<", BAR, "tool", ...words.flatMap((word) => [GAP, word]), maybe(" "), BAR, ">");

const SECTION = mark("calls", "begin");
const SHORT_SECTION = mark("calls");
const CALL = mark("call", "begin");

const GRAMMAR: NamedGrammar = {
  blockStart: [SECTION, SHORT_SECTION],
  blockEnd: [mark("calls", "end")],
  callStart: [CALL],
  callEnd: [mark("call", "end")],
  separator: [mark("sep")],
  separated: "typed",
};

export const deepseek: Dialect = {
  id: "deepseek",
  aka: ["deepseek_v3", "deepseekv3", "deepseek3", "deepseek_r1", "cogito", "deepseek_v31", "deepseekv31"],
  models: "DeepSeek V3, R1 and their distils, V3.1, V3.2-Exp; Cogito",
  opens: [
    { marker: SECTION, shown: "<｜tool▁calls▁begin｜>", form: "wrapped" },
    { marker: SHORT_SECTION, form: "wrapped" },
    { marker: CALL, form: "recovered" },
  ],

  *block(scan, out, hit) {
    return yield* namedCalls(scan, out, GRAMMAR, hit);
  },
};
