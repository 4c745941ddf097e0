/** Token counts, made up where a server never gives them. */
import { isObject } from "../wire/call_piece.ts";
import type { Chunk } from "../wire/openai.ts";
import type { Stage } from "../wire/stage.ts";

/** A stage that ends a stream without usage with a chunk of zeros, as the protocol promises one. */
export function zeroUsage(): Stage {
  let last: Chunk | undefined; // for its envelope
  let seen = false;
  return {
    chunk(item) {
      seen ||= isObject(item.chunk.usage);
      last = item.chunk;
      return [item];
    },
    end() {
      if (seen || last === undefined) return [];
      const { id, created, model } = last;
      const usage = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 };
      return [{ chunk: { id, object: "chat.completion.chunk", created, model, choices: [], usage } }];
    },
  };
}
