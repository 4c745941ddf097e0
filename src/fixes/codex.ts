/** OpenAI's Codex models, which answer on `/responses` only: a chat completion goes up and comes back translated. */
import { isObject } from "../wire/call_piece.ts";
import { bodyHeaders } from "../wire/errors.ts";
import type { Json } from "../wire/openai.ts";
import { SseDecoder } from "../wire/sse.ts";
import { wantsUsage } from "../wire/usage.ts";
import type { Fix } from "./fix.ts";
import { isCodex } from "./models.ts";
import { toCompletion } from "./responses_answer.ts";
import { toResponses } from "./responses_request.ts";
import { ResponsesStream } from "./responses_stream.ts";

export const codexResponses: Fix = {
  id: "codex/responses",
  why:
    "Codex models answer on `/responses` only: the request is translated, and so is the answer. An upstream without " +
    "`/responses` (404, 405) is asked as before.",
  ref: "nexos known-bugs/codex-responses-api",
  symptoms: ["D18"],
  applies: isCodex,
  send: (next, { sent, applied }) => async (request) => {
    const url = new URL(request.url);
    url.pathname = url.pathname.replace(/\/chat\/completions\/*$/, "/responses");
    const headers = new Headers(request.headers);
    headers.delete("content-length"); // of another body
    const body = JSON.stringify(toResponses(sent));
    const response = await next(new Request(url, { method: "POST", headers, body, signal: request.signal }));
    if (response.status === 404 || response.status === 405) {
      response.body?.cancel().catch(() => {}); // it is given up: how that ends concerns nobody
      return next(request);
    }
    applied();
    return translated(response, sent);
  },
};

async function translated(response: Response, asked: Json): Promise<Response> {
  const { ok, status, statusText, body } = response;
  if (!ok || body === null) return response; // errors have the same shape on both
  const headers = bodyHeaders(response.headers);
  if (headers.get("content-type")?.toLowerCase().startsWith("text/event-stream")) {
    return new Response(translatedStream(body, new ResponsesStream(wantsUsage(asked))), { status, headers });
  }
  const text = await response.text();
  return new Response(translatedText(text), { status, statusText, headers });
}

function translatedText(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? JSON.stringify(toCompletion(value)) : text;
  } catch {
    return text;
  }
}

/** Pulls no faster than it is pulled. */
function translatedStream(
  body: ReadableStream<Uint8Array>,
  stream: ResponsesStream,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  const sse = new SseDecoder();
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      for (;;) {
        const { done, value } = await reader.read();
        const events = done ? sse.end().events : [...sse.push(value)];
        const out = events.map((event) => stream.take(event)).join("");
        if (out !== "") controller.enqueue(encoder.encode(out));
        if (done) controller.close();
        if (done || out !== "") return;
      }
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}
