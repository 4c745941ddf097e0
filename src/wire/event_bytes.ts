/** The bytes of an answer whose text goes on as it came, though other bytes may have come with it: none is encoded anew. */
import { concat } from "./bytes.ts";

const encoder = new TextEncoder();

export class EventBytes {
  #held: Uint8Array[] = []; // what has not gone on yet
  #known = true; // it is just the text that has not gone on yet

  /** Bytes came, and none goes on yet. */
  hold(bytes: Uint8Array): void {
    if (this.#known) this.#held.push(bytes);
  }

  /**
   * Bytes came, and all that has come goes on, but for `rest`, the text at its end: the bytes of it. Undefined where it
   * cannot be said which ones `rest` came in, or where it is not known.
   */
  take(bytes: Uint8Array, rest: string | undefined): Uint8Array | undefined {
    const known = this.#known;
    // Behind a last byte of ASCII no part of a character waits; what a broken one became has another length.
    this.#known = bytes[bytes.length - 1]! < 0x80 && rest !== undefined &&
      !(rest !== "" && rest.includes("\ufffd"));
    const size = rest === undefined || rest === "" ? 0 : encoder.encode(rest).length;
    const all = this.#held.length === 0 ? bytes : concat([...this.#held, bytes]);
    const end = all.length - size;
    this.#known &&= known ? end >= 0 : size <= bytes.length;
    this.#held = this.#known && size > 0 ? [all.subarray(end)] : [];
    return known && this.#known ? size > 0 ? all.subarray(0, end) : all : undefined;
  }
}
