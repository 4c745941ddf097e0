/** Anthropic's Claude, by way of a gateway that speaks the chat completions protocol. */
import { isObject } from "../wire/call_piece.ts";
import type { Json } from "../wire/openai.ts";
import { callsOf, isNothing, mapMessages, messagesOf, partsOf, withField, without } from "./body.ts";
import type { Fix, Target } from "./fix.ts";
import { isClaude, isOpus, isOpus47, isSonnet46 } from "./models.ts";
import { chunkStage } from "./stages.ts";
import { budgetName, roomForAnswer, thinkingOff, thinks } from "./thinking.ts";

const THINKING = "nexos known-bugs/claude-thinking-params";

export const claudeFinish: Fix = {
  id: "claude/end-turn",
  why:
    "Gateways pass on Anthropic's `end_turn` and `tool_use` where the protocol says `stop` and `tool_calls`; " +
    "OpenCode asks again without end.",
  ref: "nexos known-bugs/claude-finish-reason-end-turn",
  symptoms: ["C2"],
  applies: isClaude,
  finish: ["end_turn", "tool_use"],
};

export const claudeThinkingDisabled: Fix = {
  id: "claude/thinking-disabled",
  why: "Thinking that is switched off is refused when a budget is left over: `thinking` is taken out.",
  ref: THINKING,
  symptoms: ["B8"],
  applies: isClaude,
  request: thinkingOff,
};

export const claudeBudgetTokens: Fix = {
  id: "claude/budget-tokens",
  why: "OpenCode says `budgetTokens`, the API `budget_tokens`.",
  ref: THINKING,
  symptoms: ["B8"],
  applies: isClaude,
  request: budgetName,
};

export const claudeMaxTokens: Fix = {
  id: "claude/max-tokens",
  why: "`max_tokens` counts the thinking too and has to be above its budget: it is raised.",
  ref: THINKING,
  symptoms: ["B8"],
  applies: isClaude,
  request: roomForAnswer,
};

export const claudeThinkingTemperature: Fix = {
  id: "claude/thinking-temperature",
  why: "With thinking on, Anthropic refuses a `temperature`: it is taken out.",
  ref: THINKING,
  symptoms: ["B8", "D13"],
  applies: isClaude,
  request: (body) => thinks(body) ? without(body, "temperature") : body,
};

export const claudeOpus47Temperature: Fix = {
  id: "claude/opus-4.7-temperature",
  why:
    "With a `temperature`, Opus 4.7 streams no tool calls at nexos.ai, and Anthropic refuses it: it is taken out.",
  ref: "nexos known-bugs/claude-opus-47-temperature",
  symptoms: ["D13"],
  applies: isOpus47,
  request: (body) => without(body, "temperature"),
};

export const claudeEmptyText: Fix = {
  id: "claude/empty-text",
  why:
    "Anthropic and Bedrock refuse empty text: beside calls it becomes null, empty parts and empty assistant turns go.",
  ref: "vercel/ai#14618, vercel/ai#13505, Portkey-AI/gateway#995",
  symptoms: ["D6"],
  applies: isClaude,
  request: (body) => mapMessages(body, (message) => withoutEmptyText(message) ?? []),
};

export const claudeCacheControl: Fix = {
  id: "claude/cache-control",
  why:
    "Anthropic caches a prompt only up to marks that clients of this protocol do not set: on the system prompt, the " +
    "tools and the last two turns of the user (not on these for Sonnet 4.6).",
  ref: "nexos known-bugs/claude-prompt-caching, nexos known-bugs/claude-sonnet-46-cache",
  symptoms: [],
  off: true,
  applies: isClaude,
  request(body, { target }) {
    return hasMarks(body) ? body : markTools(markMessages(body, target)); // the client's own marks
  },
};

export const claudeCachedTokens: Fix = {
  id: "claude/cached-tokens",
  why: "Opus counts no cached tokens in `prompt_tokens`, where clients expect them: they are added.",
  ref: "nexos known-bugs/claude-cached-tokens-reporting",
  symptoms: [],
  applies: isOpus,
  skims: true,
  response: () =>
    chunkStage((chunk) => {
      const usage = isObject(chunk.usage) ? withCached(chunk.usage) : chunk.usage;
      return usage === chunk.usage ? chunk : { ...chunk, usage };
    }),
};

/** A message without empty text; undefined when nothing is left of it. */
function withoutEmptyText(message: Json): Json | undefined {
  const { role, content } = message;
  const parts: readonly unknown[] | undefined = Array.isArray(content) ? content : undefined;
  const kept = parts?.filter((part) => !isEmptyText(part)) ?? [];
  const empty = parts === undefined ? isNothing(content) : kept.length === 0;
  if (!empty) {
    return parts === undefined || kept.length === parts.length ? message : { ...message, content: kept };
  }
  if (role !== "assistant") return message; // what somebody else said is not ours to leave out
  if (callsOf(message).length > 0) return content == null ? message : { ...message, content: null };
  return Object.keys(message).every((key) => key === "role" || key === "content") ? undefined : message;
}

const MARK = { cache_control: { type: "ephemeral" } };

/** Whether the client has marked something itself: one mark more than four is refused. */
function hasMarks(body: Json): boolean {
  const tools: readonly unknown[] = Array.isArray(body.tools) ? body.tools : [];
  return isMarked(body) ||
    messagesOf(body).some((message) =>
      [message, ...partsOf(message.content), ...callsOf(message)].some(isMarked)
    ) ||
    tools.some((tool) => isMarked(tool) || (isObject(tool) && isMarked(tool.function)));
}

function isMarked(value: unknown): boolean {
  return isObject(value) && value.cache_control != null;
}

function markMessages(body: Json, target: Target): Json {
  const messages = messagesOf(body);
  const system = messages.findLast(({ role }) => role === "system" || role === "developer");
  const users = isSonnet46(target) ? [] : messages.filter(({ role }) => role === "user").slice(-2);
  return mapMessages(
    body,
    (message) => message === system || users.includes(message) ? marked(message) : message,
  );
}

function marked(message: Json): Json {
  const parts = partsOf(message.content);
  const last = parts.findLastIndex((part) => isObject(part) && !isEmptyText(part));
  if (last === -1) return message;
  return { ...message, content: parts.map((part, n) => n === last ? { ...part as Json, ...MARK } : part) };
}

function markTools(body: Json): Json {
  const tools: readonly unknown[] = Array.isArray(body.tools) ? body.tools : [];
  const last = tools.at(-1);
  if (!isObject(last) || !isObject(last.function)) return body;
  return withField(body, "tools", [...tools.slice(0, -1), {
    ...last,
    function: { ...last.function, ...MARK },
  }]);
}

/** The usage with the cached tokens among those of the prompt, unless they are there already. */
function withCached(usage: Json): Json {
  const { prompt_tokens: prompt, completion_tokens: completion = 0, total_tokens: total } = usage;
  const cached = isObject(usage.prompt_tokens_details)
    ? usage.prompt_tokens_details.cached_tokens
    : undefined;
  if (typeof prompt !== "number" || typeof completion !== "number" || typeof cached !== "number") {
    return usage;
  }
  // What was cached is part of the prompt where the numbers add up so.
  if (cached <= 0 || (cached <= prompt && total === prompt + completion)) return usage;
  const all = prompt + cached;
  const sum = all + completion;
  return {
    ...usage,
    prompt_tokens: all,
    total_tokens: typeof total === "number" ? Math.max(total, sum) : sum,
  };
}

function isEmptyText(part: unknown): boolean {
  return part === "" || (isObject(part) && part.type === "text" && isNothing(part.text));
}
