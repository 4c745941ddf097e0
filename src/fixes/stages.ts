/** Stages of fixes: most look at one delta, or one chunk, at a time. */
import { isObject } from "../wire/call_piece.ts";
import type { Choice, Chunk, Delta } from "../wire/openai.ts";
import { type Stage, withChunk } from "../wire/stage.ts";

/** A stage that changes one chunk at a time; the same chunk means that there is nothing to change. */
export function chunkStage(change: (chunk: Chunk) => Chunk): Stage {
  return {
    chunk(item) {
      return [withChunk(item, change(item.chunk))];
    },
    end: () => [],
  };
}

/** A stage that changes one choice at a time; no list is made for a chunk that needs no change. */
function choiceStage(change: (choice: Choice, position: number) => Choice): Stage {
  return chunkStage((chunk) => {
    const { choices } = chunk;
    if (!Array.isArray(choices)) return chunk;
    let changed: Choice[] | undefined;
    for (let position = 0; position < choices.length; position++) {
      const choice = choices[position]!;
      const now = isObject(choice) ? change(choice, position) : choice;
      if (now !== choice) changed ??= choices.slice(0, position);
      changed?.push(now);
    }
    return changed === undefined ? chunk : { ...chunk, choices: changed };
  });
}

/** Whether a chunk has calls, or ends a choice: no other concerns stages that look at calls. */
export function touchesCalls({ choices }: Chunk): boolean {
  return Array.isArray(choices) && choices.some((choice) =>
    isObject(choice) &&
    (choice.finish_reason != null || (isObject(choice.delta) && choice.delta.tool_calls !== undefined))
  );
}

/** A stage that changes one delta at a time. */
export function deltaStage(change: (delta: Delta) => Delta): Stage {
  return choiceStage((choice) => {
    if (!isObject(choice.delta)) return choice;
    const delta = change(choice.delta);
    return delta === choice.delta ? choice : { ...choice, delta };
  });
}
