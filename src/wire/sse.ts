/** Server-sent events: bytes to events, each with the text it was written in, so that it can go out unchanged. */
import { createParser } from "eventsource-parser";

/** One block of a stream, up to and with its blank line. */
export interface SseEvent {
  /** The block as the upstream wrote it. */
  readonly raw: string;
  /** What it says; not there when the block holds nothing but comments. */
  readonly data?: string;
  /** Its `event:` field. */
  readonly name?: string;
}

/** A block may be this long before it is passed on unread: 64 Mi characters. */
const LIMIT = 64 * 1024 * 1024;

/** The end of a line and a blank line after it. `\r\n` is one line end; a lone `\r` at the very end may become one. */
const BLANK = /\n\r?\n|\r\r|\n\r(?!$)/g;

/** Cuts the bytes of one answer into events. Feeding it in tiny pieces costs no more than feeding it whole. */
export class SseDecoder {
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  readonly #limit: number;
  #held: string[] = []; // the block that has not ended yet, piece by piece
  #size = 0; // how long that is
  #tail = ""; // its last two characters: a blank line may begin in one read and end in the next
  #first = true; // a byte order mark may still come
  #passing = false; // the block is too long; its pieces go on unread

  constructor(limit = LIMIT) {
    this.#limit = limit;
  }

  /** Nothing waits for more input (but perhaps the first bytes of a character). */
  get empty(): boolean {
    return this.#size === 0 && !this.#passing;
  }

  /** The events that `bytes` complete. All of them come as one, without data, where `isPlain` says it of their text. */
  push(bytes: Uint8Array, isPlain?: (text: string) => boolean): SseEvent[] {
    const text = this.#decoder.decode(bytes, { stream: true });
    const end = isPlain === undefined || this.#passing || this.#tail.endsWith("\n")
      ? -1
      : text.lastIndexOf("\n\n");
    if (end === -1 || text.includes("\r") || this.#tail.includes("\r")) return this.#text(text);
    const raw = this.#held.join("") + text.slice(0, end + 2);
    if (!isPlain!(raw)) return this.#text(text);
    this.#clear();
    const events: SseEvent[] = [{ raw }];
    this.#hold(text.slice(end + 2), events);
    return events;
  }

  /**
   * The stream is over. A last block without its blank line counts when it says something whole; its blank line
   * is added. One that breaks off in the middle is dropped, as every reader of events does (`cut` tells).
   */
  end(): { events: SseEvent[]; cut: boolean } {
    const events = this.#text(this.#decoder.decode());
    const rest = this.#held.join("");
    this.#clear();
    if (rest === "") return { events, cut: false };
    if (this.#passing) return { events: [...events, { raw: rest }], cut: false };
    const event = this.#event(rest + (/[\r\n]$/.test(rest) ? "\n" : "\n\n"));
    if (event.data !== undefined && !isWhole(event.data)) return { events, cut: true };
    // Blank lines alone are no block that would need one more.
    return { events: [...events, /^[\r\n]*$/.test(rest) ? { raw: rest } : event], cut: false };
  }

  #text(text: string): SseEvent[] {
    const events: SseEvent[] = [];
    if (text === "") return events;
    const seam = this.#tail === "" ? text : this.#tail + text;
    const find = finder(seam);
    let from = this.#tail.length; // where the part of `seam` begins that is in no block yet
    for (let end = find(0); end !== -1; end = find(Math.max(from, end))) {
      const last = seam.slice(from, end);
      const raw = this.#size === 0 ? last : this.#held.join("") + last;
      events.push(this.#passing ? { raw } : this.#event(raw));
      this.#clear();
      this.#passing = false;
      from = end;
    }
    this.#hold(from === 0 ? seam : seam.slice(from), events);
    return events;
  }

  #hold(text: string, events: SseEvent[]): void {
    if (text === "") return;
    this.#held.push(text);
    this.#size += text.length;
    this.#tail = (this.#tail + text).slice(-2);
    if (!this.#passing && this.#size <= this.#limit) return;
    this.#passing = true;
    events.push({ raw: this.#held.join("") });
    this.#held = [];
    this.#size = 0;
  }

  #clear(): void {
    if (this.#tail === "") return; // nothing was held: the usual case
    this.#held = [];
    this.#size = 0;
    this.#tail = "";
  }

  #event(raw: string): SseEvent {
    const first = this.#first;
    this.#first = false;
    // Nearly every block is one line of data: worth not building a parser's state for.
    if (raw.startsWith("data: ") && raw.indexOf("\n") === raw.length - 2 && !raw.includes("\r")) {
      return { raw, data: raw.slice(6, -2) };
    }
    return parseBlock(raw, first && raw.startsWith("\uFEFF") ? raw.slice(1) : raw);
  }
}

/** What goes on the wire for one piece of data. */
export function encodeEvent(data: string): string {
  return `data: ${data}\n\n`;
}

/** Finds the ends of blocks. Two searches, as hardly any stream has a `\r` in it. */
function finder(text: string): (from: number) => number {
  if (!text.includes("\r")) {
    return (from) => {
      const at = text.indexOf("\n\n", from);
      return at === -1 ? -1 : at + 2;
    };
  }
  return (from) => {
    BLANK.lastIndex = from;
    return BLANK.test(text) ? BLANK.lastIndex : -1;
  };
}

function parseBlock(raw: string, text: string): SseEvent {
  let event: SseEvent = { raw };
  const parser = createParser({
    onEvent: ({ data, event: name }) => {
      event = { raw, data, ...(name === undefined ? {} : { name }) };
    },
  });
  // A lone `\r` at the end might be half a line end to the parser; what follows it settles that.
  parser.feed(text.endsWith("\r") ? `${text}\n\n` : text);
  return event;
}

function isWhole(data: string): boolean {
  if (data.trim() === "[DONE]") return true;
  try {
    JSON.parse(data);
    return true;
  } catch {
    return false;
  }
}
