/** Thinking parameters as OpenCode and the AI SDK send them, made what Anthropic's and Google's models take. */
import { isObject } from "../wire/call_piece.ts";
import type { Json } from "../wire/openai.ts";
import { withField, without } from "./body.ts";

/** How many tokens there are for the answer when all others are for thinking. */
const ANSWER_TOKENS = 4096;

/** `budgetTokens` is `budget_tokens`. */
export function budgetName(body: Json): Json {
  const { thinking } = body;
  if (!isObject(thinking) || !("budgetTokens" in thinking)) return body;
  const { budgetTokens, ...rest } = thinking;
  return { ...body, thinking: { ...rest, budget_tokens: rest.budget_tokens ?? budgetTokens } };
}

/** Thinking that is switched off is not spoken of: what is left of its settings would be refused. */
export function thinkingOff(body: Json): Json {
  return isObject(body.thinking) && body.thinking.type === "disabled" ? without(body, "thinking") : body;
}

/** The budget, no larger than `most`. */
export function budgetCapped(body: Json, most: number): Json {
  const { thinking } = body;
  if (!isObject(thinking)) return body;
  let capped = thinking;
  for (const key of ["budget_tokens", "budgetTokens"]) {
    const budget = capped[key];
    if (typeof budget === "number" && budget > most) capped = { ...capped, [key]: most };
  }
  return withField(body, "thinking", capped);
}

/** The answer's limit counts the thinking too: it has to be above the budget. */
export function roomForAnswer(body: Json): Json {
  const budget = budgetOf(body);
  if (budget === undefined) return body;
  let out = body;
  for (const key of ["max_tokens", "max_completion_tokens"]) {
    const limit = out[key];
    if (typeof limit === "number" && limit <= budget) out = { ...out, [key]: budget + ANSWER_TOKENS };
  }
  return out;
}

/** Whether a request switches thinking on. */
export function thinks(body: Json): boolean {
  return isObject(body.thinking) && body.thinking.type !== "disabled";
}

function budgetOf(body: Json): number | undefined {
  if (!thinks(body)) return undefined;
  const { budget_tokens: budget, budgetTokens } = body.thinking as Json;
  return [budget, budgetTokens].find((value) => typeof value === "number");
}
