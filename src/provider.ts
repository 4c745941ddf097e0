/** The AI SDK provider: `@ai-sdk/openai-compatible` with a fetch that mends tool calls. */
import {
  createOpenAICompatible,
  type OpenAICompatibleProvider,
  type OpenAICompatibleProviderSettings,
} from "@ai-sdk/openai-compatible";
import { type InsideOptions, settingsOf } from "./inside_options.ts";
import { repair } from "./repair.ts";
import { modeFor } from "./repair_config.ts";
import { addressOf, wrapFetch } from "./wrap_fetch.ts";

/** Those of `@ai-sdk/openai-compatible`, and Callmend's own. */
export type CallmendProviderOptions = Omit<OpenAICompatibleProviderSettings, "name"> & {
  readonly name?: string;
  readonly callmend?: InsideOptions;
};

// `@ai-sdk/openai-compatible` is of version 2 on purpose: its models are for the AI SDK 6 and 7, those of 3 for 7 only.
// The only function that is exported here: OpenCode calls the first export whose name starts with `create`.
/** Makes the provider. Throws when `callmend` holds something that cannot be used. */
export function createCallmend({ callmend, ...options }: CallmendProviderOptions): OpenAICompatibleProvider {
  const settings = { mode: modeFor(addressOf(options.baseURL)?.hostname), ...settingsOf(callmend) };
  const fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
  return createOpenAICompatible({
    includeUsage: true,
    ...options,
    name: options.name ?? "callmend",
    fetch: wrapFetch(fetch, (next) => repair(next, settings)),
  });
}
