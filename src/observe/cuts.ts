/** When each piece of a body came, and where in the body it ends. */

/** One piece. */
export type Cut = readonly [ms: number, end: number];

/** What one takes, in bytes: two numbers, and room to grow. */
export const CUT_BYTES = 24;

export class Cuts {
  readonly #numbers: number[] = []; // time and end of one after the other: an array for each would take three times as much

  push(ms: number, end: number): void {
    this.#numbers.push(ms, end);
  }

  /** Where the last piece ends. */
  get end(): number {
    return this.#numbers.at(-1) ?? 0;
  }

  get list(): readonly Cut[] {
    const list: Cut[] = [];
    for (let at = 0; at < this.#numbers.length; at += 2) {
      list.push([this.#numbers[at]!, this.#numbers[at + 1]!]);
    }
    return list;
  }
}
