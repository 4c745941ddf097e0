/** Bytes that come in pieces: kept in one buffer, with the time and the end of each piece. */

/** What the note of one piece takes, in bytes: an array of two numbers. */
const CUT_BYTES = 64;

export class ByteLog {
  #bytes = new Uint8Array(0); // twice as large whenever it is full
  #size = 0; // how much of it is used
  readonly #cuts: (readonly [ms: number, end: number])[] = [];

  /** How much memory it takes, in bytes. */
  get memory(): number {
    return this.#bytes.length + this.#cuts.length * CUT_BYTES;
  }

  /** Takes a copy of a piece. */
  push(ms: number, piece: Uint8Array): void {
    if (this.#size + piece.length > this.#bytes.length) this.#grow(this.#size + piece.length);
    this.#bytes.set(piece, this.#size);
    this.#size += piece.length;
    this.#cuts.push([ms, this.#size]);
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#size);
  }

  get cuts(): readonly (readonly [ms: number, end: number])[] {
    return this.#cuts;
  }

  /** No more will come: gives back what was held for it. */
  trim(): void {
    if (this.#bytes.length > this.#size) this.#bytes = this.#bytes.slice(0, this.#size);
  }

  #grow(size: number): void {
    const bytes = new Uint8Array(Math.max(size, this.#bytes.length * 2, 1024));
    bytes.set(this.#bytes.subarray(0, this.#size));
    this.#bytes = bytes;
  }
}
