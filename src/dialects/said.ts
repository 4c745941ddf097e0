/** Stretches of a turn that a dialect marks as content or as reasoning. */
import type { Out } from "../parse/dialect.ts";
import type { Field } from "../parse/event.ts";
import type { Hit, Marker, MarkerSet } from "../parse/marker.ts";
import type { Scanner, Step } from "../parse/scanner.ts";

/** Drops the marker that was just read: what follows is plain text, in which all dialects stay live. */
export function dropMarker(out: Out): boolean {
  return out.say("content", "");
}

/** Streams text up to one of `ends`, which is eaten, or to the end of the turn. False when it is not certain. */
export function* said(scan: Scanner, out: Out, field: Field, ends: MarkerSet): Step<Hit | undefined | false> {
  if (!out.say(field, "")) return false;
  return yield* scan.until(ends, (text) => void out.say(field, text));
}

/** Behind white space, eats one of `markers`; without one, the white space stays. */
export function* acceptBehindSpace<M extends Marker>(
  scan: Scanner,
  ...markers: readonly M[]
): Step<Hit<M> | undefined> {
  const behind = scan.mark();
  yield* scan.skipSpace();
  const hit = yield* scan.accept(...markers);
  if (hit === undefined) scan.rewind(behind);
  else scan.release();
  return hit;
}
