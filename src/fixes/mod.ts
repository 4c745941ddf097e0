/**
 * The registry: every fix, in the order in which they change a request. The answer takes the way back: the last one
 * here is the first to see it, in front of the stage that finds calls (`response`) and behind all others (`after`).
 */
import * as any from "./any.ts";
import * as chatgpt from "./chatgpt.ts";
import * as claude from "./claude.ts";
import * as codex from "./codex.ts";
import * as deepseek from "./deepseek.ts";
import type { Fix } from "./fix.ts";
import * as gemini from "./gemini.ts";
import * as kimi from "./kimi.ts";
import * as mistral from "./mistral.ts";
import * as nanogpt from "./nanogpt.ts";
import * as qwen from "./qwen.ts";
import * as vllm from "./vllm.ts";

export const fixes: readonly Fix[] = [
  // The history, made whole: what follows can rely on it.
  any.anyDeveloper,
  any.anyEmptyCalls,
  any.anyArgumentsText,
  any.anyOrphans,
  any.anyUnanswered,
  any.anyEmptyList,
  // What was remembered goes by the ids and names that the client knows: before these are mapped.
  deepseek.deepseekReasoning,
  gemini.geminiSignatures,
  any.anyToolText,
  gemini.geminiResultRefs,
  any.anyToolNames,
  any.anyToolParameters,
  // Parameters. Budgets are named before they are lowered, and lowered before the answer's limit goes above them.
  any.anyTemperature,
  chatgpt.chatgptEffortNone,
  chatgpt.chatgptTemperature,
  chatgpt.chatgptMaxTokens,
  gemini.geminiSchema,
  gemini.geminiThinkingDisabled,
  gemini.geminiBudgetTokens,
  gemini.geminiFlashBudget,
  gemini.geminiMaxTokens,
  claude.claudeThinkingDisabled,
  claude.claudeBudgetTokens,
  claude.claudeMaxTokens,
  claude.claudeThinkingTemperature,
  claude.claudeOpus47Temperature,
  deepseek.deepseekToolChoice,
  mistral.mistralStrict,
  mistral.mistralParameters,
  kimi.kimiUsage,
  nanogpt.nanogptUsage,
  // The form of the messages, last: ids, roles and their order, marks on what goes up.
  qwen.qwenOneSystem,
  mistral.mistralSameRole,
  mistral.mistralAfterTool,
  mistral.mistralCallIds,
  kimi.kimiCallIds,
  claude.claudeEmptyText,
  any.anyNullContent,
  claude.claudeCacheControl,
  // The answer alone. Ids are made unique before they are remembered.
  any.anyUniqueIds,
  any.anyTyped,
  any.anyParallel,
  gemini.geminiThinkingBlocks,
  gemini.geminiFinish,
  claude.claudeFinish,
  claude.claudeCachedTokens,
  vllm.vllmEmptyCalls,
  // Another way to the upstream.
  codex.codexResponses,
];
