/** Watches one exchange for silence; only time spent waiting for the upstream counts. */

/** Long enough for what waits in the sockets to be read. */
const SECOND_LOOK_MS = 20;

export class Watch {
  #since = Date.now(); // when the present wait began; 0 while nobody waits
  #limitMs: number; // how long a wait may last
  #timer: ReturnType<typeof setTimeout> | undefined; // looks again when the wait could have become too long

  constructor(limitMs: number, readonly onSilence: (limitMs: number) => void) {
    this.#limitMs = limitMs;
    this.#arm(limitMs);
  }

  /** A wait begins. */
  wait(): void {
    this.#since = Date.now();
  }

  /** The wait is over. */
  rest(): void {
    this.#since = 0;
  }

  /** From here on waits may last this long. */
  limit(limitMs: number): void {
    if (limitMs === this.#limitMs) return;
    this.stop();
    this.#limitMs = limitMs;
    this.#arm(limitMs);
  }

  /** The exchange is over. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  // One timer for a whole answer: setting one for each chunk would cost more than the chunk.
  #arm(delayMs: number): void {
    if (this.#limitMs === 0) return;
    this.#timer = setTimeout(() => {
      const since = this.#since;
      const left = since === 0 ? this.#limitMs : since + this.#limitMs - Date.now();
      if (left > 0) this.#arm(left);
      else this.#lookAgain(since);
    }, delayMs);
  }

  /** When this process has been busy, bytes may have come that nobody has read yet: they are read first. */
  #lookAgain(since: number): void {
    this.#timer = setTimeout(() => {
      if (this.#since === since) this.onSilence(this.#limitMs);
      else this.#arm(this.#limitMs);
    }, SECOND_LOOK_MS);
  }
}
