/**
 * The only place in the code base that holds text back.
 *
 * A dialect reads as if the whole turn were already there. When it asks for text that has not arrived, the
 * generator it runs in pauses until `push()`. What was read since a `mark()` can be unread with `rewind()`.
 */
import type { Field } from "./event.ts";
import { type Hit, type Marker, MarkerSet, measure, MORE } from "./marker.ts";
import { Seams } from "./seams.ts";
import type { Sink, Step, Stretch } from "./step.ts";
import { type Mark, Trail } from "./trail.ts";

export type { Sink, Step, Stretch } from "./step.ts";
export type { Mark } from "./trail.ts";

export class Scanner {
  #text = ""; // arrived; what lies before #at has been read
  #at = 0; // how much of #text has been read
  #offset = 0; // where #at is in the turn
  #ended = false; // no more text will arrive
  readonly #trail = new Trail(); // what may be unread
  readonly #seams = new Seams(); // where the field changes
  #told = 0; // the last seam that was told
  #reread = 0; // how much text was unread so far

  /** More of the turn. */
  push(text: string, field: Field = "content"): void {
    if (text === "") return;
    this.#seams.add(this.#offset + this.held, field);
    this.#text = this.#at === this.#text.length ? text : this.#text.slice(this.#at) + text;
    this.#at = 0;
  }

  /** Text goes by in which there is nothing to find; nothing may be held, and no mark set. */
  pass(size: number): void {
    this.#offset += size;
    this.#seams.forget(this.#offset);
  }

  /** The turn is over. */
  end(): void {
    this.#ended = true;
  }

  /** All of the turn has been read. */
  get ended(): boolean {
    return this.#ended && this.#at === this.#text.length;
  }

  /** How many characters wait for more input; what lies in a marked stretch does not count. */
  get held(): number {
    return this.#text.length - this.#at;
  }

  /** How many characters have been unread so far: the cost of looking at things that came to nothing. */
  get reread(): number {
    return this.#reread;
  }

  /** How far reading has come in the turn. */
  get offset(): number {
    return this.#offset;
  }

  /** The field in which the last character that was read came. */
  get field(): Field {
    return this.#seams.fieldAt(Math.max(0, this.#offset - 1));
  }

  /**
   * From here on, what is read can be unread, until `release()` or `commit()`. Marks nest. With `eaten`, which
   * must be the last thing that was read, the mark stands before it.
   */
  mark(eaten = ""): Mark {
    return this.#trail.mark(this.#offset, eaten);
  }

  /** A place to go back to for as long as the mark that is set now is. */
  here(): Mark {
    return this.#trail.here(this.#offset);
  }

  /** Unreads all that was read since `mark`, and releases the innermost mark. */
  rewind(mark: Mark): void {
    this.unread(mark);
    this.release();
  }

