/** The events of one read: each is made when it is asked for, as most need not be. */
import { endOfBlock, readEvent, type SseEvent } from "./sse_event.ts";

export class Events {
  readonly #text: string; // whole events; those of `#list` are made already
  readonly #list: readonly SseEvent[] | undefined;
  readonly #marks: boolean; // there is a `\r` in it
  #at = 0; // what has been taken: characters, or events of the list
  #given: SseEvent[] = []; // what `next()` and `piece()` have brought

  /** Of a text that ends with the blank line of an event, and has no lone `\r` in it; or of events. */
  constructor(from: string | readonly SseEvent[]) {
    this.#text = typeof from === "string" ? from : "";
    this.#list = typeof from === "string" ? undefined : from;
    this.#marks = this.#text.includes("\r");
  }

  /** Nothing is left. */
  get done(): boolean {
    return this.#at === (this.#list ?? this.#text).length;
  }

  /** The next event. */
  next(): SseEvent | undefined {
    if (this.done) return undefined;
    const event = this.#list === undefined ? readEvent(this.#rawAt(this.#at)) : this.#list[this.#at]!;
    this.#at += this.#list === undefined ? event.raw.length : 1;
    this.#given.push(event);
    return event;
  }

  /** The text that is left, from `at` on, where it has not been cut into events; see `piece()`. */
  get rest(): { readonly text: string; readonly at: number } | undefined {
    return this.#list === undefined ? { text: this.#text, at: this.#at } : undefined;
  }

  /** Events that go on unread, as one: up to `end` in the text. */
  piece(end: number): SseEvent {
    const event: SseEvent = { raw: this.skip(end), several: true };
    this.#given.push(event);
    return event;
  }

  /** Takes what is there up to `end` in the text, and gives it. */
  skip(end: number): string {
    const raw = this.#text.slice(this.#at, end);
    this.#at = end;
    return raw;
  }

  /** What goes out is all that has come, and as it came, but for the last `waiting` characters. */
  same(outs: readonly { readonly raw?: string }[], waiting = 0): boolean {
    if (!this.done) return false;
    const given = this.#given, size = this.#text.length - waiting;
    if (outs.length === given.length && outs.every((out, n) => out === given[n])) {
      return this.#list !== undefined || sizeOf(given) === size;
    }
    // Text that was held may have gone out behind all, as it came.
    return this.#list === undefined && outs.every(({ raw }) => raw !== undefined) &&
      textOf(outs) === this.#text.slice(0, size);
  }

  /** These, with `raw`, which is whole events as well, in front of them. */
  behind(raw: string): Events {
    if (raw === "") return this;
    return new Events(this.#list === undefined ? raw + this.#text : [...new Events(raw), ...this.#list]);
  }

  /** All of them, from the first on; none of them is taken. */
  *[Symbol.iterator](): Generator<SseEvent, void, undefined> {
    if (this.#list !== undefined) return yield* this.#list;
    for (let at = 0; at < this.#text.length;) {
      const event = readEvent(this.#rawAt(at));
      at += event.raw.length;
      yield event;
    }
  }

  #rawAt(at: number): string {
    const end = endOfBlock(this.#text, at, this.#marks);
    return this.#text.slice(at, end === -1 ? undefined : end);
  }
}

function textOf(outs: readonly { readonly raw?: string }[]): string {
  return outs.map(({ raw }) => raw).join("");
}

function sizeOf(events: readonly SseEvent[]): number {
  return events.reduce((sum, { raw }) => sum + raw.length, 0);
}

export const NO_EVENTS: Events = new Events([]);
