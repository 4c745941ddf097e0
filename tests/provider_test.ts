/** The AI SDK provider, with the AI SDK. */
import assert from "node:assert/strict";
import { z } from "zod";
import { demoModels, demoUpstream } from "../src/cli/demo_upstream.ts";
import * as provider from "../src/provider.ts";
import { type FetchFunction, wrapFetch } from "../src/wrap_fetch.ts";
import { generateText, isStepCount, streamText, tool } from "./_ai.ts";
import { httpUpstream, until } from "./_servers.ts";
import { test } from "./_test.ts";

const { createCallmend } = provider;

const SECRET = "quokka-7319";
const baseURL = "https://models.example/v1";
const models: FetchFunction = (input, init) => demoUpstream(new Request(input, init), 0);

/** A task of two steps; what the tool was given is kept. */
function task(model: unknown, given: unknown[]) {
  return {
    model,
    prompt: "What will the weather be in Paris?",
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
}

const fails = { onError: ({ error }: { error: unknown }) => assert.fail(String(error)) };

test("the provider's module exports one function, as OpenCode wants it", () => {
  assert.deepEqual(Object.keys(provider), ["createCallmend"]);
});

for (const { id } of demoModels) {
  test(`generateText: two steps with ${id}`, async () => {
    const given: unknown[] = [];
    const result = await generateText(task(createCallmend({ baseURL, fetch: models })(id), given));
    assert.match(result.text, new RegExp(SECRET));
    assert.deepEqual([given, result.steps.length], [[{ city: "Paris", days: 3 }], 2]);
  });

  test(`streamText: two steps with ${id}`, async () => {
    const given: unknown[] = [];
    const callmend = createCallmend({ baseURL, fetch: models });
    const result = streamText({ ...task(callmend(id), given), ...fails });
    let text = "";
    for await (const part of result.textStream) text += part;
    assert.match(text, new RegExp(SECRET));
    assert.deepEqual([given, (await result.steps).length], [[{ city: "Paris", days: 3 }], 2]);
  });
}

/** An SSE answer of these deltas. */
function events(deltas: readonly object[], finish = "stop"): string {
  const chunk = (more: object) => `data: ${JSON.stringify({ id: "c", model: "m", created: 1, ...more })}\n\n`;
  return deltas.map((delta) => chunk({ choices: [{ index: 0, delta, finish_reason: null }] })).join("") +
    chunk({ choices: [{ index: 0, delta: {}, finish_reason: finish }] }) +
    chunk({ choices: [], usage: { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 } });
}

const stream = (text: string) =>
  new Response(text, { headers: { "content-type": "text/event-stream; charset=utf-8" } });

const CALL = `<tool_call>{"name": "get_weather", "arguments": {"city": "Paris", "days": 3}}</tool_call>`;

test("reasoning, usage and finish reasons reach the AI SDK; the request reaches the fetch that was given", async () => {
  const seen: { url: string; init: RequestInit }[] = [];
  const fetch: FetchFunction = (input, init) => {
    seen.push({ url: String(input), init: init! });
    const answer = seen.length === 1
      ? events([{ content: "<think>Hm." }, { content: "</think>" + CALL }], "STOP")
      : events([{ content: "It is " }, { content: SECRET }], "end_turn");
    return Promise.resolve(stream(answer));
  };
  const callmend = createCallmend({ baseURL, fetch, apiKey: "key", headers: { "x-mine": "1" } });
  const given: unknown[] = [];
  const result = streamText({ ...task(callmend("m"), given), ...fails });
  let text = "";
  for await (const part of result.textStream) text += part;
  const steps = await result.steps as {
    reasoningText?: string;
    finishReason: string;
    usage: { inputTokens: number; outputTokens: number };
  }[];
  assert.equal(text, `It is ${SECRET}`);
  assert.deepEqual(steps.map(({ finishReason }) => finishReason), ["tool-calls", "stop"]);
  assert.equal(steps[0]!.reasoningText, "Hm.");
  assert.deepEqual([steps[0]!.usage.inputTokens, steps[1]!.usage.outputTokens], [11, 7]);
  const [{ url, init }] = seen as [typeof seen[number]];
  assert.equal(url, `${baseURL}/chat/completions`);
  assert.equal(typeof init.body, "string");
  const headers = init.headers as { [name: string]: string };
  assert.equal(headers.authorization, "Bearer key");
  assert.equal(headers["x-mine"], "1");
  assert.equal(Object.keys(headers).some((name) => name.includes("callmend")), false);
});

test("an abort reaches the upstream, and the AI SDK", async () => {
  let closed = 0;
  await using upstream = await httpUpstream((_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(events([{ role: "assistant", content: "It is" }]).split("\n\n")[0] + "\n\n");
    response.on("close", () => closed++);
  });
  const callmend = createCallmend({ baseURL: `http://127.0.0.1:${upstream.port}/v1` });
  const abort = new AbortController();
  const result = streamText(
    {
      ...task(callmend("m"), []),
      abortSignal: abort.signal,
      onError: () => {},
    } as Parameters<typeof streamText>[0],
  );
  let text = "";
  const read = (async () => {
    for await (const part of result.textStream) {
      text += part;
      abort.abort();
    }
  })().catch(() => {});
  await until("the upstream sees it", () => closed === 1);
  await read;
  assert.equal(text, "It is");
});

test("the client's own fetch: its options reach it, its errors come back as they are", async () => {
  const broken = new Error("my own");
  const seen: RequestInit[] = [];
  const wrapped = wrapFetch((_, init) => {
    seen.push(init!);
    return Promise.reject(broken);
  }, (next) => async (request) => {
    return await next(request).catch(() => new Response("{}", { status: 502 }));
  });
  const abort = new AbortController();
  const init = { method: "POST", body: "{}", timeout: false, signal: abort.signal };
  const error = await wrapped(`${baseURL}/chat/completions`, init).catch((error: unknown) => error);
  assert.equal(error, broken);
  assert.equal((seen[0] as { timeout?: boolean }).timeout, false);
  assert.equal(seen[0]!.signal, abort.signal);
});

test("what is no chat completion reaches the client's fetch as it was given", async () => {
  const seen: unknown[] = [];
  const wrapped = wrapFetch((input, init) => {
    seen.push(input, init);
    return Promise.resolve(new Response("ok"));
  }, () => () => assert.fail("mended"));
  const form = { method: "POST", body: new FormData() };
  const url = new URL(`${baseURL}/audio/transcriptions`);
  await wrapped(url, form);
  await wrapped("/relative/chat/completions", form);
  assert.deepEqual(seen, [url, form, "/relative/chat/completions", form]);
});

test("two that are nested mend once", async () => {
  let count = 0;
  const make = (next: (request: Request) => Promise<Response>) => (request: Request) => {
    count++;
    return next(request);
  };
  const inner = wrapFetch(models, make);
  const options = { method: "POST", body: JSON.stringify({ model: "demo-native", messages: [] }) };
  // Clients that wrap a fetch make a new `init` out of the old one.
  const outer = wrapFetch((input, init) => inner(input, { ...init, keepalive: true }), make);
  assert.equal((await outer(`${baseURL}/chat/completions`, options)).status, 200);
  assert.equal(count, 1);
});

test("options are checked: the message names what cannot be used", () => {
  const refused = (callmend: object) => {
    try {
      createCallmend({ baseURL, callmend });
    } catch (error) {
      return (error as Error).message;
    }
  };
  assert.match(refused({ mode: "brigde" }) ?? "", /callmend\.mode: .*native/);
  assert.match(
    refused({ dialects: ["hermse"] }) ?? "",
    /callmend\.dialects: cannot use \["hermse"\]; allowed: a list of ids that `callmend dialects` lists, or /,
  );
  assert.match(
    refused({ fixes: { disable: ["end-turn"] } }) ?? "",
    /callmend\.fixes\.disable\.0: cannot use "end-turn"; allowed: an id that `callmend fixes` lists/,
  );
  assert.match(refused({ fixs: {} }) ?? "", /fixs/);
  const all = {
    mode: "native",
    protocol: "xml",
    dialects: { "glm-*": ["glm"] },
    fixes: { disable: ["claude/end-turn"] },
    arguments: "whole",
    reasoning: "keep",
  };
  assert.equal(refused(all), undefined);
});

test("only the dialects that were named are looked for", async () => {
  for (const [dialects, expected] of [[["hermes"], 1], [["kimi"], 0]] as const) {
    const fetch: FetchFunction = (_, init) => {
      const first = !String(init?.body).includes(SECRET);
      return Promise.resolve(stream(events([{ content: first ? CALL : "Done" }])));
    };
    const given: unknown[] = [];
    await streamText({
      ...task(createCallmend({ baseURL, fetch, callmend: { dialects: [...dialects] } })("m"), given),
      ...fails,
    }).steps;
    assert.equal(given.length, expected);
  }
});

test("vendor fixes work inside a client too, and are switched by id", async () => {
  const cases = [[undefined, undefined], [{ disable: ["any/parameters-without-tools"] }, "auto"]] as const;
  for (const [fixes, expected] of cases) {
    const bodies: { tool_choice?: unknown }[] = [];
    const fetch: FetchFunction = (_, init) => {
      bodies.push(JSON.parse(String(init?.body)));
      return Promise.resolve(stream(events([{ content: "Done" }])));
    };
    const disable = fixes === undefined ? {} : { fixes: { disable: [...fixes.disable] } };
    const callmend = createCallmend({
      baseURL,
      fetch,
      callmend: disable,
      transformRequestBody: (body) => ({ ...body, tool_choice: "auto" }),
    });
    await streamText({ ...task(callmend("m"), []), tools: {}, ...fails }).steps;
    assert.equal(bodies[0]!.tool_choice, expected);
  }
  const unknown = { fixes: { disable: ["nope/x"] } };
  assert.throws(
    () => createCallmend({ baseURL, callmend: unknown }),
    /callmend\.fixes\.disable.*callmend fixes/,
  );
});

for (
  const [protocol, said] of [
    ["markers", /\[\[CALL\]\]/],
    ["xml", /<get_weather>|get_weather/],
  ] as const
) {
  test(`bridge, ${protocol}: tools are taught as text`, async () => {
    const bodies: { tools?: unknown; messages: unknown }[] = [];
    const fetch: FetchFunction = (_, init) => {
      bodies.push(JSON.parse(String(init?.body)));
      return Promise.resolve(stream(events([{ content: bodies.length === 1 ? CALL : "Done" }])));
    };
    const callmend = createCallmend({ baseURL, fetch, callmend: { mode: "bridge", protocol } });
    const given: unknown[] = [];
    await streamText({ ...task(callmend("m"), given), ...fails }).steps;
    assert.deepEqual(given, [{ city: "Paris", days: 3 }]);
    assert.ok(bodies.length >= 2);
    for (const { tools, messages } of bodies) {
      assert.equal(tools, undefined);
      assert.match(JSON.stringify(messages), said);
    }
  });
}
