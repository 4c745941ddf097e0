/** Which vendor a model is of, by its name or by the upstream's; gateways put prefixes in front and use spaces. */
import type { Target } from "./fix.ts";

type Match = (target: Target) => boolean;

const named = (pattern: RegExp): Match => ({ model }) => pattern.test(model);

/** Whether the upstream is `domain`, or below it. */
export const at = (domain: string): Match => ({ host }) => {
  const name = host.toLowerCase().replace(/:\d+$/, "");
  return name === domain || name.endsWith(`.${domain}`);
};

const either = (...matches: readonly Match[]): Match => (target) => matches.some((match) => match(target));

export const everyModel: Match = () => true;
export const isGemini = named(/gemini/i);
/** Gemini 3 and later refuse calls without their thought signature. */
export const isGemini3 = named(/gemini[\s_-]*(?:[3-9]|\d\d)(?!\d)/i);
export const isGeminiFlash = named(/gemini.*flash/i);
export const isClaude = named(/claude/i);
export const isOpus = named(/claude.*opus|opus.*claude/i);
export const isOpus47 = named(/opus[\s._-]*4[\s._-]*7(?!\d)|\b4[._-]7[\s._-]*opus/i);
export const isSonnet46 = named(/sonnet[\s._-]*4[\s._-]*6(?!\d)|\b4[._-]6[\s._-]*sonnet/i);
export const isMistral = named(/(?:codestral|ministral|mistral|mixtral|magistral|devstral|pixtral)/i);
export const isKimi = named(/kimi/i);
export const isGlm = named(/(?:^|[^a-z])(?:chat)?glm/i);
export const isDeepSeek = named(/deepseek/i);
export const isQwen = named(/qwen|qwq/i);

const openAiHost = either(at("openai.com"), at("openai.azure.com"));
const openAiName = /(?:^|[/\s:])(?:chatgpt|gpt-oss|gpt[\s_-]?[3-9]|o[1-9](?![a-z0-9])|(?:[\w.]+-)*codex\b)/i;

/** Azure serves these too. */
const others = either(
  ...[isGemini, isClaude, isMistral, isKimi, isGlm, isDeepSeek, isQwen],
  named(/llama|grok|phi-|command|cohere|minimax/i),
);

/** OpenAI's own models, wherever they are reached. */
export const isOpenAi: Match = (target) =>
  named(openAiName)(target) || (openAiHost(target) && !others(target));
export const isCodex = named(/(?:^|[^a-z])codex(?![a-z])/i);
/** OpenAI's models that always reason: the o series, and GPT-5 before 5.1. */
export const isReasoner: Match = ({ model }) =>
  /(?:^|[/\s:])o[1-9](?![a-z0-9])/i.test(model) ||
  (/(?:^|[/\s:])gpt[\s_-]?5(?![.\d])/i.test(model) && !/chat/i.test(model));
