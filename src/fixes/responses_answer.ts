/** An answer of OpenAI's Responses API as a chat completion: the whole object, and what its parts have in common. */
import { isObject } from "../wire/call_piece.ts";
import type { Json } from "../wire/openai.ts";
import { textOr } from "./body.ts";

/** A response as a chat completion, or as the error that it reports; anything else as it is. */
export function toCompletion(response: Json): Json {
  const error = errorOf(response);
  if (error !== undefined) return { error };
  if (!Array.isArray(response.output)) return response;
  const items = response.output.filter(isObject);
  const content = items.flatMap((item) => item.type === "message" ? partsOf(item.content) : []);
  const said = content.filter(({ type }) => type === "output_text");
  const refused = content.filter(({ type }) => type === "refusal");
  const annotations = said.flatMap(({ annotations: list }) => Array.isArray(list) ? list : []);
  const reasoning = items.filter(({ type }) => type === "reasoning").map(reasoningOf).filter((text) =>
    text !== ""
  );
  const calls = items.flatMap((item) => toCall(item) ?? []);
  const message: Json = {
    role: "assistant",
    content: said.length === 0 ? null : said.map(({ text }) => textOr(text, "")).join(""),
    ...(reasoning.length === 0 ? {} : { reasoning_content: reasoning.join("\n\n") }),
    ...(refused.length === 0 ? {} : { refusal: refused.map(({ refusal }) => textOr(refusal, "")).join("") }),
    ...(annotations.length === 0 ? {} : { annotations }),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
  const usage = toUsage(response.usage);
  return {
    ...envelopeOf(response),
    object: "chat.completion",
    choices: [{ index: 0, message, finish_reason: finishOf(response, calls.length > 0) }],
    ...(usage === undefined ? {} : { usage }),
  };
}

/** What each chunk of a stream carries. */
export function envelopeOf({ id, created_at, model, service_tier }: Json): Json {
  return {
    ...(typeof id === "string" ? { id } : {}),
    ...(typeof created_at === "number" ? { created: Math.floor(created_at) } : {}),
    ...(typeof model === "string" ? { model } : {}),
    ...(typeof service_tier === "string" ? { service_tier } : {}),
  };
}

export function finishOf(response: Json, called: boolean): string {
  if (response.status === "incomplete") {
    const reason = isObject(response.incomplete_details) ? response.incomplete_details.reason : undefined;
    return reason === "content_filter" ? "content_filter" : "length";
  }
  return called ? "tool_calls" : "stop";
}

/** The error that a response ended in. */
export function errorOf(response: Json): Json | undefined {
  if (isObject(response.error)) return response.error;
  return response.status === "failed" || response.status === "cancelled"
    ? { message: `The upstream's response is ${response.status}.`, type: "server_error", code: null }
    : undefined;
}

/** A call; undefined when the item is none. `index` is for the caller to give. */
export function toCall(item: Json): Json | undefined {
  const id = textOr(item.call_id, textOr(item.id, ""));
  if (item.type === "function_call") {
    return { id, type: "function", function: { name: item.name, arguments: textOr(item.arguments, "") } };
  }
  if (item.type === "custom_tool_call") {
    return { id, type: "custom", custom: { name: item.name, input: textOr(item.input, "") } };
  }
}

export function toUsage(usage: unknown): Json | undefined {
  if (!isObject(usage)) return undefined;
  const count = (value: unknown) => typeof value === "number" ? value : 0;
  const detail = (details: unknown, key: string) => isObject(details) ? count(details[key]) : 0;
  const [prompt, completion] = [count(usage.input_tokens), count(usage.output_tokens)];
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: typeof usage.total_tokens === "number" ? usage.total_tokens : prompt + completion,
    prompt_tokens_details: { cached_tokens: detail(usage.input_tokens_details, "cached_tokens") },
    completion_tokens_details: { reasoning_tokens: detail(usage.output_tokens_details, "reasoning_tokens") },
  };
}

/** What a reasoning item says: its summary, else its text. */
export function reasoningOf({ summary, content }: Json): string {
  const parts = partsOf(summary).length > 0 ? partsOf(summary) : partsOf(content);
  return parts.map(({ text }) => textOr(text, "")).filter((text) => text !== "").join("\n\n");
}

export function partsOf(list: unknown): readonly Json[] {
  return Array.isArray(list) ? list.filter(isObject) : [];
}
