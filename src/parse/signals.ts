/** What a turn may hold beside text and calls: reasoning tags, leaked end tokens, made-up tool results. */
import { chars, type Shape, shape } from "./marker.ts";

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
  ["<|think:start|>", "<|think:end|>"], // Solar Open 2
  ["<|think|>", "<|end|><|content|>"], // Solar Open
  ["<|inner_prefix|>", "<|inner_suffix|>"], // Apertus
  ["<|open|>think<|sep|>", "<|close|>think<|sep|>"], // Kimi K3
  ["<|channel>thought", "<channel|>"], // Gemma 4
  ["<|channel>thought\n", "<channel|>"],
];

/** What ends reasoning that only a prompt can have opened. */
export const LONE_CLOSERS: readonly string[] = [
  "[BEGIN FINAL RESPONSE]", // Apriel 1.5 and 1.6
];

/** Hunyuan 4 puts the number of its checkpoint into the tags: `<think:6124c78e>`. */
export const NUMBERED_THINK: readonly Shape[] = ["<think:", "</think:"].map((start) =>
  shape(start, chars("0123456789abcdef", 1, 16), ">")
);

const CLOSERS = new Map(REASONING_TAGS);
const ALL_CLOSERS = new Set([...CLOSERS.values(), ...LONE_CLOSERS]);

/** What closes reasoning as well as its own closer does: in Solar Open's answers a call may follow instead of content. */
const SHORT_CLOSERS = new Map([["<|end|>", "<|end|><|content|>"]]);

/** What `SHORT_CLOSERS` holds, to look for. */
export const SHORT_CLOSER_TAGS: readonly string[] = [...SHORT_CLOSERS.keys()];

/** Whether `tag` stands for the closer `closer`. */
export function isCloserFor(tag: string, closer: string | undefined): boolean {
  return closer !== undefined && (tag === closer || SHORT_CLOSERS.get(tag) === closer);
}

/** What closes the reasoning that `tag` opens; undefined when it opens none. */
export function closerOfReasoning(tag: string): string | undefined {
  return CLOSERS.get(tag) ?? (tag.startsWith("<think:") ? tag.replace("<", "</") : undefined);
}

/** Whether `tag` closes reasoning. */
export function closesReasoning(tag: string): boolean {
  return ALL_CLOSERS.has(tag) || tag.startsWith("</think:");
}

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
  "<|END_OF_TURN_TOKEN|>",
  "<|iquest_end|>",
  "[END FINAL RESPONSE]",
  "<|im:end|>",
  "<|eot|>",
  "<|eom|>",
  "<|end_of_text|>",
  "<|stop|>",
  "[e~[",
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
  "<antml:function_results>",
  "<function_response>",
  "<start_function_response>",
  "<｜tool▁outputs▁begin｜>",
  "<｜tool▁output▁begin｜>",
];

/** The same for prompts in the ReAct manner; also a word of prose, so it counts only right after a call. */
export const RESULT_WORD = "Observation:";
