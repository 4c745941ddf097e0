/**
 * Events that differ in nothing but one text, taken together: what they say is looked at once, and not each event's
 * JSON. Where nothing is in the text, they go by as they came.
 */
import { ChunkShape, type Run } from "./chunk_shape.ts";
import type { Events } from "./events.ts";
import type { Chunk } from "./openai.ts";
import type { SseEvent } from "./sse_event.ts";
import type { Item } from "./stage.ts";
import type { TurnStage } from "./turn_stage.ts";

/** More text than this need not wait: the stages know better what is held. */
const MOST_WAITING = 256;

/** What does not go out in the chunks that it came in still comes in pieces, for whoever shows it as it comes. */
const MOST_TOGETHER = 256;

/** Around what may be more than text, one look at the stages does for so many characters. */
const MOST_WHOLE = 48;

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
  #waiting = ""; // events at the end of whose text something may begin

  constructor(options: TextRunsOptions) {
    this.#options = options;
  }

  /** An event has been read, and goes through the stages next: more may come that look like it. */
  learn(event: SseEvent, chunk: Chunk): boolean {
    return this.#shape.learn(event, chunk);
  }

  /** The event that was learned last has gone through as it came. */
  passed(): void {
    this.#shape.passed();
  }

  /** Events that wait. */
  get waiting(): string {
    return this.#waiting;
  }

  /** Events that wait; from now on nothing does. */
  release(): string {
    const waiting = this.#waiting;
    this.#waiting = "";
    return waiting;
  }

  /** Takes the events that look like what was learned, up to the first that does not; whether there were any. */
  take(events: Events, outs: (SseEvent | Item)[]): boolean {
    const { rest } = events;
    const run = rest && this.#shape.run(rest.text, rest.at);
    if (run === undefined) return false;
    const last = run.ends.at(-1) === rest!.text.length;
    if (this.#shape.field !== "arguments") this.#look(events, run, last, outs);
    else for (let at = 0; at < run.texts.length;) at = this.#together(events, run, at, outs);
    return true;
  }

  /** Lets events go by in whose text nothing is; one in which there may be something goes through the stages. */
  #look(events: Events, run: Run, last: boolean, outs: (SseEvent | Item)[]): void {
    const { turn, passed } = this.#options;
    const { texts, ends } = run;
    const passes = this.#shape.passes && this.#shape.field === "content";
    const text = texts.length === 1 ? texts[0]! : texts.join("");
    let start = 0; // where the text of the `at`-th begins
    for (let at = 0; at < texts.length;) {
      const look = passes && !turn.apart ? turn.look(text, start) : undefined;
      let [next, end] = [at, start];
      while (next < texts.length && end + texts[next]!.length <= (look?.at ?? 0)) {
        end += texts[next++]!.length;
      }
      while (next > at && breaksOff(text, end)) end -= texts[--next]!.length;
      if (next > at) {
        turn.pass(text.slice(start, end));
        passed(text.slice(start, end));
        outs.push(events.piece(ends[next - 1]!));
        [at, start] = [next, end];
      } else if (last && look?.starts && text.length - start <= MOST_WAITING) {
        this.#waiting = events.skip(ends.at(-1)!);
        return;
      } else {
        const next = this.#together(events, run, at, outs);
        while (at < next) start += texts[at++]!.length;
      }
    }
  }

  /**
   * Sends some events, from the `from`-th on, through the stages as one chunk; up to which one. What may yet go out
   * in the chunks that it came in is not held up by the last of them, at the end of which something may begin.
   */
  #together(events: Events, { texts, ends }: Run, from: number, outs: (SseEvent | Item)[]): number {
    const apart = this.#shape.field === "arguments" || this.#options.turn.apart;
    const most = apart ? MOST_TOGETHER : MOST_WHOLE;
    const last = apart ? texts.length : texts.length - 1;
    let text = texts[from]!, end = from + 1;
    while (end < last && text.length + texts[end]!.length <= most) text += texts[end++]!;
    const event = events.piece(ends[end - 1]!);
    const items = this.#options.chunk({ chunk: this.#shape.chunkOf(text), raw: event.raw });
    if (items.length === 1 && items[0]!.raw === event.raw) {
      this.#shape.passed();
      outs.push(event);
    } else for (const item of items) outs.push(item);
    return end;
  }
}

/** Whether a text is cut there in the middle of a character, or perhaps of a run of backticks. */
function breaksOff(text: string, at: number): boolean {
  const code = text.charCodeAt(at - 1);
  return code === BACKTICK || (code >= 0xd800 && code <= 0xdbff);
}

const BACKTICK = 0x60;
