/** The settings that say how tool calls are mended; each upstream may have its own. */
import { define } from "./setting.ts";
import { dialectRules, fixIds } from "./setting_ids.ts";
import { names, oneOf, seconds, whole } from "./setting_values.ts";

/** Their part of the table. */
export const repairSettings = define({
  mode: {
    ...oneOf("native", "bridge", "fallback"),
    flag: "--mode",
    placeholder: "<mode>",
    variable: "TOOL_MODE",
    default: undefined,
    means:
      "native: tools go upstream, and what leaks is mended; bridge: they are taught as text; fallback: native, " +
      "then bridge; not said: bridge at nano-gpt.com, else native",
    example: "fallback",
    place: "mode",
    entry: "mode",
  },
  bridgeProtocol: {
    ...oneOf("markers", "object", "xml"),
    flag: "--bridge-protocol",
    placeholder: "<name>",
    variable: "BRIDGE_PROTOCOL",
    default: "markers",
    means:
      "what a bridged model is taught: markers ([[CALL]]), object (one JSON object) or xml (an element a tool)",
    example: "object",
    place: "protocol",
    entry: "protocol",
  },
  bridgeMaxCalls: {
    ...whole({ from: 1, to: 100 }),
    flag: "--bridge-max-calls",
    variable: "BRIDGE_MAX_CALLS",
    default: "5",
    means: "the most calls that a bridged model may make in one answer",
    example: "1",
    place: "bridgeMaxCalls",
    entry: "bridgeMaxCalls",
  },
  bridgeModels: {
    ...names,
    flag: "--bridge-models",
    variable: "BRIDGE_MODELS",
    default: undefined,
    means:
      "by comma: these models (* stands for anything) are bridged, all others fall back; empty: all fall back; " +
      "not said: --mode decides",
    example: "deepseek-v3.2,glm-*",
    mayBeEmpty: true,
    place: "bridgeModels",
    entry: "bridgeModels",
  },
  fallbackMs: {
    ...seconds(),
    flag: "--fallback-time",
    variable: "FALLBACK_TIME",
    default: "600",
    means: "for how long a model that fell back is bridged at once",
    example: "3600",
    place: "fallbackTime",
    entry: "fallbackTime",
  },
  arguments: {
    ...oneOf("stream", "whole"),
    flag: "--arguments",
    variable: "TOOL_ARGUMENTS",
    default: "stream",
    means: "stream: arguments go out as they arrive; whole: each call once it is complete",
    example: "whole",
    place: "arguments",
    entry: "arguments",
  },
  reasoning: {
    ...oneOf("split", "keep", "open"),
    flag: "--reasoning",
    variable: "REASONING",
    default: "split",
    means: "split: `<think>` in the text becomes reasoning_content; keep: it stays in the text; " +
      "open: the prompt has opened it, only `</think>` will come",
    example: "keep",
    place: "reasoning",
    entry: "reasoning",
  },
  dialects: {
    ...dialectRules,
    flag: "--dialects",
    variable: "TOOL_DIALECTS",
    default: undefined,
    means:
      "look for these dialects only, tried in this order, instead of all; by model as glm-*=glm;deepseek*=dsml,hermes",
    example: "glm-*=glm,hermes",
    place: "dialects",
    entry: "dialects",
  },
  disabledFixes: {
    ...fixIds,
    flag: "--disable-fix",
    variable: "DISABLE_FIXES",
    default: "none",
    means: "vendor fixes to switch off",
    example: "claude/end-turn",
    repeatable: true,
    place: "fixes.disable",
    entry: "fixes.disable",
  },
  enabledFixes: {
    ...fixIds,
    flag: "--enable-fix",
    variable: "ENABLE_FIXES",
    default: "none",
    means: "vendor fixes to switch on that are off by default",
    example: "claude/cache-control",
    repeatable: true,
    place: "fixes.enable",
    entry: "fixes.enable",
  },
});
