/** Stages: the steps of the way back, from the upstream to the client. */
import type { Chunk } from "./openai.ts";

/** One event on its way to the client. */
export interface Item {
  readonly chunk: Chunk;
  /** The event as the upstream wrote it (with its closing blank line), for as long as it says the same as `chunk`. */
  readonly raw?: string;
}

/** One step of the way back: an item comes in, any number go on. */
export interface Stage {
  chunk(item: Item): Item[];
  /** Told of text that passes beside the stages, as nothing in it concerns any of them (see `Answer`). */
  text?(choice: number, text: string): void;
  /** The upstream's answer is over; what is left goes on now. */
  end(): Item[];
}

/** Runs items through `stages` in order; `end()` of each feeds the ones after it. */
export function chain(stages: readonly Stage[]): Stage {
  const from = (first: number, items: Item[]): Item[] =>
    stages.slice(first).reduce((all, stage) => all.flatMap((item) => stage.chunk(item)), items);
  return {
    chunk: (item) => from(0, [item]),
    end: () => stages.flatMap((stage, n) => from(n + 1, stage.end())),
  };
}
