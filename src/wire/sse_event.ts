/** One event of a stream: read, and written. */
import { createParser } from "eventsource-parser";

/** One block of a stream, up to and with its blank line; or several of them, which are passed on unread. */
export interface SseEvent {
  /** The block as the upstream wrote it. */
  readonly raw: string;
  /** What it says; not there when the block holds nothing but comments, or is several. */
  readonly data?: string;
  /** Its `event:` field. */
  readonly name?: string;
  /** They are several: `Events` can read them. */
  readonly several?: true;
}

/** The end of a line and a blank line after it. `\r\n` is one line end; a lone `\r` at the very end may become one. */
const BLANK = /\n\r?\n|\r\r|\n\r(?!$)/g;

/** Where the first block ends, from `from` on; -1 when none does. `marks`: there is a `\r` in the text. */
export function endOfBlock(text: string, from: number, marks: boolean): number {
  if (!marks) { // hardly any stream has one
    const at = text.indexOf("\n\n", from);
    return at === -1 ? -1 : at + 2;
  }
  BLANK.lastIndex = from;
  return BLANK.test(text) ? BLANK.lastIndex : -1;
}

/** What goes on the wire for one piece of data. */
export function encodeEvent(data: string): string {
  return `data: ${data}\n\n`;
}

/** What one block says. */
export function readEvent(raw: string): SseEvent {
  // Nearly every block is one line of data: worth not building a parser's state for.
  if (raw.startsWith("data: ") && raw.indexOf("\n") === raw.length - 2 && !raw.includes("\r")) {
    return { raw, data: raw.slice(6, -2) };
  }
  let event: SseEvent = { raw };
  const parser = createParser({
    onEvent: ({ data, event: name }) => {
      event = { raw, data, ...(name === undefined ? {} : { name }) };
    },
  });
  // A lone `\r` at the end might be half a line end to the parser; what follows it settles that.
  parser.feed(raw.endsWith("\r") ? `${raw}\n\n` : raw);
  return event;
}
