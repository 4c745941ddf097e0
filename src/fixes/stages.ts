/** Stages of fixes: most look at one delta, or one chunk, at a time. */
import { isObject } from "../wire/call_piece.ts";
import type { Choice, Chunk, Delta } from "../wire/openai.ts";
import type { Stage } from "../wire/stage.ts";

/** A stage that changes one chunk at a time; the same chunk means that there is nothing to change. */
export function chunkStage(change: (chunk: Chunk) => Chunk): Stage {
  return {
    chunk(item) {
      const chunk = change(item.chunk);
      return [chunk === item.chunk ? item : { chunk }];
    },
    end: () => [],
  };
}

/** A stage that changes one choice at a time. */
export function choiceStage(change: (choice: Choice, position: number) => Choice): Stage {
  return chunkStage((chunk) => {
    if (!Array.isArray(chunk.choices)) return chunk;
    let same = true;
    const choices = chunk.choices.map((choice, position) => {
      const changed = isObject(choice) ? change(choice, position) : choice;
      same &&= changed === choice;
      return changed;
    });
    return same ? chunk : { ...chunk, choices };
  });
}

/** A stage that changes one delta at a time. */
export function deltaStage(change: (delta: Delta) => Delta): Stage {
  return choiceStage((choice) => {
    if (!isObject(choice.delta)) return choice;
    const delta = change(choice.delta);
    return delta === choice.delta ? choice : { ...choice, delta };
  });
}
