/** DeepSeek, and Kimi and Qwen where they think as it does. */
import { isObject } from "../wire/call_piece.ts";
import type { Json } from "../wire/openai.ts";
import { readToolChoice } from "../wire/tool_choice.ts";
import { callsOf, joinContents, mapMessages, messagesOf, partsOf, readCall, textOr } from "./body.ts";
import type { Fix, Target } from "./fix.ts";
import { at, isDeepSeek, isKimi, isQwen } from "./models.ts";
import { recorder } from "./recorder.ts";

export const deepseekReasoning: Fix = {
  id: "deepseek/reasoning",
  why:
    "DeepSeek and Kimi refuse a past call without the `reasoning_content` that came with it, which clients drop: it is " +
    "remembered by call id and put back. Where it was never seen, but thinking is on, a blank stands in for it.",
  ref: "earendil-works/pi#3636, QwenLM/qwen-code#3578, MoonshotAI/Kimi-K2.5#13",
  symptoms: ["B4"],
  remembers: true,
  applies: (target) => isDeepSeek(target) || isKimi(target),
  request(body, { target, memory }) {
    const recalled = mapMessages(body, (message) => {
      if (callsOf(message).length === 0 || reasons(message)) return message;
      const texts = callsOf(message).map((call) => memory.get("reasoning", readCall(call)));
      const text = texts.find((each) => each !== undefined);
      return text === undefined ? message : { ...message, reasoning_content: text };
    });
    // A server that thinks has said so: by its settings, by its name, or by what it thought before.
    if (!isThinking(recalled, target) && !messagesOf(recalled).some(reasons)) return recalled;
    return mapMessages(
      recalled,
      (message) =>
        callsOf(message).length === 0 || reasons(message) || message.reasoning_content === BLANK
          ? message
          : { ...message, reasoning_content: BLANK },
    );
  },
  after: ({ memory, tools }) =>
    tools.length === 0 ? undefined : recorder(({ calls, reasoning }) => {
      for (const call of calls) memory.put("reasoning", call, reasoning);
    }),
};

export const deepseekToolChoice: Fix = {
  id: "deepseek/tool-choice",
  why:
    "A forced `tool_choice` is refused while the model thinks (DeepSeek V4, Kimi, Qwen3.5): it becomes `auto`, and " +
    "one line says what was meant.",
  ref: "deepseek-ai/DeepSeek-V3#1376, BerriAI/litellm#37470, cloudwego/eino#994",
  symptoms: ["B6"],
  native: true,
  applies: (target) => isDeepSeek(target) || isKimi(target) || isQwen(target),
  request(body, { target }) {
    const line = forced(body.tool_choice);
    if (line === undefined || !Array.isArray(body.messages) || !refusesChoice(body, target)) return body;
    const list: readonly unknown[] = body.messages;
    const last = list.at(-1);
    // Behind all others, where the beginning of the prompt stays what it was.
    const messages = isObject(last) && last.role === "user"
      ? [...list.slice(0, -1), { ...last, content: withLine(last.content, line) }]
      : [...list, { role: "user", content: line }];
    return { ...body, messages, tool_choice: "auto" };
  },
};

/** What stands for reasoning that nobody has. */
const BLANK = " ";

/** Whether a message has reasoning, under any of its names. */
function reasons(message: Json): boolean {
  return [message.reasoning_content, message.reasoning].some((text) => textOr(text, "").trim() !== "") ||
    (Array.isArray(message.reasoning_details) && message.reasoning_details.length > 0);
}

/**
 * Of Qwen's servers only Alibaba's own refuses. Gateways lead there as well: a request that names its parameter is for
 * that one, as are the models that nobody else has.
 */
function refusesChoice(body: Json, target: Target): boolean {
  const there = at("aliyuncs.com")(target) || body.enable_thinking === true || ALIBABAS.test(target.model);
  return (there || !isQwen(target)) && isThinking(body, target);
}

const ALIBABAS = /qwen[\w.-]*-(?:plus|max|flash|turbo)(?![a-z])/i;

/** Whether the model thinks: as the request says, else by its name. */
function isThinking(body: Json, { model }: Target): boolean {
  const { thinking, enable_thinking, reasoning, reasoning_effort, chat_template_kwargs: template } = body;
  if (isObject(thinking)) return thinking.type !== "disabled";
  if (isObject(template)) {
    const said = [template.thinking, template.enable_thinking].find((value) => typeof value === "boolean");
    if (said !== undefined) return said === true;
  }
  if (typeof enable_thinking === "boolean") return enable_thinking;
  if (isObject(reasoning)) return reasoning.enabled !== false && reasoning.effort !== "none";
  if (typeof reasoning_effort === "string") return reasoning_effort !== "none";
  if (/instruct|non-?thinking|chat\b/i.test(model)) return false;
  return /thinking|reasoner/i.test(model) || NEWER.test(model);
}

/** Models that think unless they are told not to. */
const NEWER =
  /deepseek[\w/ .-]*v(?:[4-9]|\d\d)|kimi[\w/ .-]*k(?:2\.[5-9]|[3-9])|qwen[\s_-]*(?:3\.[5-9]|[4-9])/i;

/** What a forced choice means, in words. */
function forced(choice: unknown): string | undefined {
  const { call, among = [] } = readToolChoice(choice);
  if (call === undefined) return undefined;
  const [one, ...others] = typeof call === "object" ? [call.name] : among;
  if (one === undefined) return "Answer with a call of one of the tools.";
  return others.length === 0
    ? `Answer with a call of the tool ${one}.`
    : `Answer with a call of one of the tools ${[one, ...others].join(", ")}.`;
}

function withLine(content: unknown, line: string): unknown {
  return Array.isArray(content)
    ? [...partsOf(content), { type: "text", text: line }]
    : joinContents(content, line);
}
