/** Google's Gemini, by way of its OpenAI layer, Vertex or a gateway. */
import { isObject } from "../wire/call_piece.ts";
import type { Delta, Json } from "../wire/openai.ts";
import { callsOf, mapCalls, mapFunctions, mapMessages, readCall, textOf, textOr, withField } from "./body.ts";
import type { Fix, Target } from "./fix.ts";
import { flatten } from "./history.ts";
import { at, isGemini, isGemini3, isGeminiFlash } from "./models.ts";
import { recorder } from "./recorder.ts";
import { schemaSubset } from "./schema_subset.ts";
import { deltaStage } from "./stages.ts";
import { budgetCapped, budgetName, roomForAnswer, thinkingOff } from "./thinking.ts";

/** The largest thinking budget of the Flash models. */
const FLASH_BUDGET = 24_576;

export const geminiSchema: Fix = {
  id: "gemini/schema",
  why:
    "Vertex refuses a request when a tool's schema has `$ref` or one of a dozen other keywords: references are " +
    "inlined, exclusive bounds become bounds, the other keywords go; `anyOf`, `enum` and `const` stay.",
  ref: "anomalyco/opencode#12295, mozilla-ai/any-llm#1094, nexos known-bugs/gemini-schema-restrictions",
  symptoms: ["D10"],
  applies: isGemini,
  request: (body) =>
    mapFunctions(
      body,
      (called) =>
        isObject(called.parameters)
          ? withField(called, "parameters", schemaSubset(called.parameters))
          : called,
    ),
};

export const geminiThinkingDisabled: Fix = {
  id: "gemini/thinking-disabled",
  why: "Thinking that is switched off is refused when a budget is left over: `thinking` is taken out.",
  ref: "crazy-goat/nexos-provider, README",
  symptoms: ["B8"],
  applies: isGemini,
  request: thinkingOff,
};

export const geminiBudgetTokens: Fix = {
  id: "gemini/budget-tokens",
  why: "OpenCode says `budgetTokens`, the API `budget_tokens`.",
  ref: "crazy-goat/nexos-provider, README",
  symptoms: ["B8"],
  applies: isGemini,
  request: budgetName,
};

export const geminiFlashBudget: Fix = {
  id: "gemini/flash-budget",
  why: "Flash models refuse a thinking budget above 24576: it is lowered to that.",
  ref: "crazy-goat/nexos-provider, README",
  symptoms: ["B8"],
  applies: isGeminiFlash,
  request: (body) => budgetCapped(body, FLASH_BUDGET),
};

export const geminiMaxTokens: Fix = {
  id: "gemini/max-tokens",
  why: "`max_tokens` counts the thinking too and has to be above its budget: it is raised.",
  ref: "crazy-goat/nexos-provider, README",
  symptoms: ["B8"],
  applies: isGemini,
  request: roomForAnswer,
};

export const geminiFinish: Fix = {
  id: "gemini/finish-stop",
  why: "With thinking on, the finish reason is `STOP`; OpenCode asks again without end.",
  ref: "nexos known-bugs/gemini-stream-format",
  symptoms: ["C2"],
  applies: isGemini,
  finish: ["STOP"],
};

export const geminiThinkingBlocks: Fix = {
  id: "gemini/thinking-blocks",
  why:
    "Thinking arrives as `content_blocks[].delta.thinking`, which no client shows: it becomes `reasoning_content`.",
  ref: "nexos known-bugs/gemini-stream-format, maximhq/bifrost#974",
  symptoms: ["B7"],
  applies: isGemini,
  response: () => deltaStage(withReasoning),
};

