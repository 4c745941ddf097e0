/** Bytes that come in pieces: kept in pages, with the time and the end of each piece. */
import { concat } from "../wire/bytes.ts";
import { type Cut, CUT_BYTES, Cuts } from "./cuts.ts";

/** Pages grow from the first to the last of these, and are never copied. */
const [SMALLEST, LARGEST] = [2048, 65_536];

/** A piece of so many bytes is a page of its own, and is not copied. */
const LARGE = 4096;

const EMPTY = new Uint8Array();

export class ByteLog {
  readonly #pages: Uint8Array[] = []; // full ones
  #page: Uint8Array = EMPTY; // what is written to
  #used = 0; // of that page
  readonly #cuts = new Cuts();

  /** Takes a piece, which nobody may change any more; gives how many bytes of memory that took. */
  push(ms: number, piece: Uint8Array): number {
    let taken = CUT_BYTES;
    // What is a small part of a large buffer would keep all of it.
    if (piece.length >= LARGE && piece.buffer.byteLength <= 2 * piece.length) {
      this.#close();
      this.#pages.push(piece);
      taken += piece.buffer.byteLength;
    } else {
      for (let rest = piece; rest.length > 0;) {
        if (this.#used === this.#page.length) taken += this.#turn(rest.length);
        const free = this.#page.length - this.#used;
        const part = rest.length <= free ? rest : rest.subarray(0, free);
        this.#page.set(part, this.#used);
        this.#used += part.length;
        if (part === rest) break;
        rest = rest.subarray(free);
      }
    }
    this.#cuts.push(ms, this.#cuts.end + piece.length);
    return taken;
  }

  /** All of it, as one. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return concat([...this.#pages, this.#page.subarray(0, this.#used)]);
  }

  get cuts(): readonly Cut[] {
    return this.#cuts.list;
  }

  /** Begins a new page; gives its size. */
  #turn(wanted: number): number {
    const size = Math.min(LARGEST, Math.max(this.#page.length * 2, SMALLEST, wanted));
    this.#close();
    this.#page = new Uint8Array(size);
    return size;
  }

  /** What has been written to is full. */
  #close(): void {
    if (this.#used > 0) this.#pages.push(this.#page.subarray(0, this.#used));
    this.#page = EMPTY;
    this.#used = 0;
  }
}
