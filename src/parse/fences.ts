/** Runs of backticks and tildes: code, or a fence round nothing but calls. */
import type { BlockEnd, HeldCalls } from "./block.ts";
import { openingsAt } from "./live.ts";
import { type Hit, MarkerSet } from "./marker.ts";
import { deliver, readOpenings, tryOpenings } from "./openings.ts";
import type { Scanner, Step } from "./scanner.ts";
import type { Turn } from "./turn.ts";

/** Backticks or tildes: a fence, inline code, or text. */
export function* readCodeMark(turn: Turn, hit: Hit): Step<void> {
  const { scan } = turn;
  const char = hit.text.charAt(0);
  const start = scan.mark(hit.text);
  let run = hit.text;
  yield* scan.run(char === "`" ? NOT_BACKTICK : NOT_TILDE, (text) => run += text);
  const { fence, lineBlank } = turn.markdown;
  if (turn.wrap !== undefined && run.startsWith(turn.wrap) && (yield* blankToEnd(scan))) {
    return scan.release();
  }
  if (lineBlank && run.length >= 3 && fence === undefined && (yield* fencedCalls(turn, run))) {
    return scan.release();
  }
  scan.unread(start);
  scan.skip(run.length);
  let closes = false;
  if (fence !== undefined && lineBlank) {
    const behind = scan.mark();
    yield* scan.run(NOT_BLANK, ignore);
    closes = LINE_ENDS.includes(yield* scan.peek());
    scan.rewind(behind);
  }
  scan.release();
  turn.markdown.run(char, run.length, closes);
  turn.outbox.text(turn.place, run);
}

/** A fence that holds nothing but calls, as the last thing said, is calls (rule 8). */
function* fencedCalls(turn: Turn, run: string): Step<boolean> {
  const { scan } = turn;
  const place = turn.place;
  const info = yield* scan.take(NEWLINE, 64);
  if (info === undefined || info.text.includes("`")) return false;
  const wrapped = yield* wrappedAnswer(turn, run);
  if (wrapped !== undefined) return wrapped;
  const blocks: [BlockEnd, HeldCalls][] = [];
  for (;;) {
    yield* scan.skipSpace();
    const hit = yield* scan.accept(...turn.live.openers);
    if (hit === undefined) break;
    const word = info.text.trim().toLowerCase();
    const openings = openingsAt(turn.live, hit).filter(({ opener: { fences } }) =>
      fences?.includes(word) ?? true
    );
    const end = yield* tryOpenings(turn, hit, openings, "held", false);
    if (!end.taken || !end.closed || end.unknown || end.held === undefined) return false;
    blocks.push([end, end.held]);
  }
  if (blocks.length === 0) return false;
  const closer = yield* scan.accept(run);
  if (closer !== undefined) yield* scan.run(run.startsWith("`") ? NOT_BACKTICK : NOT_TILDE, ignore);
  yield* scan.skipSpace();
  if ((yield* scan.peek()) !== "") return false;
  turn.outbox.problem("fence-unwrapped", run + info.text);
  for (const [end, held] of blocks) deliver(turn, end, held, place);
  return true;
}

/**
 * A fence that begins the turn and holds what opens a whole answer is dropped, so that the answer streams.
 * Undefined when no such thing stands in it.
 */
function* wrappedAnswer(turn: Turn, run: string): Step<boolean | undefined> {
  const { scan, outbox, live: { answerOpeners } } = turn;
  if (answerOpeners.length === 0 || turn.place !== "content" || outbox.spoken) return undefined;
  yield* scan.skipSpace();
  const hit = yield* scan.accept(...answerOpeners);
  if (hit === undefined) return undefined;
  if (!(yield* readOpenings(turn, hit, openingsAt(turn.live, hit)))) return false;
  outbox.problem("fence-unwrapped", run);
  turn.wrap = run;
  const behind = scan.mark();
  yield* scan.skipSpace();
  const closed = (yield* scan.accept(run)) !== undefined && LINE_ENDS.includes(yield* scan.peek());
  if (!closed) scan.rewind(behind);
  else {
    turn.wrap = undefined;
    scan.release();
    yield* blankToEnd(scan);
  }
  return true;
}

/** Eats white space if nothing else follows. */
function* blankToEnd(scan: Scanner): Step<boolean> {
  const behind = scan.mark();
  yield* scan.skipSpace();
  const ends = (yield* scan.peek()) === "";
  if (ends) scan.release();
  else scan.rewind(behind);
  return ends;
}

const NEWLINE = new MarkerSet(["\n"]);
const NOT_BACKTICK = /[^`]/g;
const NOT_TILDE = /[^~]/g;
const NOT_BLANK = /[^ \t]/g;
const LINE_ENDS: readonly string[] = ["", "\n", "\r"];
const ignore = (): void => {};
