/** Numbers, literals and bare words of lenient JSON. */
import type { JsonEnd, JsonRepair } from "./json_string.ts";
import type { Scanner, Sink, Step } from "./scanner.ts";

/** Whether a number, a literal or a bare word may begin with `char`. */
export function opensWord(char: string): boolean {
  return /[\w$@~/.+#-]|[^\0-\x7f]/.test(char);
}

/**
 * Reads one number, literal or bare word. Between other values a word goes up to what may follow it (`after`);
 * alone it has to be a number or a literal.
 */
export function* readWord(
  scan: Scanner,
  sink: Sink,
  note: (kind: JsonRepair) => void,
  after: string | undefined,
): Step<JsonEnd> {
  let text = "";
  const collect: Sink = (piece) => {
    if (text.length <= LONGEST_WORD) text += piece;
  };
  for (;;) {
    yield* scan.run(
      after === undefined ? NOT_IN_NUMBER : after.includes(")") ? IN_TUPLE : IN_OBJECT,
      collect,
    );
    if (text.length > LONGEST_WORD) return "broken";
    const char = yield* scan.peek();
    if (after === undefined || char === "" || !MAY_GO_ON.includes(char)) break;
    const whole = strictScalar(text.trim()) !== undefined;
    if (char === "/" ? (whole || /\s$/.test(text)) && (yield* scan.sees("//", "/*")) : whole) break;
    text += yield* scan.next();
  }
  if (after !== undefined && (yield* scan.peek()) === "") return "cut";
  text = text.trim();
  const parts = after?.includes("]") ? text.split(/[ \t]+/) : [text];
  const scalars = parts.map(strictScalar);
  if (scalars.includes(undefined)) {
    if (after === undefined) return "broken";
    note("bare-word");
    // A quote at the end only: the one at the start was lost.
    sink(JSON.stringify(/^[^"]*"$/.test(text) ? text.slice(0, -1) : text));
    return "complete";
  }
  if (parts.length > 1) note("comma");
  for (const [index, part] of parts.entries()) {
    if (part !== scalars[index]) {
      note(/^[a-z]+$/i.test(part) && !/^(nan|infinity)$/i.test(part) ? "literal" : "number");
    }
  }
  sink(scalars.join(","));
  return "complete";
}

/**
 * A number or literal as strict JSON, its digits as they were; undefined for anything else. What no double can
 * hold or JSON cannot write (NaN, 1e999, 0x1f) becomes a string.
 */
export function strictScalar(text: string): string | undefined {
  const literal = LITERALS[text.toLowerCase()];
  if (literal !== undefined) return literal;
  const number = NUMBER.exec(text);
  if (number === null) return NO_NUMBER.test(text) ? `"${text}"` : undefined;
  const [, sign = "", whole = "", fraction = "", exponent = ""] = number;
  if (whole === "" && fraction.length < 2) return undefined;
  if (fraction + exponent !== "" && !Number.isFinite(Number(text))) return `"${text}"`;
  const digits = whole.replace(/^0+(?=\d)/, "") || "0";
  return (sign === "-" ? "-" : "") + digits + (fraction === "." ? "" : fraction) + exponent;
}

/** More than this is no word. */
const LONGEST_WORD = 65_536;
const LITERALS: Readonly<Record<string, string>> = Object.assign(Object.create(null), {
  true: "true",
  false: "false",
  null: "null",
  none: "null",
});
const NUMBER = /^([+-]?)(\d*)(\.\d*)?([eE][+-]?\d+)?$/;
const NO_NUMBER = /^[+-]?(?:nan|infinity|0x[\da-f]+)$/i;
const NOT_IN_NUMBER = /[^\w.+-]/g;
const IN_OBJECT = /[,}\]\n\r"</]/g;
const IN_TUPLE = /[,)}\]\n\r"</]/g;
/** Characters that end a number or a literal, but belong to a word. */
const MAY_GO_ON = '"</';
