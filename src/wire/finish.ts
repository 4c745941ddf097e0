/** Finish reasons: the words vendors use, and the protocol's. */

/** The protocol's words. `function_call` is the one of the old `functions` interface. */
export type FinishReason = "stop" | "length" | "tool_calls" | "content_filter" | "function_call";

/**
 * Words seen in the wild, in lower case with `_` between: Anthropic, Gemini, Cohere, Ollama, mlx-lm, TGI, SGLang,
 * llama.cpp and gateways that hand them on (symptoms C2, C4). What is not listed means "stop".
 */
const WORDS: { readonly [word: string]: FinishReason | null } = {
  "": null,
  null: null,
  none: null,
  undefined: null,
  stop: "stop",
  stopped: "stop",
  stop_sequence: "stop",
  stop_token: "stop",
  stop_word: "stop",
  end: "stop",
  end_turn: "stop",
  eos: "stop",
  eos_token: "stop",
  eot: "stop",
  complete: "stop",
  completed: "stop",
  done: "stop",
  finish: "stop",
  finished: "stop",
  cancel: "stop",
  cancelled: "stop",
  canceled: "stop",
  abort: "stop",
  aborted: "stop",
  pause_turn: "stop",
  tool_calls: "tool_calls",
  tool_call: "tool_calls",
  tool_use: "tool_calls",
  tool: "tool_calls",
  tools: "tool_calls",
  function_call: "function_call",
  function_calls: "tool_calls",
  length: "length",
  max_length: "length",
  max_tokens: "length",
  max_output_tokens: "length",
  max_new_tokens: "length",
  token_limit: "length",
  model_length: "length",
  model_context_window_exceeded: "length",
  context_length: "length",
  incomplete: "length",
  truncated: "length",
  content_filter: "content_filter",
  content_filtered: "content_filter",
  safety: "content_filter",
  refusal: "content_filter",
  recitation: "content_filter",
  blocklist: "content_filter",
  prohibited_content: "content_filter",
  spii: "content_filter",
  image_safety: "content_filter",
  guardrail_intervened: "content_filter",
  sensitive: "content_filter",
};

/** The protocol's word for a vendor's; null for the ones that mean that the answer goes on. */
export function finishReason(word: unknown): FinishReason | null {
  if (word === null || word === undefined || word === false) return null;
  if (typeof word !== "string") return "stop";
  const key = word.trim().replace(/([a-z])([A-Z])/g, "$1_$2").replace(/[\s-]+/g, "_").toLowerCase();
  return Object.hasOwn(WORDS, key) ? WORDS[key]! : "stop";
}

/** Whether a client may see `word` as it is: a word of the protocol, or nothing at all. */
export function isProtocolFinish(word: unknown): boolean {
  return word === null || word === undefined || word === "stop" || word === "length" ||
    word === "tool_calls" ||
    word === "content_filter" || word === "function_call";
}

/** Whether a finish reason says that the answer is over; some servers send `""` or `"null"` with every chunk (C4). */
export function saysFinish(reason: unknown): reason is NonNullable<unknown> {
  return finishReason(reason) !== null;
}
