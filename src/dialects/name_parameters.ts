/** Calls as a `<name>` element beside a `<parameters>` element. */
import type { Call, Dialect, Out } from "../parse/dialect.ts";
import { MarkerSet } from "../parse/marker.ts";
import type { Scanner, Step } from "../parse/scanner.ts";

// Qwen3 and DeepSeek under prompts of their own:
//   <tool_call><name>get_weather</name><parameters>{"city": "Paris", "days": 3}</parameters></tool_call>
// or <arguments>, or an element a parameter: <parameters><city>Paris</city></parameters>.
// Read first by opencode_compat_proxy.
const NAME_END = new MarkerSet(["</name>"]);
const TAG_END = new MarkerSet([">"]);

export const nameParameters: Dialect = {
  id: "name-parameters",
  aka: [],
  models: "Qwen3 and DeepSeek through prompt-mode harnesses",
  opens: [{ marker: "<tool_call>", form: "wrapped" }],

  *block(scan, out) {
    yield* scan.skipSpace();
    if (!(yield* scan.accept("<name>")) || !(yield* namedCalls(scan, out))) return false;
    yield* scan.skipSpace();
    return (yield* scan.accept("</tool_call>", "</tool_calls>")) !== undefined;
  },
};

/** Reads the calls that begin with a `<name>` that is eaten. False when one broke off. */
export function* namedCalls(scan: Scanner, out: Out): Step<boolean> {
  for (;;) {
    const name = yield* scan.take(NAME_END);
    const call = name && out.call(name.text);
    if (call === undefined || !(yield* parameters(scan, call))) return false;
    const behind = scan.mark();
    yield* scan.skipSpace();
    if (!(yield* scan.accept("<name>"))) {
      scan.rewind(behind);
      return true;
    }
    scan.release();
  }
}

function* parameters(scan: Scanner, call: Call): Step<boolean> {
  yield* scan.skipSpace();
  const opener = yield* scan.accept("<parameters>", "<arguments>");
  if (opener === undefined) return (yield* comesClosed(scan)) && call.end();
  const closer = opener.text === "<parameters>" ? "</parameters>" : "</arguments>";
  yield* scan.skipSpace();
  if ((yield* scan.peek()) === "{") {
    if (!(yield* call.json(scan))) return false;
    yield* scan.skipSpace();
    return call.end((yield* scan.accept(closer)) === undefined);
  }
  for (;;) {
    yield* scan.skipSpace();
    if (yield* scan.accept(closer)) return call.end();
    if (!(yield* scan.accept("<"))) return false;
    const tag = yield* scan.take(TAG_END);
    if (tag === undefined || !/^[\w.:-]+$/.test(tag.text)) return false;
    const end = new MarkerSet([`</${tag.text}>`]);
    if (!(yield* scan.until(end, call.parameter(tag.text)))) return false;
  }
}

/** A call without parameters may go without their element, but not in the middle of a turn that breaks off. */
function* comesClosed(scan: Scanner): Step<boolean> {
  const behind = scan.mark();
  const closer = yield* scan.accept("</tool_call>", "</tool_calls>", "<name>");
  scan.rewind(behind);
  return closer !== undefined;
}
