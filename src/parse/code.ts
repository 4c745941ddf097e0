/** Looks ahead for the end of inline code. */
import type { Scanner, Step } from "./scanner.ts";

/** Whether inline code that `size` backticks opened closes on this line. */
export function* spanCloses(scan: Scanner, size: number): Step<boolean> {
  const start = scan.mark();
  let closes = false;
  for (;;) {
    yield* scan.run(BACKTICK_OR_NEWLINE, ignore);
    if ((yield* scan.peek()) !== "`") break;
    let run = "";
    yield* scan.run(NOT_BACKTICK, (text) => run += text);
    closes = run.length === size;
    if (closes) break;
  }
  scan.rewind(start);
  return closes;
}

const BACKTICK_OR_NEWLINE = /[`\n]/g;
const NOT_BACKTICK = /[^`]/g;
const ignore = (): void => {};
