/** The body of an upstream's answer: read piece by piece, with a limit to the waiting. */
import { Alarm } from "./alarm.ts";
import { concat } from "./bytes.ts";
import { type Source, sourceOf } from "./direct_stream.ts";
import { Events } from "./events.ts";
import { SseDecoder } from "./sse.ts";

/** What a read brought. `late`: nothing in time; the same read goes on the next time. */
export type Read =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | { readonly kind: "end" }
  | { readonly kind: "broken"; readonly error: unknown }
  | { readonly kind: "late" };

/** What a read brought, as events. */
export type Batch =
  | {
    readonly kind: "events";
    readonly events: Events;
    /** What was read. */
    readonly bytes: Uint8Array;
    /** The text behind `events`; see `SseDecoder.rest`. */
    readonly rest: string | undefined;
  }
  | { readonly kind: "end"; readonly events: Events; readonly cut: boolean }
  | { readonly kind: "broken"; readonly error: unknown }
  | { readonly kind: "late" };

/** Is told of each piece as it comes, and how the body ended. */
interface Onlooker {
  received(bytes: Uint8Array): void;
  receivedAll(how: string): void;
}

/** So many bytes at a time are looked at to see what a body is. */
const SNIFFED = 256;

export class UpstreamBody {
  readonly #source: Source;
  readonly #sse = new SseDecoder();
  readonly #alarm = new Alarm(); // for reads that must not take too long
  readonly #back: Uint8Array[] = []; // read, and handed back
  #pending: Promise<Read> | undefined; // a read that has not come to anything yet
  #over = false; // ended, broken or given up
  #kept: Batch[] = []; // events that were looked at and handed back

  readonly #onlooker: Onlooker | undefined;

  constructor(body: ReadableStream<Uint8Array>, onlooker?: Onlooker) {
    this.#source = sourceOf(body);
    this.#onlooker = onlooker;
  }

  /** The next bytes, if they come within `wait` milliseconds. */
  async read(wait = Infinity): Promise<Read> {
    const bytes = this.#back.shift();
    if (bytes !== undefined) return { kind: "bytes", bytes };
    if (this.#over && this.#pending === undefined) return { kind: "end" };
    const pending = this.#pending ??= this.#next();
    const read: Read = wait === Infinity
      ? await pending
      : await this.#alarm.within(pending, wait) ?? { kind: "late" };
    if (read.kind !== "late") this.#pending = undefined;
    if (read.kind === "end" || read.kind === "broken") this.#end();
    return read;
  }

  /** A read took too long, and goes on. */
  get waiting(): boolean {
    return this.#pending !== undefined && !this.#over;
  }

  /** The next events, if any bytes come within `wait` milliseconds. */
  readEvents(wait = Infinity): Promise<Batch> {
    const kept = this.#kept.shift();
    if (kept !== undefined) return Promise.resolve(kept);
    // Usually not by way of `read()`: its promises cost more than what comes.
    return wait === Infinity && this.#pending === undefined && this.#back.length === 0 && !this.#over
      ? this.#source.read().then(this.#came, this.#failed)
      : this.read(wait).then(this.#batchOf);
  }

  /** A read of `readEvents()` that nothing limited has come to something; one function for all of them. */
  readonly #came = (bytes: Uint8Array | undefined): Batch => {
    if (bytes === undefined) this.#end();
    this.#told(bytes);
    return this.#events(bytes);
  };

  readonly #failed = (error: unknown): Batch => {
    this.#end();
    return this.#broke(error);
  };

