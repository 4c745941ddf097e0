/** MiniMax M3: elements named after the parameters, a sentinel before each tag. */
import type { Call, Dialect, Out, Tree } from "../parse/dialect.ts";
import { either, type Hit, MarkerSet, maybe, shape } from "../parse/marker.ts";
import type { Scanner, Step } from "../parse/scanner.ts";
import { type CallEnd, readTag } from "./elements.ts";

// MiniMax M3, with the sentinel ]<]minimax[>[ written as § here:
//   §<tool_call>
//   §<invoke name="get_weather">§<city>Paris§</city>§<at>§<lat>48.9§</lat>§</at>§<tags>§<item>a§</item>§</tags>§</invoke>
//   §</tool_call>
// As a tag is none without its sentinel, values may hold any markup. The sentinel gets lost before some tags; a
// block that has lost all of them is read by `invoke`.
// Elsewhere: vLLM and SGLang minimax_m3.
const SENTINEL = "]<]minimax[>[";
const LOST = maybe(SENTINEL);
const WHITE = either(" ", "\n", "\t", "\r");
const BLOCK = `${SENTINEL}<tool_call>`;
const BLOCK_END = shape(LOST, "</tool_call>");
const INVOKE = shape(SENTINEL, "<invoke", WHITE);
const ANY_INVOKE = shape(LOST, "<invoke", WHITE);
const INVOKE_END = shape(LOST, "</invoke>");
const OPEN = `${SENTINEL}<`;
const CLOSE = `${SENTINEL}</`;
const CALL_END = `${SENTINEL}</invoke>`;
const TAG_END = new MarkerSet([">"]);

export const minimaxM3: Dialect = {
  id: "minimax-m3",
  aka: ["minimax_m3", "minimax-m3", "minimax-m3-nom"],
  models: "MiniMax M3",
  opens: [
    { marker: BLOCK, form: "wrapped" },
    { marker: "<tool_call>", form: "wrapped" },
    { marker: INVOKE, form: "recovered" },
  ],

  *block(scan, out, hit, { form }) {
    let next: Hit | undefined = form === "recovered" ? hit : undefined;
    for (let calls = 0;; calls++) {
      if (next === undefined) {
        yield* scan.skipSpace();
        if (calls === 0 && hit.text === "<tool_call>" && !(yield* isOurs(scan))) return false;
        if (calls > 0 && (yield* scan.accept(BLOCK_END))) return true;
        next = yield* scan.accept(ANY_INVOKE);
        if (next === undefined) return form === "recovered" && calls > 0;
      }
      const end: CallEnd = yield* invocation(scan, out, next);
      if (end === "none" || end === "block-ended") return end !== "none";
      next = end === "ended" ? undefined : end;
    }
  },
};

/** Behind a block's opener without its sentinel: a call with one, or one whose first tag has one. */
function* isOurs(scan: Scanner): Step<boolean> {
  if ((yield* scan.sees(INVOKE)) !== undefined) return true;
  const start = scan.mark();
  const opened = (yield* scan.accept(ANY_INVOKE)) !== undefined &&
    (yield* scan.take(TAG_END, 160)) !== undefined;
  yield* scan.skipSpace();
  const ours = opened && (yield* scan.sees(OPEN)) !== undefined;
  scan.rewind(start);
  return ours;
}

/** Reads one call whose opening marker is eaten. */
function* invocation(scan: Scanner, out: Out, hit: Hit): Step<CallEnd> {
  const tag = yield* readTag(scan, hit);
  const call = tag?.name === undefined ? undefined : out.call(tag.name);
  if (call === undefined) return "none";
  if (tag!.selfClosed) return call.end() ? "ended" : "none";
  for (;;) {
    yield* scan.skipSpace();
    const next = yield* scan.accept(INVOKE_END, BLOCK_END, ANY_INVOKE);
    if (next?.marker === INVOKE_END) return call.end() ? "ended" : "none";
    if (next?.marker === BLOCK_END) return call.end(true) ? "block-ended" : "none";
    if (next !== undefined) return call.end(true) ? next : "none";
    const open = yield* scan.accept(OPEN, "<");
    const name = open && (yield* tagName(scan));
    const end = name === undefined ? "cut" : yield* parameter(scan, out, call, name);
    if (end === "cut") return "none";
    if (end === "call-end") return call.end(true) ? "ended" : "none";
  }
}

