/** CWM's commands: a tool's name and one text. */
import type { Dialect } from "../parse/dialect.ts";
import { chars, MarkerSet, shape } from "../parse/marker.ts";

// Meta's Code World Model; what the label is called does not matter:
//   <tool: shell>
//   bash ls -la
//   </tool>
const LABEL = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-. ";
const NAME_END = /[^\w.-]/g;
const END = new MarkerSet(["\n</tool>"]);

export const cwm: Dialect = {
  id: "cwm",
  aka: [],
  models: "CWM",
  opens: [{ marker: shape("<tool:", chars(LABEL, 1, 40), ">"), shown: "<tool: LABEL>", form: "wrapped" }],

  *block(scan, out) {
    yield* scan.skipSpace();
    let name = "";
    yield* scan.run(NAME_END, (text) => name += text);
    if (!out.knows(name)) return false;
    const call = out.call(name);
    if (call === undefined) return false;
    const [only, ...others] = call.required.length > 0 ? call.required : call.parameters;
    if (yield* scan.accept("\n</tool>")) return call.required.length === 0 && call.end();
    if (only === undefined || others.length > 0) return false;
    yield* scan.accept(" ", "\n");
    return (yield* scan.until(END, call.parameter(only))) !== undefined && call.end();
  },
};
