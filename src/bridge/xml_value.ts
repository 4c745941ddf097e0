/** Reads the value of an argument that is an element, when the value may hold markup of its own. */
import { chars, either, type Marker, MarkerSet, shape } from "../parse/marker.ts";
import type { Scanner, Sink, Step } from "../parse/scanner.ts";
import type { ChildTag } from "./xml_tag.ts";
import { unwrapPairedLineBreaks } from "../parse/sinks.ts";

/** How a value ended: with its own closer, with that of its call, or not at all. */
export type XmlValueEnd = "closed" | "call-closed" | "cut";

/**
 * Streams a value into `sink`. A closer that belongs to an element inside the value is data, and so is one behind
 * which nothing comes that may follow an argument. `close` ends the call; `opens` may follow the call.
 */
export function* xmlValue(
  scan: Scanner,
  sink: Sink,
  { name, next }: ChildTag,
  close: Marker,
  opens: readonly Marker[],
): Step<XmlValueEnd> {
  const closer = shape("</", name, GAP, ">");
  if (yield* scan.accept("<![CDATA[")) return yield* cdata(scan, sink, closer);
  const wrapped = unwrapPairedLineBreaks(sink);
  const again: Marker = `<${name}>`;
  const stops = new MarkerSet<Marker>([closer, close, again]);
  let inside = 0; // elements of the same name that the value has opened
  for (;;) {
    const hit = yield* scan.until(stops, wrapped.write);
    if (hit === undefined) return "cut";
    let end: XmlValueEnd | undefined;
    if (hit.marker === closer) {
      const ends = inside === 0
        ? yield* comes(scan, [close, ANY_TAG, ...next, ...opens])
        : yield* closesAll(scan, close, opens);
      if (ends) end = "closed";
      else if (inside > 0) inside--;
    } else if (hit.marker === again) inside++;
    else if (yield* comes(scan, opens)) end = "call-closed";
    if (end !== undefined) {
      wrapped.end();
      return end;
    }
    wrapped.write(hit.text);
  }
}

/** A CDATA section, or several one behind the other, as a value that holds `]]>` is written. */
function* cdata(scan: Scanner, sink: Sink, closer: Marker): Step<XmlValueEnd> {
  for (;;) {
    if ((yield* scan.until(CDATA_END, sink)) === undefined) return "cut";
    if (yield* scan.accept("<![CDATA[")) continue;
    const behind = scan.mark();
    yield* scan.skipSpace();
    if (yield* scan.accept(closer)) {
      scan.release();
      return "closed";
    }
    scan.rewind(behind);
    sink("]]>");
  }
}

/** Behind white space, one of `markers` comes next, or the turn ends. */
function* comes(scan: Scanner, markers: readonly Marker[]): Step<boolean> {
  const behind = scan.mark();
  yield* scan.skipSpace();
  const found = (yield* scan.peek()) === "" || (yield* scan.sees(...markers)) !== undefined;
  scan.rewind(behind);
  return found;
}

/** The call ends here, and the turn or another call behind it. */
function* closesAll(scan: Scanner, close: Marker, opens: readonly Marker[]): Step<boolean> {
  const behind = scan.mark();
  yield* scan.skipSpace();
  const ends = (yield* scan.accept(close)) !== undefined && (yield* comes(scan, opens));
  scan.rewind(behind);
  return ends;
}

const GAP = chars(" \t\r\n", 0, 8);
const WORD = chars("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-", 1, 64);
const ANY_TAG = shape("<", either("/", ""), WORD, either(">", " type=", "/>"));
const CDATA_END = new MarkerSet(["]]>"]);
