/** Stages: the steps of the way back, from the upstream to the client. */
import type { Chunk } from "./openai.ts";

/** One event on its way to the client. */
export interface Item {
  readonly chunk: Chunk;
  /** The event as the upstream wrote it (with its closing blank line), for as long as it says the same as `chunk`. */
  readonly raw?: string;
  /** It begins or continues nothing but calls that were written as text: their arguments have the types they should. */
  readonly typed?: true;
}

/** The item with another chunk; the item itself when it is the same. */
export function withChunk(item: Item, chunk: Chunk): Item {
  if (chunk === item.chunk) return item;
  return item.typed ? { chunk, typed: true } : { chunk };
}

/** One step of the way back: an item comes in, any number go on. */
export interface Stage {
  chunk(item: Item): Item[];
  /** Told of text that passes beside the stages, as nothing in it concerns any of them (see `Answer`). */
  text?(choice: number, text: string): void;
  /** The upstream's answer is over; what is left goes on now. */
  end(): Item[];
}
