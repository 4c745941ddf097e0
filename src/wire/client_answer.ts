/** Answers as the client gets them: their heads, and the errors that are Callmend's own. */
import { bodyHeaders, errorResponse } from "./errors.ts";
import type { Json } from "./openai.ts";

/** The model has said nothing, twice. */
export const EMPTY_TURN: Json = {
  message:
    "The model answered with neither text nor a tool call, twice in a row. Ask again, or try another model " +
    "or another --bridge-protocol.",
  type: "upstream_error",
  code: "empty_turn",
};

/** An error answer that holds no error that can be read. */
export const UNREADABLE: Json = { message: "The upstream refused the request.", type: "upstream_error" };

/** A body in JSON. */
export function jsonResponse(response: Response, body: BodyInit): Response {
  const headers = bodyHeaders(response.headers);
  if (!/json/.test(headers.get("content-type") ?? "")) headers.set("content-type", "application/json");
  return new Response(body, { status: response.status, headers });
}

/** A body of events. */
export function streamResponse(response: Response, body: BodyInit): Response {
  const headers = bodyHeaders(response.headers);
  if (!headers.get("content-type")?.startsWith("text/event-stream")) {
    headers.set("content-type", "text/event-stream");
  }
  headers.set("cache-control", "no-cache, no-transform"); // Deno.serve compresses unless told not to
  headers.set("x-accel-buffering", "no");
  return new Response(body, { status: response.status, headers });
}

/** A stream once its first piece is there; undefined when it ends without one. */
export async function beginningOf(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): Promise<ReadableStream<Uint8Array<ArrayBuffer>> | undefined> {
  const reader = stream.getReader();
  const first = await reader.read();
  if (first.done) return undefined;
  let waiting: typeof first | undefined = first;
  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      const read = waiting ?? await reader.read();
      waiting = undefined;
      if (read.done) controller.close();
      else controller.enqueue(read.value);
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}

/** The request's body breaks off, or is not in the chunks that its headers promise. */
export function bodyBroken(): Response {
  const message =
    "Cannot read the request: its body broke off, or its chunks are malformed. Send it again, whole.";
  return errorResponse(400, { message, type: "invalid_request_error", code: "invalid_request" });
}

/** The request is larger than it may be. */
export function tooLarge(limit: number): Response {
  const message = `The request body is larger than ${limit} bytes, the limit set here. ` +
    "Raise it with --max-request (MAX_REQUEST_MB), or shorten the conversation.";
  return errorResponse(413, { message, type: "invalid_request_error", code: "request_too_large" });
}
