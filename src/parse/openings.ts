/** What stands behind an opener: each dialect that it may belong to looks, and it is calls or text. */
import { Block, type BlockEnd, type Delivery, type HeldCalls } from "./block.ts";
import { spanCloses } from "./code.ts";
import type { Opener } from "./dialect.ts";
import { type Opening, openingsAt } from "./live.ts";
import type { Hit } from "./marker.ts";
import type { Place } from "./outbox.ts";
import type { Scanner, Step } from "./scanner.ts";
import { END_TOKENS, RESULT_TAGS, RESULT_WORD } from "./signals.ts";
import type { Turn } from "./turn.ts";

/** How a block came out, and what had to be there for it. */
export interface Tried extends BlockEnd {
  readonly counts?: Opener["counts"];
}

/** The openers that stand at `hit`, as far as they may stand there. */
export function openingsHere(turn: Turn, hit: Hit): readonly Opening[] {
  // Openers that come to nothing are read twice; a turn made of them must not cost more than linear time.
  if (turn.scan.reread > REREAD_FLOOR + REREAD_RATE * turn.scan.offset) {
    turn.giveUp(hit.text);
    return [];
  }
  const openings = openingsAt(turn.live, hit).filter(({ opener: { where } }) =>
    where === undefined ||
    (turn.markdown.lineBlank && (where === "line" || !turn.outbox.spoken))
  );
  if (!turn.markdown.quotedAt(hit.text)) return openings;
  if (isMarkup(openings, hit)) turn.outbox.problem("not-a-call", hit.text);
  if (openings.some(({ opener }) => opener.form !== "bare")) turn.markdown.quotes();
  return [];
}

/** Markup stands here, whatever comes of it. */
function isMarkup(openings: readonly Opening[], hit: Hit): boolean {
  return openings.some(({ opener, text }) => opener.form === "wrapped" && text === hit.text);
}

/** Reads what stands behind `openings`: calls, which go out or wait. False when it is no block after all. */
export function* readOpenings(turn: Turn, hit: Hit, openings: readonly Opening[]): Step<boolean> {
  const { scan, place } = turn;
  const span = turn.markdown.spanAt(hit.text);
  const end = yield* tryOpenings(turn, hit, openings, place !== "content" || span > 0 ? "held" : undefined);
  if (!end.taken) {
    const markup = isMarkup(openings, hit);
    if (markup && turn.native && (yield* onlySpaceFollows(scan))) {
      turn.dangling(hit.text);
      return true;
    }
    if (markup) turn.outbox.problem("not-a-call", hit.text);
    return false;
  }
  if (end.held === undefined) {
    turn.markdown.dropped(hit.text);
    return true;
  }
  if (span > 0 && (yield* spanCloses(scan, span))) sayHeld(turn, end.held);
  else if (yield* counts(turn, end)) deliver(turn, end, end.held, place);
  else {
    for (const { text } of end.held.text) turn.markdown.text(text);
    sayHeld(turn, end.held);
  }
  return true;
}

/** Whether what has to be there before a block counts is there. */
function* counts(turn: Turn, end: Tried): Step<boolean> {
  if (end.counts === "whole") return end.closed;
  return end.counts !== "last" || (end.closed && (yield* nothingFollows(turn)));
}

/** Calls that were held while they were read: they go out, wait, or are text. */
export function deliver(turn: Turn, { unknown }: BlockEnd, held: HeldCalls, place: Place): void {
  const { dialect, parts } = held;
  const draft = place !== "content" && turn.place === place; // a call that goes on in the content is none
  const text = held.text.map(({ field, text }) => ({ place: field === "reasoning" ? field : place, text }));
  if (draft && unknown) sayHeld(turn, held);
  else if (draft || unknown) turn.outbox.hold({ why: draft ? "draft" : "unknown", dialect, parts, text });
  else turn.outbox.whole(dialect, parts);
}

/** Held calls are text after all. */
function sayHeld(turn: Turn, { text }: HeldCalls): void {
  for (const stretch of text) turn.outbox.text(turn.placeOf(stretch.field), stretch.text);
}

/** Lets each dialect look at what follows the opener; undefined when the turn is over for them. */
export function* tryOpenings(
  turn: Turn,
  hit: Hit,
  openings: readonly Opening[],
  delivery?: Delivery,
  certain = true,
): Step<Tried> {
  const { scan } = turn;
  const inCode = turn.markdown.spanAt(hit.text) > 0;
  let cut: BlockEnd["cut"];
  for (const { dialect, opener, text } of openings) {
    const start = scan.mark(hit.text);
    if (text !== hit.text) {
      scan.unread(start);
      scan.skip(text.length);
    }
    const block = new Block({
      scan,
      outbox: turn.outbox,
      dialect,
      delivery: delivery ?? deliveryOf(turn, opener),
      form: opener.form,
      place: () => certain && !inCode ? turn.place : undefined,
      resolve: turn.resolve,
    }, start);
    let closed = false;
    try {
      closed = yield* dialect.block(scan, block, { marker: opener.marker, text }, opener);
    } catch (error) {
      turn.outbox.problem(
        "dialect-failed",
        `${dialect.id}: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
    const end = block.finish(closed);
    if (end.taken) {
      breaksOff(turn, end.cut);
      return { ...end, counts: opener.counts };
    }
    cut ??= end.cut;
    scan.skip(hit.text.length);
  }
  breaksOff(turn, cut);
  return NOT_TAKEN;
}

function deliveryOf(turn: Turn, { form, counts }: Opener): Delivery {
  if (counts === "whole" || counts === "last") return "held";
  return form === "recovered" || counts === "ended" || turn.wholeCalls ? "ended" : "streamed";
}

/** Eats the white space that is left, if nothing else is. */
function* onlySpaceFollows(scan: Scanner): Step<boolean> {
  const behind = scan.mark();
  yield* scan.skipSpace();
  if (scan.ended) scan.release();
  else scan.rewind(behind);
  return scan.ended;
}

/** Nothing comes behind but white space, end tokens, or a made-up result: what was read is the last thing said. */
function* nothingFollows(turn: Turn): Step<boolean> {
  const { scan } = turn;
  const behind = scan.mark();
  do yield* scan.skipSpace(); while (yield* scan.accept(...END_TOKENS));
  const over = (yield* scan.peek()) === "" || (yield* scan.sees(...RESULT_TAGS, RESULT_WORD)) !== undefined;
  const nothing = over && turn.interrupted === undefined;
  scan.rewind(behind);
  return nothing;
}

function breaksOff(turn: Turn, cut: BlockEnd["cut"]): void {
  if (cut === undefined || turn.interrupted !== undefined) return;
  turn.cut = true;
  turn.outbox.problem(cut.ended ? "call-truncated" : "call-broken", cut.tool);
}

const NOT_TAKEN: Tried = { taken: false, closed: false, cut: undefined, unknown: false, held: undefined };
/** How much may be read again: so much, and so many times what has been read. */
const REREAD_FLOOR = 1 << 16;
const REREAD_RATE = 8;
