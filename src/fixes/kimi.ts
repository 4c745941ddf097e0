/** Moonshot's Kimi, at Moonshot, Fireworks or a server of one's own. */
import { askForUsage, wantsUsage } from "../wire/usage.ts";
import { callIds, renameCalls } from "./call_ids.ts";
import type { Fix } from "./fix.ts";
import { isGlm, isKimi } from "./models.ts";
import { zeroUsage } from "./usage.ts";

export const kimiCallIds: Fix = {
  id: "kimi/call-ids",
  why:
    "Kimi was trained on ids like `functions.read:0`, counted through the conversation; others make it write calls " +
    "that no server reads: a history with others is numbered anew.",
  ref: "MoonshotAI/Kimi-K2, docs/tool_call_guidance.md; vllm-project/vllm#28543",
  symptoms: ["E1"],
  applies: isKimi,
  request(body) {
    const calls = callIds(body);
    const known = new Set(calls.map(({ id }) => id));
    const good = known.size === calls.length && calls.every(({ id, name }) => isNumbered(id, name));
    if (good) return body;
    let count = 0;
    return renameCalls(body, (_, name) => `functions.${name}:${count++}`);
  },
};

export const kimiUsage: Fix = {
  id: "kimi/usage",
  why:
    "Kimi and GLM at Fireworks end a stream without token counts: they are asked for, and zeros stand in for a chunk " +
    "that the client asked for and that never came.",
  ref: "nexos known-bugs/kimi-fireworks-stream",
  symptoms: ["C9"],
  applies: (target) => isKimi(target) || isGlm(target),
  skims: true,
  request: askForUsage,
  after: ({ asked }) => wantsUsage(asked) ? zeroUsage() : undefined,
};

function isNumbered(id: string, name: string): boolean {
  return id.startsWith(`functions.${name}:`) && /:\d+$/.test(id) && id.lastIndexOf(":") === name.length + 10;
}
