// The AI SDK, as most clients in TypeScript use it; PROVIDER is the address of Callmend's bundle, where that is used.
import { readFileSync } from "node:fs";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import * as ai from "ai";
import { z } from "zod";

const { BASE_URL, MODEL, PROMPT, PROVIDER } = process.env;
const { streamText, tool, stepCountIs, isStepCount = stepCountIs } = ai; // AI SDK 6 has the one name, 7 the other
const create = PROVIDER ? (await import(PROVIDER)).createCallmend : createOpenAICompatible;
const provider = create({ name: "models", baseURL: BASE_URL, includeUsage: true });
let failure;
const result = streamText({
  model: provider(MODEL),
  prompt: PROMPT,
  maxRetries: 0,
  stopWhen: isStepCount(6),
  tools: {
    read_file: tool({
      description: "Read a file",
      inputSchema: z.object({ path: z.string() }),
      execute: ({ path }) => readFileSync(path, "utf8"),
    }),
  },
  onError: ({ error }) => failure = error,
});
for await (const text of result.textStream) process.stdout.write(text);
if (failure) throw failure;
