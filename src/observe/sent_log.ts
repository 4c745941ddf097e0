/** What goes to a client: as long as it is what was received, piece by piece, it is kept only once. */
import { ByteLog } from "./byte_log.ts";
import { CUT_BYTES, Cuts } from "./cuts.ts";

/** Bytes, and the time and the end of each piece that they came in. */
export type Pieces = Pick<ByteLog, "bytes" | "cuts">;

export class SentLog {
  #own: ByteLog | undefined; // from the first piece on that is not as it was received
  readonly #passed = new Cuts(); // pieces as they were received

  /** So far all pieces are as they were received. */
  get mirrors(): boolean {
    return this.#own === undefined;
  }

  /** A piece goes on as it was received; gives how many bytes of memory that takes. */
  pass(ms: number, size: number): number {
    this.#passed.push(ms, this.#passed.end + size);
    return CUT_BYTES;
  }

  /** Takes a copy of another piece, and of all before it. */
  push(ms: number, piece: Uint8Array, received: Pieces | undefined): number {
    let taken = 0;
    if (this.#own === undefined) {
      const { bytes, cuts } = this.all(received);
      this.#own = new ByteLog();
      let from = 0;
      for (const [ms, to] of cuts) {
        taken += this.#own.push(ms, bytes.subarray(from, to));
        from = to;
      }
    }
    return taken + this.#own.push(ms, piece);
  }

  /** All that has gone to the client. */
  all(received: Pieces | undefined): Pieces {
    if (this.#own !== undefined) return this.#own;
    const bytes = received?.bytes ?? new Uint8Array();
    return { bytes: bytes.subarray(0, this.#passed.end), cuts: this.#passed.list };
  }
}
