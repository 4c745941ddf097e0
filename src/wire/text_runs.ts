/**
 * Events that differ in nothing but one text, taken together: what they say is looked at once, and not each event's
 * JSON. Where nothing is in the text, they go by as they came.
 */
import { ChunkShape } from "./chunk_shape.ts";
import type { Chunk } from "./openai.ts";
import type { SseEvent } from "./sse.ts";
import type { Item } from "./stage.ts";
import type { TurnStage } from "./turn_stage.ts";

/** More text than this need not wait: the stages know better what is held. */
const MOST_WAITING = 256;

/** A long text still comes in pieces, for whoever shows it as it comes. */
const MOST_TOGETHER = 256;

export interface TextRunsOptions {
  readonly turn: TurnStage;
  /** Sends a chunk through the stages. */
  readonly chunk: (item: Item) => readonly Item[];
  /** Told of text that goes by beside them. */
  readonly passed: (text: string) => void;
}

export class TextRuns {
  readonly #options: TextRunsOptions;
  readonly #shape = new ChunkShape();
  #waiting: SseEvent[] = []; // at the end of whose text something may begin
  #texts: string[] = []; // what each of those says

  constructor(options: TextRunsOptions) {
    this.#options = options;
  }

  /** An event has been read, and goes through the stages next: more may come that look like it. */
  learn(data: string, chunk: Chunk): boolean {
    return this.#shape.learn(data, chunk);
  }

  /** The event that was learned last has gone through as it came. */
  passed(): void {
    this.#shape.passed();
  }

  /** Events that wait; from now on nothing does. */
  release(): readonly SseEvent[] {
    const waiting = this.#waiting;
    this.#wait([], []);
    return waiting;
  }

  /** Takes those of `all` from the `from`-th on that look like what was learned, up to the first that does not. */
  take(all: readonly SseEvent[], from: number, outs: (SseEvent | Item)[]): number {
    const events = this.#waiting, texts = this.#texts;
    let end = from;
    for (; end < all.length; end++) {
      const { data, name } = all[end]!;
      const text = data === undefined || name !== undefined ? undefined : this.#shape.textOf(data);
      if (text === undefined) break;
      events.push(all[end]!);
      texts.push(text);
    }
    if (end === from) return 0;
    this.#wait([], []);
    if (this.#shape.field !== "arguments") this.#look(events, texts, outs);
    else for (let at = 0; at < events.length;) at += this.#together(events, texts, at, outs);
    return end - from;
  }

  /** Lets events go by in whose text nothing is; one in which there may be something goes through the stages. */
  #look(events: SseEvent[], texts: string[], outs: (SseEvent | Item)[]): void {
    const { turn, passed } = this.#options;
    const passes = this.#shape.passes && this.#shape.field === "content";
    const text = texts.length === 1 ? texts[0]! : texts.join("");
    let start = 0; // where the text of the `at`-th begins
    for (let at = 0; at < events.length;) {
      // Where text does not go out in the chunks that it came in, one will do for several.
      if (turn.apart) {
        const next = at + this.#together(events, texts, at, outs);
        while (at < next) start += texts[at++]!.length;
        continue;
      }
      const look = passes ? turn.look(text, start) : undefined;
      let [next, end] = [at, start];
      while (next < events.length && end + texts[next]!.length <= (look?.at ?? 0)) {
        end += texts[next++]!.length;
      }
      if (next > at && !isHighSurrogate(text, end - 1)) {
        turn.pass(text.slice(start, end));
        passed(text.slice(start, end));
        for (; at < next; at++) outs.push(events[at]!);
        start = end;
      } else if (look?.starts && text.length - start <= MOST_WAITING) {
        return this.#wait(events.slice(at), texts.slice(at));
      } else {
        this.#one([events[at]!], texts[at]!, outs);
        start += texts[at++]!.length;
      }
    }
  }

  /** Sends some events, from the `from`-th on, through the stages as one chunk; how many that were. */
  #together(
    events: readonly SseEvent[],
    texts: readonly string[],
    from: number,
    outs: (SseEvent | Item)[],
  ): number {
    let text = texts[from]!, end = from + 1;
    while (end < events.length && text.length + texts[end]!.length <= MOST_TOGETHER) text += texts[end++]!;
    this.#one(events.slice(from, end), text, outs);
    return end - from;
  }

  /** Sends events through the stages as one chunk that says all they do. */
  #one(events: readonly SseEvent[], text: string, outs: (SseEvent | Item)[]): void {
    const raw = events.length === 1 ? events[0]!.raw : events.map(({ raw }) => raw).join("");
    const items = this.#options.chunk({ chunk: this.#shape.chunkOf(text), raw });
    if (items.length === 1 && items[0]!.raw === raw) {
      this.#shape.passed();
      for (const event of events) outs.push(event);
    } else for (const item of items) outs.push(item);
  }

  #wait(events: SseEvent[], texts: string[]): void {
    this.#waiting = events;
    this.#texts = texts;
  }
}

/** Whether a text breaks off in the middle of a character there. */
function isHighSurrogate(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 0xd800 && code <= 0xdbff;
}
