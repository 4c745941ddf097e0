/** A chat completions request as a request of OpenAI's Responses API. */
import { isObject } from "../wire/call_piece.ts";
import type { Json } from "../wire/openai.ts";
import { callsOf, isNothing, messagesOf, partText, readCall, textOf, textOr } from "./body.ts";

/** Fields that both protocols have, under one name. */
const SHARED = [
  "model",
  "temperature",
  "top_p",
  "parallel_tool_calls",
  "user",
  "metadata",
  "service_tier",
  "prompt_cache_key",
  "prompt_cache_retention",
  "safety_identifier",
  "top_logprobs",
  "truncation",
  "include",
];

/** What the Responses API is asked for; what it has no word for (`stop`, `n`, `seed`, penalties) is left out. */
export function toResponses(body: Json): Json {
  const { instructions, input } = toInput(messagesOf(body));
  const out: Json = {};
  for (const key of SHARED) if (body[key] !== undefined && body[key] !== null) out[key] = body[key];
  const limit = body.max_completion_tokens ?? body.max_tokens;
  return {
    ...out,
    ...(instructions === "" ? {} : { instructions }),
    input,
    ...(Array.isArray(body.tools) && body.tools.length > 0 ? { tools: body.tools.map(toTool) } : {}),
    ...(body.tool_choice == null ? {} : { tool_choice: toChoice(body.tool_choice) }),
    ...(typeof limit === "number" ? { max_output_tokens: limit } : {}),
    ...toReasoning(body),
    ...toText(body),
    stream: body.stream === true,
    store: body.store === true, // here the default is to store; chat completions are not
  };
}

/** System messages in front are instructions; those further down keep their place. */
function toInput(messages: readonly Json[]): { instructions: string; input: Json[] } {
  const isSystem = ({ role }: Json) => role === "system" || role === "developer";
  const first = messages.findIndex((message) => !isSystem(message));
  const leading = first === -1 ? messages : messages.slice(0, first);
  const custom = new Set(
    messages.flatMap((message) => callsOf(message)).filter((call) => isObject(call.custom)).map(({ id }) =>
      id
    ),
  );
  return {
    instructions: leading.map(({ content }) => textOf(content) ?? "").filter((text) => text !== "").join(
      "\n\n",
    ),
    input: messages.slice(leading.length).flatMap((message) =>
      message.role === "tool"
        ? [toOutput(message, custom.has(message.tool_call_id))]
        : toItems(message, isSystem(message))
    ),
  };
}

/** A tool's result; `custom`: of a call that was no function's. */
function toOutput({ content, tool_call_id: call_id }: Json, custom: boolean): Json {
  const output = textOf(content) ?? toParts(content, "input_text");
  return { type: custom ? "custom_tool_call_output" : "function_call_output", call_id, output };
}

function toItems(message: Json, isSystem: boolean): Json[] {
  const { role, content } = message;
  const kind = role === "assistant" ? "output_text" : "input_text";
  const said = isNothing(content) ? message.refusal : content;
  const items: Json[] = [];
  if (!isNothing(said)) {
    const parts = typeof said === "string" ? said : toParts(said, kind);
    items.push({ type: "message", role: isSystem ? "developer" : role, content: parts });
  }
  for (const call of callsOf(message)) items.push(toCall(call));
  return items;
}

function toCall(call: Json): Json {
  if (isObject(call.custom)) return { type: "custom_tool_call", call_id: call.id, ...call.custom };
  const { id, name, arguments: text } = readCall(call);
  return { type: "function_call", call_id: id, name, arguments: text };
}

function toParts(content: unknown, kind: string): unknown[] {
  return (Array.isArray(content) ? content : [content]).map((part: unknown) => {
    if (typeof part === "string") return { type: kind, text: part };
    if (!isObject(part)) return part;
    if (part.type === "refusal") return part;
    if (part.type === "image_url") {
      const image: Json = isObject(part.image_url) ? part.image_url : { url: part.image_url };
      return { type: "input_image", image_url: image.url, detail: image.detail ?? "auto" };
    }
    if (part.type === "file" && isObject(part.file)) return { type: "input_file", ...part.file };
    const text = partText(part);
    return text === undefined ? part : { type: kind, text };
  });
}

function toTool(tool: unknown): unknown {
  if (!isObject(tool)) return tool;
  if (isObject(tool.custom)) return { type: "custom", ...tool.custom, ...toFormat(tool.custom.format) };
  if (!isObject(tool.function)) return tool;
  const { name, description, parameters, strict } = tool.function;
  return {
    type: "function",
    name,
    ...(typeof description === "string" ? { description } : {}),
    parameters: parameters ?? { type: "object", properties: {} },
    strict: strict === true, // here the default is true
  };
}

/** A grammar's words stand in the format itself. */
function toFormat(format: unknown): Json {
  if (!isObject(format) || !isObject(format.grammar)) return {};
  const { grammar, ...rest } = format;
  return { format: { ...rest, ...grammar as Json } };
}

function toChoice(choice: unknown): unknown {
  if (!isObject(choice)) return choice;
  if (isObject(choice.function)) return { type: "function", name: choice.function.name };
  if (isObject(choice.custom)) return { type: "custom", name: choice.custom.name };
  const { allowed_tools: allowed } = choice;
  if (!isObject(allowed)) return choice;
  const tools = Array.isArray(allowed.tools) ? allowed.tools.map(toChoice) : [];
  return { type: "allowed_tools", mode: allowed.mode, tools };
}

function toReasoning({ reasoning, reasoning_effort: effort }: Json): Json {
  const given = isObject(reasoning) ? reasoning : {};
  const all = textOr(effort, "none") === "none" ? given : { ...given, effort };
  return Object.keys(all).length === 0 ? {} : { reasoning: all };
}

function toText({ response_format: format, verbosity }: Json): Json {
  const text: Json = {};
  if (isObject(format) && isObject(format.json_schema)) {
    text.format = { type: "json_schema", ...format.json_schema };
  } else if (isObject(format)) text.format = format;
  if (typeof verbosity === "string") text.verbosity = verbosity;
  return Object.keys(text).length === 0 ? {} : { text };
}
