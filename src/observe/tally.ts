/** What is counted between two scrapes: counting by way of prom-client costs a request more than its conversion. */

/** A name for Prometheus, and what is said of it. */
interface Instrument {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
}

type Labels = { [label: string]: string };

/** Stands between the values of labels, in which there is none. */
const BETWEEN = "\0";

/** A sum for each combination of labels. */
export class Tally implements Instrument {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  readonly #sums = new Map<string, number>();

  constructor(name: string, help: string, ...labels: readonly string[]) {
    this.name = name;
    this.help = help;
    this.labels = labels;
  }

  /** Adds `by` to the sum of what has these labels, in their order; none of them may hold a NUL. */
  add(by: number, ...values: readonly string[]): void {
    if (!(by >= 0 && by < Infinity)) return; // prom-client would throw it back
    const key = values.join(BETWEEN);
    this.#sums.set(key, (this.#sums.get(key) ?? 0) + by);
  }

  /** What has come since the last time. */
  take(): [labels: Labels, sum: number][] {
    const taken = [...this.#sums].map(([key, sum]): [Labels, number] => [this.#labelled(key), sum]);
    this.#sums.clear();
    return taken;
  }

  #labelled(key: string): Labels {
    const values = key.split(BETWEEN);
    return Object.fromEntries(this.labels.map((label, n) => [label, values[n]!]));
  }
}

/** Values, each for itself, by one label. */
export class Values implements Instrument {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly [string];
  readonly buckets: number[];
  readonly #values = new Map<string, number[]>();

  constructor(name: string, help: string, label: string, buckets: number[]) {
    this.name = name;
    this.help = help;
    this.labels = [label];
    this.buckets = buckets;
  }

  /** Takes one; gives how many there are of the kind. */
  add(value: number, label: string): number {
    const values = this.#values.get(label);
    if (values !== undefined) return values.push(value);
    this.#values.set(label, [value]);
    return 1;
  }

  /** What has come since the last time. */
  take(): [labels: Labels, values: number[]][] {
    const taken = [...this.#values].map(([value, values]): [Labels, number[]] => [
      { [this.labels[0]]: value },
      values,
    ]);
    this.#values.clear();
    return taken;
  }
}