export const geminiSignatures: Fix = {
  id: "gemini/thought-signatures",
  why:
    "Gemini refuses a past call without its `thought_signature`, which clients drop: it is remembered by call id and " +
    "put back. Where it was never seen, or the gateway strips it, Gemini 3 gets the call and its result as text.",
  ref: "nanbingxyz/5ire#405, microsoft/semantic-kernel#13417, nexos known-bugs/gemini3-tools",
  symptoms: ["B5"],
  remembers: true,
  native: true,
  applies: isGemini,
  request(body, { target, memory }) {
    const signed = mapMessages(body, (message) =>
      mapCalls(message, (call) => {
        if (signatureOf(call) !== undefined) return call;
        const signature = memory.get("signature", readCall(call));
        return signature === undefined ? call : withSignature(call, signature);
      }));
    if (!isGemini3(target)) return signed;
    return flatten(signed, (message) => strips(target) || !isSigned(message));
  },
  after: ({ memory, tools }) =>
    tools.length === 0 ? undefined : recorder(({ calls }) => {
      for (const call of calls) memory.put("signature", call, signatureOf(call.fields) ?? "");
    }),
};

export const geminiResultRefs: Fix = {
  id: "gemini/result-refs",
  why:
    "Google reads `$ref` and `$defs` in a tool's JSON result as its own: such a result goes up as plain text.",
  ref: "vercel/ai#14369, BerriAI/litellm#38223",
  symptoms: ["D11"],
  native: true,
  applies: isGemini,
  request: (body) =>
    mapMessages(body, (message) => {
      if (message.role !== "tool") return message;
      const text = textOf(message.content);
      if (text === undefined || !text.includes('"$') || !hasReferences(text)) return message;
      return { ...message, content: `Result as text:\n${text}` };
    }),
};

/** Gateways that drop what they do not know from `tool_calls`: a signature cannot be sent at all. */
function strips(target: Target): boolean {
  return at("nexos.ai")(target);
}

/** Of calls that were made together only the first carries a signature; OpenRouter and LiteLLM have places of their own. */
function isSigned(message: Json): boolean {
  const first = callsOf(message)[0]!;
  const { reasoning_details: details } = message;
  return signatureOf(first) !== undefined || readCall(first).id.includes("__thought__") ||
    (Array.isArray(details) && details.length > 0);
}

function signatureOf(call: Json): string | undefined {
  const places = [
    path(call, "extra_content", "google"),
    call,
    path(call, "function"),
    path(call, "provider_specific_fields"),
  ];
  return places.map((place) => textOr(place?.thought_signature, "")).find((text) => text !== "");
}

function withSignature(call: Json, signature: string): Json {
  const extra = path(call, "extra_content") ?? {};
  const google = path(extra, "google") ?? {};
  return { ...call, extra_content: { ...extra, google: { ...google, thought_signature: signature } } };
}

function path(from: Json, ...keys: readonly string[]): Json | undefined {
  let at: unknown = from;
  for (const key of keys) at = isObject(at) ? at[key] : undefined;
  return isObject(at) ? at : undefined;
}

/** The delta with the thinking of its blocks where clients look for it. */
function withReasoning(delta: Delta): Delta {
  if (!Array.isArray(delta.content_blocks)) return delta;
  let thinking = "";
  const rest = delta.content_blocks.flatMap((block: unknown) => {
    if (!isObject(block)) return [block];
    const inner = isObject(block.delta) ? block.delta : block;
    if (typeof inner.thinking !== "string") return [block];
    thinking += inner.thinking;
    const { thinking: _, ...others } = inner;
    return textOr(others.text, "") === "" ? [] : [inner === block ? others : { ...block, delta: others }];
  });
  if (rest.length === delta.content_blocks.length) return delta;
  const { content_blocks: _, ...others } = delta;
  const said = textOr(delta.reasoning_content, textOr(delta.reasoning, ""));
  return {
    ...others,
    ...(rest.length === 0 ? {} : { content_blocks: rest }),
    ...(said === "" ? { reasoning_content: thinking } : {}),
  };
}

function hasReferences(text: string): boolean {
  try {
    const search = (value: unknown): boolean =>
      typeof value === "object" && value !== null &&
      (Object.keys(value).some((key) => key === "$ref" || key === "$defs") ||
        Object.values(value).some(search));
    return search(JSON.parse(text));
  } catch {
    return false; // no JSON: Google takes it as text anyway
  }
}
