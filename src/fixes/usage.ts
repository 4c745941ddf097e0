/** Token counts: asked for where a server gives them only then, made up where one never does. */
import { isObject } from "../wire/call_piece.ts";
import type { Chunk, Json } from "../wire/openai.ts";
import type { Stage } from "../wire/stage.ts";

/** The body with usage asked for, if it asks for a stream. */
export function askForUsage(body: Json): Json {
  if (body.stream !== true) return body;
  const options = isObject(body.stream_options) ? body.stream_options : {};
  return options.include_usage === true
    ? body
    : { ...body, stream_options: { ...options, include_usage: true } };
}

/** Whether the client itself asked for it. */
export function wantsUsage(body: Json): boolean {
  return body.stream === true && isObject(body.stream_options) && body.stream_options.include_usage === true;
}

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
