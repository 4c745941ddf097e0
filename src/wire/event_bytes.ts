/** The bytes of an answer whose text goes on as it came, though other bytes may have come with it: none is encoded anew. */

const encoder = new TextEncoder();

export class EventBytes {
  #held: Uint8Array[] = []; // what has not gone on yet
  #known = true; // it is just the text that has not gone on yet

  /** Bytes came, and none goes on yet. */
  hold(bytes: Uint8Array): void {
    if (this.#known) this.#held.push(bytes);
  }

  /**
   * Bytes came, and all that has come goes on, but for `rest`, the text at its end: the bytes of it, in pieces. Undefined
   * where it cannot be said which ones `rest` came in, or where it is not known.
   */
  take(bytes: Uint8Array, rest: string | undefined): readonly Uint8Array[] | undefined {
    const known = this.#known;
    const pieces = [...this.#held, bytes]; // nothing is held while it is not known
    const held = rest === ""
      ? []
      : rest === undefined
      ? undefined
      : cutOff(pieces, encoder.encode(rest).length);
    // Behind a last byte of ASCII no part of a character waits; what a broken one became has another length.
    this.#known = held !== undefined && bytes[bytes.length - 1]! < 0x80 &&
      (held.length === 0 || !rest!.includes("\ufffd"));
    this.#held = this.#known ? held! : [];
    return known && this.#known ? pieces : undefined;
  }
}

/** Takes the last `size` bytes off some pieces, and gives them; undefined when there are not so many. */
function cutOff(pieces: Uint8Array[], size: number): Uint8Array[] | undefined {
  const cut: Uint8Array[] = [];
  for (let left = size; left > 0;) {
    const last = pieces.pop();
    if (last === undefined) return undefined;
    const end = Math.max(0, last.length - left);
    if (end > 0) pieces.push(last.subarray(0, end));
    cut.unshift(last.subarray(end));
    left -= last.length - end;
  }
  return cut;
}
