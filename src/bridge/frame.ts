/** Small steps that protocols share: words that only frame an answer, and the white space that belongs to them. */
import type { Out } from "../parse/dialect.ts";
import type { Scanner, Step } from "../parse/scanner.ts";

/** A word that only frames an answer has been read: it is dropped. */
export function sayNothing(out: Out): true {
  out.say("content", "");
  return true;
}

/** Eats blanks and one line break. */
export function* lineBreakBehind(scan: Scanner): Step<void> {
  yield* scan.run(NOT_BLANK, ignore);
  yield* scan.accept("\r\n", "\n");
}

/** Eats white space before one of `next`, or at the end of the turn. */
export function* roomBehind(scan: Scanner, next: string): Step<void> {
  const behind = scan.mark();
  yield* scan.skipSpace();
  const char = yield* scan.peek();
  if (char === "" || next.includes(char)) scan.release();
  else scan.rewind(behind);
}

const NOT_BLANK = /[^ \t]/g;
const ignore = (): void => {};
