/** The SDKs that most clients are built on, as npm has them, through the server over a real socket. */
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import assert from "node:assert/strict";
import OpenAI from "openai";
import { z } from "zod";
import { demoModels, demoUpstream } from "../src/cli/demo_upstream.ts";
import { listen } from "../src/listen.ts";
import { generateText, isStepCount, streamText, tool } from "./_ai.ts";
import { proxyTo } from "./_servers.ts";
import { test } from "./_test.ts";

const SECRET = "quokka-7319";
const QUESTION = "What will the weather be in Paris?";

/** Runs `body` with the address of a proxy in front of models that leak. */
async function withProxy(mode: string, body: (baseURL: string) => Promise<void>): Promise<void> {
  const models = listen({ host: "127.0.0.1", port: 0 }, (request) => demoUpstream(request, 0));
  {
    await using proxy = proxyTo(models, { mode });
    await body(`${proxy.address}/v1`);
  }
  await models.stop();
}

for (const { id, taught } of demoModels) {
  const mode = taught === undefined ? "native" : "bridge";
  for (const stream of [true, false]) {
    const how = stream ? "streamed" : "not streamed";
    test(`openai: a tool loop of two turns with ${id}, ${how}`, () =>
      withProxy(mode, async (baseURL) => {
        const given: unknown[] = [];
        const client = new OpenAI({ baseURL, apiKey: "none", maxRetries: 0 });
        const tools = [{
          type: "function" as const,
          function: {
            name: "get_weather",
            description: "The weather of the coming days.",
            parameters: {
              type: "object",
              properties: { city: { type: "string" }, days: { type: "integer" } },
              required: ["city", "days"],
            },
            function: (input: string) => {
              given.push(JSON.parse(input));
              return SECRET;
            },
          },
        }];
        const messages = [{ role: "user" as const, content: QUESTION }];
        const runner = stream
          ? client.chat.completions.runTools({ model: id, messages, tools, stream: true })
          : client.chat.completions.runTools({ model: id, messages, tools });
        assert.match(await runner.finalContent() ?? "", new RegExp(SECRET));
        assert.deepEqual(given, [{ city: "Paris", days: 3 }]);
      }));

    test(`AI SDK: a tool loop of two turns with ${id}, ${how}`, () =>
      withProxy(mode, async (baseURL) => {
        const given: unknown[] = [];
        const provider = createOpenAICompatible({ name: "callmend", baseURL, includeUsage: true });
        const options = {
          model: provider(id),
          prompt: QUESTION,
          maxRetries: 0,
          stopWhen: isStepCount(4),
          tools: {
            get_weather: tool({
              inputSchema: z.object({ city: z.string(), days: z.number().int() }),
              execute: (input) => {
                given.push(input);
                return Promise.resolve(SECRET);
              },
            }),
          },
        };
        let text = "";
        if (stream) {
          const result = streamText({ ...options, onError: ({ error }) => assert.fail(String(error)) });
          for await (const part of result.textStream) text += part;
          assert.equal((await result.steps).length, 2);
        } else {
          const result = await generateText(options);
          ({ text } = result);
          assert.equal(result.steps.length, 2);
        }
        assert.match(text, new RegExp(SECRET));
        assert.deepEqual(given, [{ city: "Paris", days: 3 }]);
      }));
  }
}
