/**
 * The only place in the code base that holds text back.
 *
 * A dialect reads as if the whole turn were already there. When it asks for text that has not arrived, the
 * generator it runs in pauses until `push()`. What was read since a `mark()` can be unread with `rewind()`.
 */
import type { Field } from "./event.ts";
import { type Hit, type Marker, MarkerSet, measure, MORE } from "./marker.ts";

/** A piece of reading. Pausing (`yield`) means that text is needed which has not arrived. */
export type Step<T> = Generator<void, T, void>;

/** Takes text as it is read. */
export type Sink = (text: string) => void;

/** A place in the turn to which reading can go back. */
export interface Mark {
  readonly piece: number;
  readonly offset: number;
}

/** A stretch of text that came in one field. */
export interface Stretch {
  readonly field: Field;
  readonly text: string;
}

export class Scanner {
  #text = ""; // arrived; what lies before #at has been read
  #at = 0; // how much of #text has been read
  #offset = 0; // where #at is in the turn
  #ended = false; // no more text will arrive
  #trail: string[] = []; // what was read since the outermost mark, piece by piece
  #marks = 0; // how many marks are set
  #seams: { offset: number; field: Field }[] = [{ offset: 0, field: "content" }]; // where the field changes
  #crossed = 0; // the last seam that was told
  #reread = 0; // how much text was unread so far

  /** More of the turn. */
  push(text: string, field: Field = "content"): void {
    if (text === "") return;
    const end = this.#offset + this.#text.length - this.#at;
    const last = this.#seams[this.#seams.length - 1]!;
    if (last.field !== field) {
      if (last.offset === end) last.field = field;
      else this.#seams.push({ offset: end, field });
    }
    this.#text = this.#at === this.#text.length ? text : this.#text.slice(this.#at) + text;
    this.#at = 0;
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
    return this.#fieldAt(Math.max(0, this.#offset - 1));
  }

  /**
   * From here on, what is read can be unread, until `release()` or `commit()`. Marks nest. With `eaten`, which
   * must be the last thing that was read, the mark stands before it.
   */
  mark(eaten = ""): Mark {
    const offset = this.#offset - eaten.length;
    if (eaten !== "" && this.#marks === 0) this.#trail = [eaten];
    this.#marks++;
    return { piece: this.#trail.length - (eaten === "" ? 0 : 1), offset };
  }

  /** A place to go back to for as long as the mark that is set now is. */
  here(): Mark {
    return { piece: this.#trail.length, offset: this.#offset };
  }

  /** Unreads all that was read since `mark`, and releases the innermost mark. */
  rewind(mark: Mark): void {
    this.unread(mark);
    this.release();
  }

  /** Unreads all that was read since `mark`, which stays set. */
  unread(mark: Mark): void {
    const back = this.#trail.splice(mark.piece).join("");
    this.#text = back + this.#text.slice(this.#at);
    this.#at = 0;
    this.#offset = mark.offset;
    this.#crossed = Math.min(this.#crossed, mark.offset);
    this.#reread += back.length;
  }

  /** The innermost mark is no longer needed. */
  release(): void {
    if (this.#marks > 0 && --this.#marks === 0) this.commit();
  }

  /** All that was read so far has been understood; no mark can be gone back to. */
  commit(): void {
    this.#marks = 0;
    this.#trail = [];
    while (this.#seams.length > 1 && this.#seams[1]!.offset < this.#offset) this.#seams.shift();
  }

  /** What was read since `mark`, by field. */
  since(mark: Mark): Stretch[] {
    const text = this.#trail.slice(mark.piece).join("");
    const stretches: Stretch[] = [];
    for (let from = mark.offset; from < this.#offset;) {
      const to = Math.min(this.#offset, this.#seamAfter(from));
      stretches.push({
        field: this.#fieldAt(from),
        text: text.slice(from - mark.offset, to - mark.offset),
      });
      from = to;
    }
    return stretches;
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

  /** Like `until()`, but also stops, with "seam", where the field changes: no marker reaches across. */
  *untilSeam<M extends Marker>(markers: MarkerSet<M>, sink: Sink): Step<Hit<M> | "seam" | undefined> {
    for (;;) {
      const next = this.#seams.find(({ offset }) => offset >= this.#offset && offset > this.#crossed);
      const seam = (next?.offset ?? Infinity) - this.#offset + this.#at;
      const cut = seam < this.#text.length;
      const text = cut ? this.#text.slice(0, seam) : this.#text;
      const { at, size, marker } = markers.locate(text, this.#at, this.#ended || cut);
      this.#deliver(at, sink);
      if (marker !== undefined) return { marker, text: this.#read(size) };
      if (cut && at >= seam) {
        this.#crossed = next!.offset;
        return "seam";
      }
      if (this.#ended && at >= text.length) return undefined;
      yield;
    }
  }

  /** Like `until()`, for short things such as names: collects, and gives up after `limit` characters. */
  *take<M extends Marker>(
    markers: MarkerSet<M>,
    limit = 256,
  ): Step<{ text: string; hit: Hit<M> } | undefined> {
    let text = "";
    for (;;) {
      const { at, size, marker } = markers.locate(this.#text, this.#at, this.#ended);
      text += this.#read(at - this.#at);
      if (text.length > limit) return undefined;
      if (marker !== undefined) return { text, hit: { marker, text: this.#read(size) } };
      if (this.#ended && this.#at === this.#text.length) return undefined;
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

  /** Hands text straight to its reader. */
  #deliver(to: number, sink: Sink): void {
    // Half of a surrogate pair is no character yet.
    if (
      to === this.#text.length && !this.#ended && to > this.#at &&
      isHighSurrogate(this.#text.charCodeAt(to - 1))
    ) to--;
    if (to > this.#at) sink(this.#read(to - this.#at));
  }

  #read(size: number): string {
    if (size === 0) return "";
    const text = this.#text.slice(this.#at, this.#at + size);
    this.#at += size;
    this.#offset += size;
    if (this.#marks > 0) this.#trail.push(text);
    else if (this.#seams.length > 1) this.commit();
    return text;
  }

  #fieldAt(offset: number): Field {
    let field: Field = this.#seams[0]!.field;
    for (const seam of this.#seams) if (seam.offset <= offset) field = seam.field;
    return field;
  }

  #seamAfter(offset: number): number {
    return this.#seams.find((seam) => seam.offset > offset)?.offset ?? Infinity;
  }
}

const NOT_SPACE = /[^ \t\r\n]/g;
const ignore: Sink = () => {};
const isHighSurrogate = (code: number): boolean => code >= 0xd800 && code <= 0xdbff;
