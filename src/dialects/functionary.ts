/** Functionary: a recipient for each part of the answer, and what it gets behind it. */
import type { Dialect } from "../parse/dialect.ts";
import { chars, type Marker, MarkerSet, maybe, shape } from "../parse/marker.ts";
import { IDENTIFIER } from "./python_string.ts";

// Functionary v3.2; the prompt holds the first `>>>`. `all` is the user:
//   >>>all
//   On it.>>>get_weather
//   {"city": "Paris", "days": 3}
// Functionary v3.1 writes <function=get_weather>{…}</function>, which qwen3_coder.ts reads.
export const functionary32: Dialect = {
  id: "functionary-v32",
  aka: ["functionary_v3_llama_3"],
  models: "Functionary v3.2",
  opens: [{ marker: ">>>all\n", form: "bare", where: "line" }, {
    marker: shape(">>>", chars(IDENTIFIER, 1, 96), "\n"),
    shown: ">>>NAME",
    form: "bare",
  }],
  opensFor: (tools) =>
    tools.map(({ name }) => ({
      marker: `${name}\n{`,
      form: "bare",
      where: "turn",
      counts: "last",
      fences: [],
    })),

  *block(scan, out, { text }) {
    if (text === ">>>all\n") {
      out.say("content", "");
      return true;
    }
    if (text.endsWith("{")) {
      scan.rewind(scan.mark(text));
      scan.skip(text.length - 1);
    }
    if ((yield* scan.peek()) !== "{") return false;
    const call = out.call(text.replace(/^>>>|\n\{?$/g, ""));
    return call !== undefined && (yield* call.json(scan)) && call.end();
  },
};

// Functionary v2; `all` is the user here too:
//   <|from|>assistant
//   <|recipient|>get_weather
//   <|content|>{"city": "Paris", "days": 3}<|stop|>
const CONTENT = new MarkerSet(["<|content|>"]);
const STARTS: readonly Marker[] = [shape(maybe("<|from|>assistant\n"), "<|recipient|>")];

export const functionary2: Dialect = {
  id: "functionary-v2",
  aka: ["functionary_v2"],
  models: "Functionary v2",
  opens: STARTS.map((marker) => ({ marker, shown: "<|recipient|>", form: "wrapped" })),

  *block(scan, out) {
    const name = (yield* scan.take(CONTENT, 160))?.text.trim();
    if (name === "all") {
      out.say("content", "");
      return true;
    }
    yield* scan.skipSpace();
    if (name === undefined || (yield* scan.peek()) !== "{") return false;
    const call = out.call(name);
    if (call === undefined || !(yield* call.json(scan)) || !call.end()) return false;
    yield* scan.accept("<|stop|>");
    return true;
  },
};
