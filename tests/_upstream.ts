/** A `next` that answers with recorded bytes, cut where a test wants them cut, and keeps what it was asked. */
import type { Fetch } from "../src/repair.ts";

/** What the body does, in order: bytes, a pause in milliseconds, a break of the connection, or staying open. */
export type Act = string | Uint8Array | number | Error | "open";

export interface Upstream {
  readonly next: Fetch;
  readonly requests: Request[];
  cancelled: boolean;
  pulled: number;
}

export function upstream(
  acts: readonly Act[],
  { type = "text/event-stream", status = 200, headers = {} as Record<string, string>, open = false } = {},
): Upstream {
  const state: Upstream = {
    requests: [],
    cancelled: false,
    pulled: 0,
    next: (request) => {
      state.requests.push(request);
      let at = 0;
      const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
        async pull(controller) {
          for (;;) {
            const act = acts[at++];
            if (act === undefined) {
              if (open) return await new Promise(() => {});
              return controller.close();
            }
            if (act instanceof Error) return controller.error(act);
            if (typeof act === "number") await new Promise((resolve) => setTimeout(resolve, act));
            else {
              state.pulled++;
              const bytes = typeof act === "string" ? new TextEncoder().encode(act) : act;
              if (bytes.length === 0) continue;
              return controller.enqueue(bytes as Uint8Array<ArrayBuffer>);
            }
          }
        },
        cancel() {
          state.cancelled = true;
        },
      }, { highWaterMark: 0 });
      const all = type === "" ? headers : { "content-type": type, ...headers };
      const response = new Response(body, { status, headers: all });
      return Promise.resolve(response);
    },
  };
  return state;
}

export const readTool = {
  type: "function",
  function: { name: "read", parameters: { type: "object", properties: { path: { type: "string" } } } },
};

/** A chat completions request. */
export function chat(body: Record<string, unknown> = {}, init: RequestInit = {}): Request {
  return new Request("http://upstream.test/v1/chat/completions", {
    method: "POST",
    headers: { "content-type": "application/json", authorization: "Bearer key" },
    body: JSON.stringify({ model: "m", stream: true, tools: [readTool], messages: [], ...body }),
    ...init,
  });
}

/** A chunk with one choice. */
export function chunk(
  delta: unknown,
  finish_reason: string | null = null,
  more: Record<string, unknown> = {},
): string {
  return JSON.stringify({
    id: "c1",
    object: "chat.completion.chunk",
    created: 1,
    model: "m",
    choices: [{ index: 0, delta, finish_reason }],
    ...more,
  });
}

export const data = (...texts: string[]): string => texts.map((text) => `data: ${text}\n\n`).join("");

export const DONE = "data: [DONE]\n\n";

/** The data of each event of an answer. */
export function events(text: string): string[] {
  return text.split(/\r?\n\r?\n/).flatMap((block) => {
    const lines = block.split(/\r?\n/).filter((line) => line.startsWith("data:"));
    return lines.length === 0 ? [] : [lines.map((line) => line.replace(/^data: ?/, "")).join("\n")];
  });
}

// deno-lint-ignore no-explicit-any
export type Loose = any;

/** The chunks of an answer. */
export function chunks(text: string): Loose[] {
  return events(text).filter((text) => text !== "[DONE]").map((text) => JSON.parse(text));
}

/** Cuts bytes at the given places. */
export function cut(bytes: Uint8Array, ...places: number[]): Uint8Array[] {
  const all = [0, ...places, bytes.length];
  return all.slice(1).map((to, n) => bytes.subarray(all[n]!, to));
}
