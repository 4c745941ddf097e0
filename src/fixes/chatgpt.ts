/** OpenAI's models on chat completions, at OpenAI, Azure or a gateway. */
import { withField, without } from "./body.ts";
import type { Fix, Target } from "./fix.ts";
import { at, isCodex, isOpenAi, isReasoner } from "./models.ts";

export const chatgptEffortNone: Fix = {
  id: "chatgpt/reasoning-effort-none",
  why:
    '`reasoning_effort: "none"` is refused by models before GPT-5.1, by Codex and Pro models, and by nexos.ai: it is ' +
    "taken out.",
  ref: "nexos known-bugs/gpt-chat-completions-limits",
  symptoms: ["D13"],
  applies: (target) => isOpenAi(target) && refusesNone(target),
  request: (body) => body.reasoning_effort === "none" ? without(body, "reasoning_effort") : body,
};

export const chatgptTemperature: Fix = {
  id: "chatgpt/temperature",
  why: "The o series, GPT-5 and every GPT at nexos.ai take no `temperature` but 1: another one is taken out.",
  ref: "nexos known-bugs/gpt-chat-completions-limits, OpenAI's guide to reasoning models",
  symptoms: ["D13"],
  applies: (target) => isReasoner(target) || (at("nexos.ai")(target) && isOpenAi(target) && !isCodex(target)),
  request: (body) =>
    body.temperature === undefined || body.temperature === 1 ? body : without(body, "temperature"),
};

export const chatgptMaxTokens: Fix = {
  id: "chatgpt/max-completion-tokens",
  why:
    "OpenAI's reasoning models refuse `max_tokens`, whatever gateway leads there: it becomes `max_completion_tokens`.",
  ref: "voideditor/void#128, tensorzero/tensorzero#2805",
  symptoms: ["D13"],
  applies: (target) => isOpenAi(target) && (isReasoner(target) || /gpt[\s_-]?5/i.test(target.model)),
  request: (body) =>
    body.max_tokens === undefined ? body : withField(
      without(body, "max_tokens"),
      "max_completion_tokens",
      body.max_completion_tokens ?? body.max_tokens,
    ),
};

/** GPT-5.1 was the first to take it; its Codex and Pro siblings do not, nor does nexos.ai, where names have spaces. */
function refusesNone(target: Target): boolean {
  const { model } = target;
  const later = /gpt[\s_-]?(?:5\.[1-9]|[6-9])/i.test(model);
  return !later || /codex|\bpro\b/i.test(model) || at("nexos.ai")(target) || /gpt \d/i.test(model);
}
