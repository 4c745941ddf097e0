/** What a turn may hold beside text and calls: reasoning tags, leaked end tokens, made-up tool results. */

/** Tags around reasoning that is written into the content (`dialects.md` §9.5). */
export const REASONING_TAGS: readonly (readonly [open: string, close: string])[] = [
  ["<think>", "</think>"], // DeepSeek R1, Qwen3, GLM, MiniMax, Kimi, nearly all others
  ["<thinking>", "</thinking>"],
  ["<thought>", "</thought>"],
  ["◁think▷", "◁/think▷"], // Kimi-VL
  ["<seed:think>", "</seed:think>"],
  ["<mm:think>", "</mm:think>"],
  ["[THINK]", "[/THINK]"], // Magistral
  ["<longcat_think>", "</longcat_think>"],
  ["<|START_THINKING|>", "<|END_THINKING|>"], // Cohere
  ["<|inner_prefix|>", "<|inner_suffix|>"], // Apertus
  ["<|channel>thought", "<channel|>"], // Gemma 4
  ["<|channel>thought\n", "<channel|>"],
];

/** What ends reasoning that only a prompt can have opened. */
export const LONE_CLOSERS: readonly string[] = [
  "[BEGIN FINAL RESPONSE]", // Apriel 1.5 and 1.6
];

/** Tokens that end a turn; servers that do not strip them leak them at the end of the text (`dialects.md` §9.8). */
export const END_TOKENS: readonly string[] = [
  "<|im_end|>",
  "<|endoftext|>",
  "<｜end▁of▁sentence｜>",
  "<|end▁of▁sentence|>",
  "<|end_of_sentence|>",
  "<|eot_id|>",
  "<|eom_id|>",
  "</s>",
  "<|return|>",
  "<|call|>",
  "<turn|>",
  "<end_of_turn>",
  "<|observation|>",
  "<|user|>",
  "<|role_end|>",
  "<|iquest_end|>",
  "[END FINAL RESPONSE]",
];

/** What opens a tool result. A model that writes one after its own call has made it up (rule 9). */
export const RESULT_TAGS: readonly string[] = [
  "<tool_response>",
  "<|tool_response>",
  "<|tool_response|>",
  "<tool_result>",
  "<tool_results>",
  "<function_result>",
  "<function_results>",
  "<function_response>",
  "<start_function_response>",
  "<｜tool▁outputs▁begin｜>",
  "<｜tool▁output▁begin｜>",
];

/** The same for prompts in the ReAct manner; also a word of prose, so it counts only right after a call. */
export const RESULT_WORD = "Observation:";
