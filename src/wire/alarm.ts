/** Ends waits that last too long, with one timer for many of them: setting one for each piece costs more than the piece. */

export class Alarm {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #rings = 0; // when the timer is due, by `performance.now()`
  #until = 0; // when the present wait is over
  #ring: (() => void) | undefined; // ends the present wait; undefined while nobody waits

  /** What a promise comes to; undefined when that takes longer than `ms`. One wait at a time. */
  within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
    this.#until = performance.now() + ms;
    if (this.#timer === undefined || this.#rings > this.#until) this.#arm(ms);
    return new Promise((resolve, reject) => {
      const ring = this.#ring = () => resolve(undefined);
      const rest = () => {
        if (this.#ring === ring) this.#ring = undefined;
      };
      promise.then((value) => (rest(), resolve(value)), (error) => (rest(), reject(error)));
    });
  }

  /** Nobody will wait any more. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #arm(ms: number): void {
    this.stop();
    this.#rings = performance.now() + ms;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#ring === undefined) return;
      const left = this.#until - performance.now();
      if (left > 0) this.#arm(left);
      else this.#ring();
    }, Math.max(0, ms));
  }
}
