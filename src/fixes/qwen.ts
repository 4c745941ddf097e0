/** Alibaba's Qwen, by its own templates. */
import { joinContents, messagesOf, textOf } from "./body.ts";
import type { Fix } from "./fix.ts";
import { isQwen } from "./models.ts";

export const qwenOneSystem: Fix = {
  id: "qwen/one-system",
  why:
    "Qwen's templates (and Ministral's) take one system message, at the beginning: all of them become one there.",
  ref: "anomalyco/opencode#15059, ggml-org/llama.cpp#20733",
  symptoms: ["D1"],
  applies: (target) => isQwen(target) || /ministral/i.test(target.model),
  request(body) {
    const systems = messagesOf(body).filter(({ role }) => role === "system");
    const [first] = systems;
    const list = body.messages as readonly unknown[];
    if (first === undefined || (systems.length === 1 && list[0] === first)) return body;
    const texts = systems.map((message) => textOf(message.content));
    const content = texts.includes(undefined)
      ? systems.map((message) => message.content).reduce((all, next) => joinContents(all, next))
      : texts.filter((text) => text !== "").join("\n\n");
    const others = list.filter((message) => !systems.includes(message as never));
    return { ...body, messages: [{ ...first, content }, ...others] };
  },
};
