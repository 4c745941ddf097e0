/** Bytes that come in pieces: kept in pages, with the time and the end of each piece. */

/** What the note of one piece takes, in bytes: an array of two numbers. */
const CUT_BYTES = 64;

/** Pages grow from the first to the last of these, and are never copied. */
const [SMALLEST, LARGEST] = [2048, 65_536];

const EMPTY = new Uint8Array();

export class ByteLog {
  readonly #pages: Uint8Array[] = [];
  #page: Uint8Array = EMPTY; // the last of them
  #size = 0; // of all that has come
  #free = 0; // at the end of the last page
  readonly #cuts: (readonly [ms: number, end: number])[] = [];

  /** Takes a copy of a piece; gives how many bytes of memory that took. */
  push(ms: number, piece: Uint8Array): number {
    let taken = CUT_BYTES;
    for (let rest = piece; rest.length > 0;) {
      if (this.#free === 0) taken += this.#turn(rest.length);
      const part = rest.length <= this.#free ? rest : rest.subarray(0, this.#free);
      this.#page.set(part, this.#page.length - this.#free);
      this.#free -= part.length;
      if (part === rest) break;
      rest = rest.subarray(part.length);
    }
    this.#size += piece.length;
    this.#cuts.push([ms, this.#size]);
    return taken;
  }

  /** All of it, as one. */
  get bytes(): Uint8Array<ArrayBuffer> {
    const all = new Uint8Array(this.#size);
    let at = 0;
    for (const page of this.#pages) {
      all.set(page.subarray(0, this.#size - at), at);
      at += page.length;
    }
    return all;
  }

  get cuts(): readonly (readonly [ms: number, end: number])[] {
    return this.#cuts;
  }

  /** Begins a new page. */
  #turn(wanted: number): number {
    const size = Math.min(LARGEST, Math.max(this.#page.length * 2, SMALLEST, wanted));
    this.#page = new Uint8Array(size);
    this.#pages.push(this.#page);
    return this.#free = size;
  }
}