/** The rest of an opening tag; also M2's `<parameter name="city">`. */
function* tagName(scan: Scanner): Step<readonly [tag: string, name: string] | undefined> {
  const tag = yield* scan.take(TAG_END, 160);
  const found = /^([\w.:-]+)(?:\s+name=["']?([^"']+)["']?)?\s*$/.exec(tag?.text ?? "");
  return found === null ? undefined : [found[1]!, found[2] ?? found[1]!];
}

/** Reads one parameter whose opening tag is eaten. */
function* parameter(
  scan: Scanner,
  out: Out,
  call: Call,
  [tag, name]: readonly [tag: string, name: string],
): Step<"closed" | "call-end" | "cut"> {
  if (yield* holdsElements(scan)) {
    const tree = yield* elements(scan, tag);
    if (tree !== undefined) call.tree(name, tree);
    return tree === undefined ? "cut" : "closed";
  }
  const sink = call.parameter(name);
  const closer = `${SENTINEL}</${tag}>`, bare = `</${tag}>`, opener = `${SENTINEL}<${tag}>`;
  const inside = new MarkerSet([closer, bare, opener, INVOKE, CALL_END]);
  let calls = 0, same = 0; // calls that the value itself opened, and parameters of this name in them
  for (;;) {
    const hit = yield* scan.until(inside, sink);
    if (hit === undefined) return "cut";
    const { text } = hit;
    if (hit.marker === INVOKE) calls++;
    else if (calls > 0 && text === opener) same++;
    else if (same > 0 && text === closer) same--;
    else if (text === closer) return "closed";
    else if (calls > 0 && text === CALL_END) {
      calls--;
      same = 0;
    } else if (text === CALL_END || (text === bare && (yield* tagFollows(scan, closer, call.parameters)))) {
      out.problem("closer-missing", `${name}: ${text}`);
      return text === CALL_END ? "call-end" : "closed";
    }
    sink(text);
  }
}

/**
 * A closer without its sentinel is one if a tag comes next that is not the real closer. Where that has lost its sentinel
 * as well, it has to be another parameter's, or the call's own closer with a sentinel behind it.
 */
function* tagFollows(scan: Scanner, closer: string, parameters: readonly string[]): Step<boolean> {
  const behind = scan.mark();
  yield* scan.skipSpace();
  let follows = (yield* scan.sees(closer)) === undefined;
  if (follows && (yield* scan.sees(OPEN)) === undefined) {
    if (yield* scan.accept("</invoke>")) {
      yield* scan.skipSpace();
      follows = (yield* scan.peek()) === "" || (yield* scan.sees(OPEN)) !== undefined;
    } else {
      const name = (yield* scan.accept("<")) && (yield* tagName(scan));
      follows = name !== undefined && parameters.includes(name[1]);
    }
  }
  scan.rewind(behind);
  return follows;
}

function* holdsElements(scan: Scanner): Step<boolean> {
  const behind = scan.mark();
  yield* scan.skipSpace();
  const tag = (yield* scan.sees(OPEN, CLOSE))?.marker;
  scan.rewind(behind);
  return tag === OPEN;
}

/** Reads the elements in an element, and its closer; undefined when they are cut off. */
function* elements(scan: Scanner, tag: string): Step<Tree | undefined> {
  for (const tree: [string, Tree][] = [];;) {
    yield* scan.skipSpace();
    if (yield* scan.accept(`${SENTINEL}</${tag}>`, `</${tag}>`)) return tree;
    const child = (yield* scan.accept(OPEN)) && (yield* tagName(scan));
    if (child === undefined) return undefined;
    const value = (yield* holdsElements(scan))
      ? yield* elements(scan, child[0])
      : yield* text(scan, child[0]);
    if (value === undefined) return undefined;
    tree.push([child[1], value]);
  }
}

function* text(scan: Scanner, tag: string): Step<string | undefined> {
  let text = "";
  const hit = yield* scan.until(new MarkerSet([`${SENTINEL}</${tag}>`]), (piece) => text += piece);
  return hit && text;
}
