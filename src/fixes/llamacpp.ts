/** llama.cpp's server, whatever the model: nothing in a request says that it is there. */
import { liveDialects } from "../dialects/mod.ts";
import type { Tool } from "../parse/dialect.ts";
import { createParser } from "../parse/parser.ts";
import { isObject } from "../wire/call_piece.ts";
import { readChatRequest, readJson } from "../wire/chat_request.ts";
import { bodyHeaders } from "../wire/errors.ts";
import type { Fix } from "./fix.ts";
import { everyModel } from "./models.ts";
import { textOr } from "./body.ts";

export const llamacppParseError: Fix = {
  id: "llamacpp/parse-error",
  why:
    "When its parser stumbles, llama.cpp answers 500 with what the model wrote: where that holds whole calls, they are " +
    "delivered.",
  ref: "ggml-org/llama.cpp#24644, ggml-org/llama.cpp#20260",
  symptoms: ["C22"],
  applies: everyModel,
  send: (next, { sent, applied }) => async (request) => {
    const response = await next(request);
    if (response.status !== 500 || !/json/.test(response.headers.get("content-type") ?? "")) return response;
    const bytes = await response.arrayBuffer();
    const written = writtenIn(bytes);
    if (written === undefined || !holdsCalls(written, readChatRequest(sent).tools)) {
      const { status, statusText, headers } = response;
      return new Response(bytes, { status, statusText, headers });
    }
    applied();
    const message = { role: "assistant", content: written };
    const completion = { object: "chat.completion", choices: [{ index: 0, message, finish_reason: "stop" }] };
    return new Response(JSON.stringify(completion), { headers: bodyHeaders(response.headers) });
  },
};

/** What the model wrote, from where the server's parser gave up. */
function writtenIn(bytes: ArrayBuffer): string | undefined {
  const body = readJson(new Uint8Array(bytes));
  const error = isObject(body?.error) ? body.error : {};
  return /Failed to parse input at pos \d+: ([^]+)/.exec(textOr(error.message, ""))?.[1];
}

/** Whether a text holds calls, and all of them whole. */
function holdsCalls(text: string, tools: readonly Tool[]): boolean {
  if (tools.length === 0) return false;
  const parser = createParser({ tools, dialects: liveDialects(undefined) });
  const events = [...parser.feed(text), ...parser.end()];
  return !parser.cut && events.some(({ type }) => type === "call-end");
}
