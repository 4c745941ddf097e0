/** Token counts: what they are, whether the client has asked for them, and asking for them in its place. */
import { isObject } from "./call_piece.ts";
import type { Json } from "./openai.ts";

/** How many tokens the upstream counted. */
export interface Usage {
  readonly prompt: number | undefined;
  readonly completion: number | undefined;
}

/** The counts in a `usage` object; under the names of the chat protocol, or those of Anthropic's and `/responses`. */
export function usageOf(usage: Json): Usage {
  const count = (...values: unknown[]) => values.find(isCount);
  return {
    prompt: count(usage.prompt_tokens, usage.input_tokens),
    completion: count(usage.completion_tokens, usage.output_tokens),
  };
}

/** Servers send anything; what is no number of tokens is not counted. */
function isCount(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value <= Number.MAX_SAFE_INTEGER;
}

/** What the request says of it: true, false, or nothing. */
function said({ stream_options }: Json): unknown {
  return isObject(stream_options) ? stream_options.include_usage : undefined;
}

/** The body with usage asked for, if it asks for a stream and does not say (symptoms C9); else the same object. */
export function askForUsage(body: Json): Json {
  if (!leavesUsageOpen(body)) return body;
  const options = isObject(body.stream_options) ? body.stream_options : {};
  return { ...body, stream_options: { ...options, include_usage: true } };
}

/** Whether a request for a stream leaves it open. */
export function leavesUsageOpen(body: Json): boolean {
  return body.stream === true && said(body) === undefined;
}

/** Whether the client itself asked for it. */
export function wantsUsage(body: Json): boolean {
  return body.stream === true && said(body) === true;
}
