/** Watches one exchange for silence; only time spent waiting for the upstream counts. */

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
      const left = this.#since === 0 ? this.#limitMs : this.#since + this.#limitMs - Date.now();
      if (left > 0) this.#arm(left);
      else this.onSilence(this.#limitMs);
    }, delayMs);
  }
}
