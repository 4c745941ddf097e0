/** vLLM, whatever the model: nothing in a request says that it is there. */
import type { Fix } from "./fix.ts";
import { everyModel } from "./models.ts";
import { deltaStage } from "./stages.ts";

export const vllmEmptyCalls: Fix = {
  id: "vllm/empty-tool-calls",
  why:
    "An empty `tool_calls` with each piece of content makes clients think that a call began: it goes, in a request " +
    "without tools too (with tools the wire takes it out).",
  ref: "ladiossoop5star/opencode_compat_proxy, README",
  symptoms: ["C29"],
  applies: everyModel,
  skims: true,
  response: ({ tools, asked }) => {
    if (tools.length > 0 || asked.stream !== true) return undefined;
    return deltaStage((delta) => {
      if (!Array.isArray(delta.tool_calls) || delta.tool_calls.length > 0) return delta;
      const { tool_calls: _, ...rest } = delta;
      return rest;
    });
  },
};