  /** Unreads all that was read since `mark`, which stays set. */
  unread(mark: Mark): void {
    const back = this.#trail.cut(mark);
    if (back.length <= this.#at) this.#at -= back.length; // it is all still there
    else {
      this.#text = back + this.#text.slice(this.#at);
      this.#at = 0;
    }
    this.#offset = mark.offset;
    this.#told = Math.min(this.#told, mark.offset);
    this.#reread += back.length;
  }

  /** The innermost mark is no longer needed. */
  release(): void {
    if (this.#trail.release()) this.commit();
  }

  /** All that was read so far has been understood; no mark can be gone back to. */
  commit(): void {
    this.#trail.clear();
    this.#seams.forget(this.#offset);
  }

  /** What was read since `mark`, by field. */
  since(mark: Mark): Stretch[] {
    return this.#seams.stretches(mark.offset, this.#trail.since(mark));
  }

  /**
   * Streams text into `sink` up to the first of `markers`, and eats the marker. Text leaves as soon as it
   * cannot be the start of a marker. Undefined when the turn ended first.
   */
  *until<M extends Marker>(markers: MarkerSet<M>, sink: Sink): Step<Hit<M> | undefined> {
    for (;;) {
      const { at, size, marker } = markers.locate(this.#text, this.#at, this.#ended);
      this.#deliver(at, sink);
      if (marker !== undefined) return { marker, text: this.#read(size) };
      if (this.#ended && at >= this.#text.length) return undefined;
      yield;
    }
  }

  /**
   * Like `until()`, but also stops, with "seam", where the field changes: no marker reaches across. What `first`
   * gives, which holds `markers`, counts behind nothing but the blanks that come next; it is asked anew when text comes.
   */
  *untilSeam<M extends Marker>(
    markers: MarkerSet<M>,
    sink: Sink,
    first?: () => MarkerSet<M> | undefined,
  ): Step<Hit<M> | "seam" | undefined> {
    for (;;) {
      const next = this.#seams.ahead(this.#offset, this.#told);
      const seam = next - this.#offset + this.#at;
      const cut = seam < this.#text.length;
      const text = cut ? this.#text.slice(0, seam) : this.#text;
      const here = first?.();
      if (here !== undefined) {
        NOT_BLANK.lastIndex = this.#at;
        const begun = NOT_BLANK.test(text);
        this.#deliver(begun ? NOT_BLANK.lastIndex - 1 : text.length, sink);
        const found = begun ? here.at(text, this.#at, this.#ended || cut) : MORE;
        if (found === MORE) {
          if (!begun && cut) return this.#tell(next);
          if (!begun && this.#ended) return undefined;
          yield;
          continue;
        }
        if (found !== undefined) return { marker: found.marker, text: this.#read(found.size) };
      }
      const { at, size, marker } = markers.locate(text, this.#at, this.#ended || cut);
      this.#deliver(at, sink);
      if (marker !== undefined) return { marker, text: this.#read(size) };
      if (cut && at >= seam) return this.#tell(next);
      if (this.#ended && at >= text.length) return undefined;
      yield;
    }
  }

  /** Like `until()`, for short things such as names: collects; eats nothing if that is more than `limit` characters. */
  *take<M extends Marker>(
    markers: MarkerSet<M>,
    limit = 256,
  ): Step<{ text: string; hit: Hit<M> } | undefined> {
    const start = this.mark();
    let text = "";
    for (;;) {
      const { at, size, marker } = markers.locate(this.#text, this.#at, this.#ended);
      text += this.#read(at - this.#at);
      if (text.length > limit) {
        this.rewind(start);
        return undefined;
      }
      if (marker !== undefined) {
        const hit = { marker, text: this.#read(size) };
        this.release();
        return { text, hit };
      }
      if (this.#ended && this.#at === this.#text.length) {
        this.release();
        return undefined;
      }
      yield;
    }
  }

  /** Eats the longest of `markers` that comes next, and says which; eats nothing when none does. */
  *accept<M extends Marker>(...markers: readonly M[]): Step<Hit<M> | undefined> {
    const found = yield* this.sees(...markers);
    return found && { marker: found.marker, text: this.#read(found.size) };
  }

  /** The longest of `markers` that comes next; eats nothing. */
  *sees<M extends Marker>(...markers: readonly M[]): Step<{ marker: M; size: number } | undefined> {
    for (;;) {
      let found: { marker: M; size: number } | undefined;
      let more = this.#at === this.#text.length && !this.#ended;
      for (const marker of more ? [] : markers) {
        const size = measure(marker, this.#text, this.#at, this.#ended);
        if (size === MORE) more = true;
        else if (size > (found?.size ?? 0)) found = { marker, size };
      }
      if (!more) return found;
      yield;
    }
  }

  /** The next character, left where it is; `""` when the turn has ended. */
  *peek(): Step<string> {
    while (this.#at === this.#text.length && !this.#ended) yield;
    return this.#text.charAt(this.#at);
  }

  /** Eats the next character; `""` when the turn has ended. */
  *next(): Step<string> {
    return this.#read((yield* this.peek()).length);
  }

  /** Reads `size` characters that are known to be there. */
  skip(size: number): string {
    return this.#read(size);
  }

  /** Streams text into `sink` up to the first character that `stop` (a global pattern of one character) matches. */
  *run(stop: RegExp, sink: Sink): Step<void> {
    for (;;) {
      stop.lastIndex = this.#at;
      const found = stop.test(this.#text);
      this.#deliver(found ? stop.lastIndex - 1 : this.#text.length, sink);
      if (found || this.#ended) return;
      yield;
    }
  }

  /** Eats white space. */
  *skipSpace(): Step<void> {
    yield* this.run(NOT_SPACE, ignore);
  }

  #tell(seam: number): "seam" {
    this.#told = seam;
    return "seam";
  }

  /** Hands text straight to its reader; half of a surrogate pair is no character yet. */
  #deliver(to: number, sink: Sink): void {
    if (to === this.#text.length && !this.#ended && isHighSurrogate(this.#text.charCodeAt(to - 1))) to--;
    if (to > this.#at) sink(this.#read(to - this.#at));
  }

  #read(size: number): string {
    if (size === 0) return "";
    const text = this.#text.slice(this.#at, this.#at + size);
    this.#at += size;
    this.#offset += size;
    if (this.#trail.marked) this.#trail.add(text);
    else this.#seams.forget(this.#offset);
    return text;
  }
}

const NOT_SPACE = /[^ \t\r\n]/g;
const NOT_BLANK = /[^ \t]/g;
const ignore: Sink = () => {};
const isHighSurrogate = (code: number): boolean => code >= 0xd800 && code <= 0xdbff;
