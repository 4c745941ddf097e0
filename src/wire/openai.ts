/** The chat completions protocol, as far as Callmend reads it; what it does not know stays in the object. */

/** Any JSON object. */
export type Json = { [key: string]: unknown };

/** A `chat.completion.chunk`; nothing in it is guaranteed, as vendors bend it. */
export interface Chunk extends Json {
  choices?: Choice[];
}

/** One choice of a chunk. */
export interface Choice extends Json {
  index?: number;
  delta?: Delta;
  finish_reason?: string | null;
}

/** What a chunk adds to the message. `reasoning` is what some servers call `reasoning_content`. */
export interface Delta extends Json {
  role?: string;
  content?: string | null;
  reasoning_content?: string | null;
  reasoning?: string | null;
  tool_calls?: ToolCallDelta[];
}

/** A piece of a tool call, as the protocol has it. */
export interface ToolCallDelta extends Json {
  index: number;
  id?: string;
  type?: "function";
  function?: { name?: string; arguments?: string };
}
