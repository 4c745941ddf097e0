/** Cuts a turn for reading: in large pieces where nothing is decided, character by character where something is. */
import type { TurnEvent } from "../parse/event.ts";
import { createParser, type ParserOptions } from "../parse/parser.ts";
import type { TurnPiece } from "./reading.ts";

/** How large the pieces are in which a first reading looks where something is decided. */
const LARGE = 1024;

/** So many characters are read one by one at most; what is decided behind them is told less precisely. */
const ONE_BY_ONE = 300_000;
const SMALL = 64;
/** How much may be held back while it still counts as text that is on its way. */
const MOST_OWED = 256;

type Text = Exclude<TurnPiece, string>;

/** Reads ahead with a parser of its own; how a turn is cut never changes what it says (rule 17). */
export function* lookAhead(pieces: readonly TurnPiece[], options: ParserOptions): Generator<TurnPiece> {
  const parser = createParser(options);
  let left = ONE_BY_ONE;
  let owed: string | undefined = ""; // has been read and will go out as it is; undefined: something else may happen
  for (const piece of joined(pieces)) {
    if (piece === "native-call") {
      parser.nativeCall();
      yield piece;
      continue;
    }
    for (const text of cut(piece.text, LARGE)) {
      if (parser.idle) owed = "";
      const events = parser.feed(text, piece.field);
      owed = owed === undefined ? undefined : rest(owed + text, events);
      const plain = owed !== undefined && owed.length <= MOST_OWED;
      if (!plain) owed = undefined;
      if (plain || (parser.holding && isOnlyArguments(events))) yield { field: piece.field, text };
      else {
        const size = left > 0 ? 1 : SMALL;
        for (const small of cut(text, size)) yield { field: piece.field, text: small };
        left -= text.length;
      }
    }
  }
}

/** Neighbours of one field as one: an upstream sends a few characters at a time. */
function* joined(pieces: readonly TurnPiece[]): Generator<TurnPiece> {
  let field: Text["field"] = "content";
  let texts: string[] = [];
  for (const piece of pieces) {
    if (piece !== "native-call" && piece.field === field) {
      texts.push(piece.text);
      continue;
    }
    if (texts.length > 0) yield { field, text: texts.join("") };
    texts = [];
    if (piece === "native-call") yield piece;
    else [field, texts] = [piece.field, [piece.text]];
  }
  if (texts.length > 0) yield { field, text: texts.join("") };
}

function* cut(text: string, size: number): Generator<string> {
  for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size);
}

/** What of a text has not gone out yet; undefined when something else than its beginning has. */
function rest(text: string, events: readonly TurnEvent[]): string | undefined {
  const [event] = events;
  if (event === undefined) return text;
  const isText = event.type === "content-delta" || event.type === "reasoning-delta";
  return events.length === 1 && isText && text.startsWith(event.text)
    ? text.slice(event.text.length)
    : undefined;
}

function isOnlyArguments(events: readonly TurnEvent[]): boolean {
  return events.length === 1 && events[0]!.type === "call-delta";
}
