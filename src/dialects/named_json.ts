/** The grammar of calls written as a name between markers with JSON behind it (family E). */
import type { Out } from "../parse/dialect.ts";
import { type Hit, type Marker, MarkerSet } from "../parse/marker.ts";
import type { Scanner, Step } from "../parse/scanner.ts";
import { acceptBehindSpace } from "./said.ts";

/** A grammar of this family. */
export interface NamedGrammar {
  /** What opens the section; also in its middle, where models write it twice. */
  readonly blockStart: readonly Marker[];
  readonly blockEnd: readonly Marker[];
  readonly callStart: readonly Marker[];
  readonly callEnd: readonly Marker[];
  /** What stands between name and arguments. */
  readonly separator: readonly Marker[];
  /**
   * `required`: no call without the separator. `optional`: the arguments may follow the name. `typed`: required,
   * and a word for the kind of call, with a separator of its own, may stand before the name.
   */
  readonly separated: "required" | "optional" | "typed";
  /** What the text before the separator means, when it is more than the name. */
  readonly header?: (text: string) => Header;
}

/** Which call it is. */
export interface Header {
  readonly name: string;
  readonly id?: string | undefined;
}

/** Reads calls behind an opener that is eaten. True when the section closed. */
export function* namedCalls(scan: Scanner, out: Out, grammar: NamedGrammar, opener: Hit): Step<boolean> {
  const { blockStart, blockEnd, callStart } = grammar;
  const section = blockStart.includes(opener.marker);
  for (let begun = !section, calls = 0;; begun = false, calls++) {
    while (!begun) {
      let hit = yield* acceptBehindSpace(scan, ...callStart, ...blockEnd, ...blockStart);
      if (hit === undefined && calls > 0) {
        const prose = section ? yield* scan.take(nextOf(grammar), MOST_PROSE) : undefined;
        if (prose === undefined) return false;
        out.text(prose.text);
        hit = prose.hit;
      }
      if (hit !== undefined && blockEnd.includes(hit.marker)) return calls > 0;
      begun = hit === undefined || callStart.includes(hit.marker);
    }
    if (!(yield* namedCall(scan, out, grammar))) return false;
  }
}

const nextByGrammar = new WeakMap<NamedGrammar, MarkerSet>();

/** What may follow prose between the calls of a section. */
function nextOf(grammar: NamedGrammar): MarkerSet {
  let next = nextByGrammar.get(grammar);
  if (next === undefined) {
    nextByGrammar.set(grammar, next = new MarkerSet([...grammar.callStart, ...grammar.blockEnd]));
  }
  return next;
}

/** Reads one call whose opening marker is eaten. */
function* namedCall(scan: Scanner, out: Out, grammar: NamedGrammar): Step<boolean> {
  const { separator, separated, callEnd, callStart, blockEnd } = grammar;
  yield* scan.skipSpace();
  let text = yield* readName(scan);
  if (text === "") return false;
  yield* scan.skipSpace();
  const parted = (yield* scan.accept(...separator)) !== undefined;
  if (!parted && separated !== "optional") return false;
  yield* scan.skipSpace();
  if (separated === "typed") {
    const behind = yield* readName(scan);
    if (behind !== "") text = behind;
    yield* scan.skipSpace();
  }
  const fence = yield* scan.accept("```json", "```");
  if (fence !== undefined) yield* scan.skipSpace();
  const next = yield* scan.peek();
  const empty = (yield* scan.sees(...callEnd)) !== undefined;
  // The arguments, also as a string or `null`; at the end of the turn a call was cut off before them.
  if (!empty && next !== "{" && next !== "" && !(parted && (next === '"' || next === "n"))) return false;
  const { name, id } = grammar.header?.(text) ?? { name: text };
  const call = out.call(name, id);
  if (call === undefined || (!empty && !(yield* call.json(scan)))) return false;
  for (;;) {
    yield* scan.skipSpace();
    const extra = yield* scan.accept("}", ...(fence === undefined ? [] : ["```"]), ...callEnd);
    if (extra !== undefined && callEnd.includes(extra.marker)) return call.end();
    if (extra?.text === "}") out.problem("arguments-repaired", "a closing brace too many");
    else if (extra === undefined) break;
  }
  // Without its closer the call is over all the same where the next one, the section's end or the turn's comes.
  const over = (yield* scan.peek()) === "" || (yield* scan.sees(...callStart, ...blockEnd)) !== undefined;
  return over && call.end(true);
}

/** Reads what may be a name; `""` when there is none, or when it is too long for one. */
export function* readName(scan: Scanner): Step<string> {
  let name = "";
  while (NAME_CHARACTER.test(yield* scan.peek())) {
    name += yield* scan.next();
    if (name.length > LONGEST_NAME) return "";
  }
  return name;
}

const NAME_CHARACTER = /^[\w.:/-]$/;
const LONGEST_NAME = 160;
const MOST_PROSE = 512;
