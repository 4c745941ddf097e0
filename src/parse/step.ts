/** What reading is made of. */
import type { Field } from "./event.ts";

/** A piece of reading. Pausing (`yield`) means that text is needed which has not arrived. */
export type Step<T> = Generator<void, T, void>;

/** Takes text as it is read. */
export type Sink = (text: string) => void;

/** A stretch of text that came in one field. */
export interface Stretch {
  readonly field: Field;
  readonly text: string;
}
