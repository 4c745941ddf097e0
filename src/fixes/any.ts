/** What no vendor takes, or only OpenAI: mended for every model. */
import { isObject } from "../wire/call_piece.ts";
import { newId } from "../wire/call_id.ts";
import type { Json, ToolCallDelta } from "../wire/openai.ts";
import { callsOf, mapCalls, mapMessages, partText, withField, without } from "./body.ts";
import { callIds } from "./call_ids.ts";
import type { Fix } from "./fix.ts";
import { answerAll, orphans } from "./history.ts";
import { everyModel, isClaude, isMistral, isOpenAi } from "./models.ts";
import { expandParallel, isParallelWrapper } from "./parallel_calls.ts";
import { deltaStage } from "./stages.ts";
import { namesBack, renameTools, toolNames } from "./tool_names.ts";
import { typedArguments } from "./typed_arguments.ts";

export const anyDeveloper: Fix = {
  id: "any/developer-role",
  why:
    "The role `developer` is refused, or the message ignored, by all but OpenAI's models: it becomes `system`.",
  ref: "openclaw/openclaw#27037, earendil-works/pi#1578, can1357/oh-my-pi#843",
  symptoms: ["D2"],
  applies: (target) => !isOpenAi(target),
  request: (body) =>
    mapMessages(body, (message) => message.role === "developer" ? { ...message, role: "system" } : message),
};

export const anyEmptyCalls: Fix = {
  id: "any/empty-tool-calls",
  why: "`tool_calls: []` (or null) in the history is refused, and the session is stuck: it is taken out.",
  ref: "NousResearch/hermes-agent#72619, openai/openai-node#1341",
  symptoms: ["D9"],
  applies: everyModel,
  request: (body) =>
    mapMessages(body, (message) => {
      const calls = message.tool_calls;
      const empty = calls === null || (Array.isArray(calls) && calls.length === 0);
      return empty ? without(message, "tool_calls") : message;
    }),
};

export const anyArgumentsText: Fix = {
  id: "any/arguments-text",
  why:
    "The arguments of past calls have to be the text of an object: objects are written as text, nothing becomes `{}`.",
  ref: "openclaw/openclaw#102200, QwenLM/qwen-code#6249",
  symptoms: ["C15", "C16"],
  applies: everyModel,
  request: (body) =>
    mapMessages(body, (message) =>
      mapCalls(message, (call) => {
        if (!isObject(call.function)) return call;
        const given = call.function.arguments;
        const nothing = given == null || (typeof given === "string" && given.trim() === "") ||
          (Array.isArray(given) && given.length === 0);
        if (!nothing && !isObject(given)) return call;
        return {
          ...call,
          function: withField(call.function, "arguments", nothing ? "{}" : JSON.stringify(given)),
        };
      })),
};

export const anyOrphans: Fix = {
  id: "any/orphan-results",
  why: "A tool's result whose call was compacted away is refused each time: it is left out.",
  ref: "MoonshotAI/kimi-code#1053, earendil-works/pi#4570, openai/codex#8638",
  symptoms: ["D8"],
  native: true,
  applies: everyModel,
  request(body) {
    const lost = orphans(body);
    return lost.size === 0 ? body : mapMessages(body, (message) => lost.has(message) ? [] : message);
  },
};

export const anyUnanswered: Fix = {
  id: "any/unanswered-calls",
  why:
    "A past call without a result right behind it is refused each time: a late result moves up, a missing one is " +
    "said to be missing.",
  ref: "openclaw/openclaw#8525, HKUDS/OpenHarness#191",
  symptoms: ["D8"],
  applies: everyModel,
  request: (body) =>
    answerAll(
      body,
      (id) => ({ role: "tool", tool_call_id: id, content: "No result: the call was interrupted." }),
    ),
};

export const anyEmptyList: Fix = {
  id: "any/empty-content",
  why: "`content: []` is refused: beside calls it becomes null, else empty text.",
  ref: "Portkey-AI/gateway#995, deltawi/deltallm#297",
  symptoms: ["D6"],
  applies: everyModel,
  request: (body) =>
    mapMessages(body, (message) => {
      if (!Array.isArray(message.content) || message.content.length > 0) return message;
      return { ...message, content: callsOf(message).length > 0 ? null : "" };
    }),
};

export const anyNullContent: Fix = {
  id: "any/null-content",
  why:
    "Some strict servers refuse a missing or null `content` beside calls, as the protocol has it: it becomes empty " +
    "text, which Bedrock refuses.",
  ref: "Portkey-AI/gateway#995, deltawi/deltallm#297",
  symptoms: ["D6"],
  off: true,
  applies: everyModel,
  request: (body) =>
    mapMessages(
      body,
      (message) =>
        callsOf(message).length > 0 && message.content == null ? withField(message, "content", "") : message,
    ),
};