  readonly #batchOf = (read: Read): Batch => {
    if (read.kind === "late" || read.kind === "broken") return read;
    return this.#events(read.kind === "bytes" ? read.bytes : undefined);
  };

  /** The events that some bytes complete, or the end. */
  #events(bytes: Uint8Array | undefined): Batch {
    if (bytes === undefined) {
      const { events, cut } = this.#sse.end();
      return { kind: "end", events: new Events(events), cut };
    }
    const events = this.#sse.push(bytes);
    return { kind: "events", events, bytes, rest: events.done ? undefined : this.#sse.rest };
  }

  /** Blank lines behind the last event. */
  takeRest(): string {
    return this.#sse.end().events.map(({ raw }) => raw).filter((raw) => /^[\r\n]*$/.test(raw)).join("");
  }

  /** Hands batches back: `readEvents()` brings them again, in this order. */
  keep(batches: readonly Batch[]): void {
    this.#kept = [...batches, ...this.#kept];
  }

  /** Takes what was handed back. */
  takeKept(): readonly Batch[] {
    const kept = this.#kept;
    this.#kept = [];
    return kept;
  }

  /** Hands bytes back, in front of all others. */
  unread(bytes: Uint8Array): void {
    this.#back.unshift(bytes);
  }

  /** The beginning of the text, white space aside, once it is `enough`, or nothing came for `wait`; it stays to be read. */
  async sniff(enough: (text: string) => boolean, wait = Infinity): Promise<string> {
    const seen: Uint8Array[] = [];
    const decoder = new TextDecoder();
    let text = "";
    while (!enough(text)) {
      const read = await this.read(wait);
      if (read.kind === "broken") this.#pending = Promise.resolve(read); // whoever reads next shall know
      if (read.kind !== "bytes") break;
      seen.push(read.bytes);
      // A read may be large, and its beginning is mostly enough.
      for (let at = 0; at < read.bytes.length && (at === 0 || !enough(text)); at += SNIFFED) {
        text = (text + decoder.decode(read.bytes.subarray(at, at + SNIFFED), { stream: true })).trimStart();
      }
    }
    for (const bytes of seen.reverse()) this.unread(bytes);
    return text;
  }

  /** All of it, up to `limit` bytes; undefined when it is longer (then it is still all there to be read). */
  async all(limit: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const seen: Uint8Array[] = [];
    let size = 0;
    for (let read = await this.read(); read.kind !== "end"; read = await this.read()) {
      if (read.kind === "broken") throw read.error;
      if (read.kind !== "bytes") continue;
      seen.push(read.bytes);
      size += read.bytes.length;
      if (size > limit) {
        for (const bytes of seen.reverse()) this.unread(bytes);
        return undefined;
      }
    }
    return concat(seen);
  }

  /** The rest, untouched. */
  rest(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull: async (controller) => {
        const read = await this.read();
        if (read.kind === "bytes") controller.enqueue(read.bytes as Uint8Array<ArrayBuffer>);
        else if (read.kind === "broken") controller.error(read.error);
        else controller.close();
      },
      cancel: (reason) => this.cancel(reason),
    }, { highWaterMark: 0 });
  }

  /** Gives the answer up: the upstream's connection is aborted. */
  cancel(reason?: unknown): void {
    if (this.#over) return;
    this.#end();
    this.#onlooker?.receivedAll("cancelled");
    this.#source.cancel(reason);
  }

  /** Reads what may still come after the end, so that the connection can be used again; for `ms` at most. */
  async drain(ms: number): Promise<void> {
    const until = Date.now() + ms;
    while (!this.#over) {
      const left = until - Date.now();
      if (left <= 0 || (await this.read(left)).kind === "late") return this.cancel();
    }
  }

  async #next(): Promise<Read> {
    try {
      const bytes = await this.#source.read();
      this.#told(bytes);
      return bytes === undefined ? { kind: "end" } : { kind: "bytes", bytes };
    } catch (error) {
      return this.#broke(error);
    }
  }

  #end(): void {
    this.#over = true;
    this.#alarm.stop();
  }

  /** Whoever looks on is told of what came. */
  #told(bytes: Uint8Array | undefined): void {
    if (bytes === undefined) this.#onlooker?.receivedAll("whole");
    else this.#onlooker?.received(bytes);
  }

  #broke(error: unknown): { readonly kind: "broken"; readonly error: unknown } {
    this.#onlooker?.receivedAll(`broken: ${error}`);
    return { kind: "broken", error };
  }
}

/** What a promise comes to; undefined when that takes longer than `ms`. */
export async function within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, Math.max(0, ms), undefined);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
