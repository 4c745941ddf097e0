/** NanoGPT, the upstream. */
import { askForUsage } from "../wire/usage.ts";
import type { Fix } from "./fix.ts";
import { at } from "./models.ts";

export const nanogptUsage: Fix = {
  id: "nanogpt/usage",
  why:
    "NanoGPT's streams hold token counts only when they are asked for, and clients show 0: they are asked for.",
  ref: "nanogpt-community/NanoProxy, commits of 2026-05-07",
  symptoms: ["C9"],
  applies: at("nano-gpt.com"),
  request: askForUsage,
};
