/** Small steps that protocols share: words that only frame an answer, and the white space that belongs to them. */
import type { Out } from "../parse/dialect.ts";
import type { Marker } from "../parse/marker.ts";
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

/** Eats white space before one of `next`, before a fence that closes the answer, or at the end of the turn. */
export function* roomBehind(scan: Scanner, next: readonly Marker[]): Step<void> {
  const behind = scan.mark();
  yield* scan.skipSpace();
  if ((yield* scan.peek()) === "" || (yield* scan.sees(...next)) || (yield* fenceEnds(scan))) scan.release();
  else scan.rewind(behind);
}

/** A code fence comes, and nothing behind it. */
function* fenceEnds(scan: Scanner): Step<boolean> {
  const before = scan.mark();
  let ends = (yield* scan.accept("```")) !== undefined;
  if (ends) {
    yield* scan.skipSpace();
    ends = (yield* scan.peek()) === "";
  }
  scan.rewind(before);
  return ends;
}

const NOT_BLANK = /[^ \t]/g;
const ignore = (): void => {};