export const anyToolText: Fix = {
  id: "any/tool-result-text",
  why:
    "A tool's result as a list of parts is refused by local servers, and images in it by nearly all: text parts " +
    "become text (not for OpenAI's models), images go into a message of the user behind it.",
  ref: "QwenLM/qwen-code#3616, router-for-me/CLIProxyAPI#4737",
  symptoms: ["D7"],
  applies: (target) => !isClaude(target),
  request(body, { target }) {
    if (!Array.isArray(body.messages)) return body;
    const out: unknown[] = [];
    let images: unknown[] = []; // of the results since the last call
    let changed = false;
    for (const message of body.messages as readonly unknown[]) {
      const result = isObject(message) && message.role === "tool" ? message : undefined;
      if (result === undefined && images.length > 0) {
        out.push(imageMessage(images));
        images = [];
      }
      const parts = result === undefined ? undefined : partsIn(result.content);
      const apart = parts !== undefined && (parts.images.length > 0 || !isOpenAi(target));
      out.push(apart ? { ...result, content: parts.text } : message);
      if (apart) images.push(...parts.images);
      changed ||= apart;
    }
    if (images.length > 0) out.push(imageMessage(images));
    return changed ? { ...body, messages: out } : body;
  },
};

export const anyToolNames: Fix = {
  id: "any/tool-names",
  why:
    "Tool names with dots and other odd characters, or longer than 64, are refused or break the server's grammar: " +
    "they are mapped, and back in the answer.",
  ref: "redhat-community-ai-tools/UnifAI#266, ggml-org/llama.cpp#27025",
  symptoms: ["D17"],
  applies: everyModel,
  request: (body) => renameTools(body, toolNames(body)),
  names: toolNames,
  after: ({ asked }) => namesBack(toolNames(asked)),
};

export const anyToolParameters: Fix = {
  id: "any/parameters-without-tools",
  why:
    "Without tools, `parallel_tool_calls`, `tool_choice` and an empty `tools` are refused: they are taken out.",
  ref: "langchain-ai/langsmith-sdk#1003, tensorzero/tensorzero#2805",
  symptoms: ["D13"],
  applies: everyModel,
  request(body) {
    const { tools } = body;
    if (tools != null && !(Array.isArray(tools) && tools.length === 0)) return body;
    const rest = without(body, "parallel_tool_calls", "tool_choice");
    return Array.isArray(tools) ? without(rest, "tools") : rest;
  },
};

export const anyTemperature: Fix = {
  id: "any/temperature-false",
  why:
    "OpenCode says `temperature: false` when a variant has none; the API wants a number or nothing: it is taken out.",
  ref: "nexos known-bugs/gpt-chat-completions-limits",
  symptoms: ["D13"],
  applies: everyModel,
  request: (body) => body.temperature === false ? without(body, "temperature") : body,
};

export const anyUniqueIds: Fix = {
  id: "any/unique-ids",
  why:
    "Servers that count call ids from 0 in each answer repeat those of the history: such a call gets an id of its own.",
  ref: "vllm-project/vllm#18412, langchain4j/langchain4j#4544",
  symptoms: ["C13"],
  skims: true,
  applies: (target) => !isMistral(target), // whose ids are mapped, and random
  after({ asked }) {
    const used = new Set<unknown>(callIds(asked).map(({ id }) => id));
    if (used.size === 0) return undefined;
    return deltaStage((delta) => {
      if (!Array.isArray(delta.tool_calls) || !delta.tool_calls.some((call) => used.has(call?.id))) {
        return delta;
      }
      const renamed = (call: ToolCallDelta) =>
        isObject(call) && used.has(call.id) ? { ...call, id: newId() } : call;
      return { ...delta, tool_calls: delta.tool_calls.map(renamed) };
    });
  },
};

export const anyParallel: Fix = {
  id: "any/parallel-wrapper",
  why:
    "OpenAI's models call a tool `multi_tool_use.parallel` that nobody offered: the calls inside it are delivered.",
  ref: "vercel/ai#2786, vercel/ai#1922",
  symptoms: ["E8"],
  skims: true,
  applies: everyModel,
  response: ({ tools }) =>
    tools.length === 0 || tools.some(({ name }) => isParallelWrapper(name)) ? undefined : expandParallel(),
};

export const anyTyped: Fix = {
  id: "any/typed-arguments",
  why:
    "An argument of another type than its schema's (an array as a JSON string, a number as text, an object for a " +
    "string) gets the type that the tool wants, where the schema refuses the one and takes the other.",
  ref: "earendil-works/pi#9569, openclaw/openclaw#97037, waybarrios/vllm-mlx#95",
  symptoms: ["E2"],
  skims: true,
  applies: everyModel,
  after: ({ tools }) => tools.length === 0 ? undefined : typedArguments(tools),
};

function imageMessage(images: readonly unknown[]): Json {
  return { role: "user", content: [{ type: "text", text: "Images from the tool results:" }, ...images] };
}

/** Text and images of a result; undefined when it is no list of these. */
function partsIn(content: unknown): { text: string; images: readonly unknown[] } | undefined {
  if (!Array.isArray(content)) return undefined;
  const images = content.filter((part) => isObject(part) && part.type === "image_url");
  const texts = content.filter((part) => !images.includes(part))
    .map((part) => typeof part === "string" ? part : isObject(part) ? partText(part) : undefined);
  if (texts.includes(undefined)) return undefined;
  const text = texts.join("\n");
  return { text: text === "" && images.length > 0 ? "See the image below." : text, images };
}
