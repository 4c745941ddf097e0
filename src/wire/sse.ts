/** Server-sent events: bytes to events, each with the text it was written in, so that it can go out unchanged. */
import { Events, NO_EVENTS } from "./events.ts";
import { isJson } from "./json_text.ts";
import { endOfBlock, readEvent, type SseEvent } from "./sse_event.ts";

/** A block may be this long before it is passed on unread: 64 Mi characters. */
const LIMIT = 64 * 1024 * 1024;

/** A line end of old, or half of one. */
const LONE = /\r(?!\n)/;

/** More line ends than two: which of them belong together depends on what is before them. */
const ODD = /(?:\r?\n){3}$/;

const STREAM = { stream: true };

const [LINE_FEED, CARRIAGE_RETURN] = [0x0a, 0x0d];

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

  /** The text that waits for more input (but for the first bytes of a character); undefined where it has gone on unread. */
  get rest(): string | undefined {
    return this.#passing ? undefined : this.#joined;
  }

  /** The events that `bytes` complete. */
  push(bytes: Uint8Array): Events {
    const text = this.#decoder.decode(bytes, STREAM);
    if (text === "") return NO_EVENTS;
    // Of a block that is held it takes the end to see whether it goes on; a short one is joined at once.
    const joined = this.#size <= text.length;
    const before = joined ? this.#joined : this.#tail;
    const seam = before === "" ? text : before + text;
    const end = this.#size + text.length > this.#limit ? undefined : this.#lastEnd(seam);
    if (end === undefined) return new Events(this.#text(text));
    this.#first = false;
    if (end <= before.length) {
      this.#hold(text);
      return NO_EVENTS;
    }
    const rest = end === seam.length ? "" : seam.slice(end);
    const block = rest === "" ? seam : seam.slice(0, end);
    const whole = joined ? block : this.#joined + block.slice(before.length);
    this.#clear();
    this.#hold(rest);
    return new Events(whole);
  }

  /** The block that is held. */
  get #joined(): string {
    return this.#size === 0 ? "" : this.#held.join("");
  }

  /**
   * Where the last block ends that is whole, 0 for none, in what has come and at least two characters before it, if
   * there were any; undefined where that needs a closer look.
   */
  #lastEnd(seam: string): number | undefined {
    if (this.#passing) return undefined;
    if (this.#first && (this.#size > 0 || seam.startsWith("\uFEFF"))) return undefined;
    const marks = seam.includes("\r");
    if (marks && LONE.test(seam)) return undefined;
    const [line, marked] = [seam.lastIndexOf("\n\n"), marks ? seam.lastIndexOf("\n\r\n") : -1];
    if (line === -1 && marked === -1) return 0;
    const end = line > marked ? line + 2 : marked + 3;
    const before = seam.charCodeAt(line > marked ? end - 3 : end - 4);
    if (before !== LINE_FEED && before !== CARRIAGE_RETURN) return end;
    return ODD.test(seam.slice(Math.max(0, end - 6), end)) ? undefined : end;
  }

  /**
   * The stream is over. A last block without its blank line counts when it says something whole; its blank line
   * is added. One that breaks off in the middle is dropped, as every reader of events does (`cut` tells).
   */
  end(): { events: SseEvent[]; cut: boolean } {
    const events = this.#text(this.#decoder.decode());
    const rest = this.#joined;
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
    const marks = seam.includes("\r");
    let from = this.#tail.length; // where the part of `seam` begins that is in no block yet
    for (let end = endOfBlock(seam, 0, marks); end !== -1; end = endOfBlock(seam, end, marks)) {
      const last = seam.slice(from, end);
      const raw = this.#size === 0 ? last : this.#joined + last;
      events.push(this.#passing ? { raw } : this.#event(raw));
      this.#clear();
      this.#passing = false;
      from = end;
    }
    return [...events, ...this.#hold(from === 0 ? seam : seam.slice(from))];
  }

  /** Keeps the beginning of a block; gives it back when it is too long to be kept. */
  #hold(text: string): SseEvent[] {
    if (text === "") return [];
    this.#held.push(text);
    this.#size += text.length;
    this.#tail = text.length < 2 ? (this.#tail + text).slice(-2) : text.slice(-2);
    if (!this.#passing && this.#size <= this.#limit) return [];
    const raw = this.#joined;
    this.#passing = true;
    this.#held = [];
    this.#size = 0;
    return [{ raw }];
  }

  #clear(): void {
    if (this.#tail === "") return; // nothing was held: the usual case
    this.#held = [];
    this.#size = 0;
    this.#tail = "";
  }

  #event(raw: string): SseEvent {
    const mark = this.#first && raw.startsWith("\uFEFF");
    this.#first = false;
    return mark ? { ...readEvent(raw.slice(1)), raw } : readEvent(raw);
  }
}

function isWhole(data: string): boolean {
  return data.trim() === "[DONE]" || isJson(data);
}
