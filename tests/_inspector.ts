/** The inspector behind a real socket, with the pipeline and the demo's models behind it. */
import process from "node:process";
import { demoUpstream } from "../src/cli/demo_upstream.ts";
import { createInspector } from "../src/inspector/inspector.ts";
import { INSPECTOR_PATH } from "../src/inspector/inspector_path.ts";
import { listen } from "../src/listen.ts";
import { type CaptureLimits, type Captures, createCaptures } from "../src/observe/captures.ts";
import { type Fetch, repair } from "../src/repair.ts";
import type { RepairConfig } from "../src/repair_config.ts";

export interface Inspected extends AsyncDisposable {
  readonly port: number;
  readonly address: string;
  readonly captures: Captures;
  /** Asks through the pipeline, and reads the answer. */
  chat(body: object | string, headers?: { readonly [name: string]: string }): Promise<string>;
}

/** A server: the page, and behind it chat completions by `upstream`, which may be the demo's. */
export function inspected(
  upstream: Fetch = (request) => demoUpstream(request, 1),
  { limits = { exchanges: 2000, bytes: 256 * 1024 * 1024 }, config = {}, heartbeatMs, port = 0 }: {
    readonly limits?: CaptureLimits;
    readonly config?: Partial<RepairConfig>;
    readonly heartbeatMs?: number;
    readonly port?: number;
  } = {},
): Inspected {
  const captures = createCaptures(limits);
  const over = new AbortController();
  const page = createInspector({ captures, signal: over.signal, ...(heartbeatMs && { heartbeatMs }) });
  const watch = captures.watch({ name: "demo", address: "http://demo/v1" }, config);
  const mended = repair(upstream, config, watch);
  const listener = listen(
    { host: "127.0.0.1", port },
    (request) =>
      `${new URL(request.url).pathname}/`.startsWith(INSPECTOR_PATH) ? page(request) : mended(request),
  );
  const address = `http://127.0.0.1:${listener.port}`;
  return {
    port: listener.port,
    address,
    captures,
    async chat(body, headers = {}) {
      const response = await fetch(`${address}/v1/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: typeof body === "string" ? body : JSON.stringify(body),
      });
      return await response.text();
    },
    async [Symbol.asyncDispose]() {
      over.abort();
      await listener.stop();
    },
  };
}

/** A streamed answer of the upstream: texts as content, objects as deltas, numbers as pauses in milliseconds. */
export function says(...pieces: readonly (string | number | object)[]): Fetch {
  return () => {
    const encoder = new TextEncoder();
    const event = (delta: object, finish: string | null = null) =>
      encoder.encode(`data: ${
        JSON.stringify({
          id: "c1",
          object: "chat.completion.chunk",
          created: 1,
          model: "m",
          choices: [{ index: 0, delta, finish_reason: finish }],
        })
      }\n\n`);
    const body = new ReadableStream<Uint8Array>({
      async start(controller) {
        controller.enqueue(event({ role: "assistant", content: "" }));
        for (const piece of pieces) {
          if (typeof piece === "number") await new Promise((resolve) => setTimeout(resolve, piece));
          else controller.enqueue(event(typeof piece === "string" ? { content: piece } : piece));
        }
        controller.enqueue(event({}, "stop"));
        controller.enqueue(encoder.encode("data: [DONE]\n\n"));
        controller.close();
      },
    });
    return Promise.resolve(new Response(body, { headers: { "content-type": "text/event-stream" } }));
  };
}

export const weather = {
  type: "function",
  function: {
    name: "get_weather",
    description: "The weather of the coming days.",
    parameters: {
      type: "object",
      properties: { city: { type: "string" }, days: { type: "integer" } },
      required: ["city"],
    },
  },
};

// deno run -A tests/_inspector.ts: the page in front of the demo's models, until Ctrl-C.
if (import.meta.main) {
  const { demoModels } = await import("../src/cli/demo_models.ts");
  const taught = demoModels.filter(({ taught }) => taught).map(({ id }) => id);
  const server = inspected((request) => demoUpstream(request, 15), {
    port: Number(process.argv[2] ?? 8788),
    config: { mode: "native", bridgeModels: taught },
  });
  console.log(`${server.address}${INSPECTOR_PATH}`);
  for (const { id } of demoModels) {
    await server.chat({
      model: id,
      stream: true,
      tools: [weather],
      messages: [{ role: "user", content: "What will the weather be in Paris?" }],
    });
  }
}
