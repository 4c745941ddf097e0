/** Errors in OpenAI's shape: read from what upstreams send, and written for clients. */
import { inWords, isObject } from "./call_piece.ts";
import type { Json } from "./openai.ts";

/** The inside of `{"error": …}`. */
export interface ApiError extends Json {
  message: string;
  type: string;
  code: unknown;
  param: unknown;
}

/** The upstream has answered with nothing at all (symptoms C20, C21). */
export const EMPTY_ANSWER: Json = {
  message: "The upstream answered with status 200, but said nothing: no text, no tool call, no reason why. " +
    "Ask again; if it stays so, the upstream's own log may tell more.",
  type: "upstream_error",
  code: "empty_answer",
};

/** What upstreams call their errors, in type, code or status: OpenAI, Anthropic, Google, gateways. First match counts. */
const STATUSES: readonly (readonly [word: RegExp, status: number])[] = [
  [/rate.?limit|too.?many|quota|resource.?exhausted|throttl/i, 429],
  [/payment|billing|insufficient.?(balance|credits?|funds)/i, 402],
  [/auth(?!or)|invalid.?api.?key|api.?key.?invalid|unauthori[sz]ed/i, 401],
  [/permission|forbidden|moderation/i, 403],
  [/not.?found/i, 404],
  [/too.?large/i, 413],
  [/context|invalid.?request|invalid.?argument|bad.?request|unsupported|validation|unprocessable/i, 400],
  [/time.?out|deadline/i, 504],
  [/overloaded|unavailable|capacity/i, 503],
];

const TYPES: { readonly [status: number]: string } = {
  400: "invalid_request_error",
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  429: "rate_limit_error",
};

/**
 * The error that an event or an answer reports, if it does: `{"error": …}` (OpenAI, OpenRouter), `{"object": "error"}`
 * (vLLM), `{"type": "error"}` (Anthropic), or whatever stands in an event named `error`.
 */
export function errorIn(value: unknown, name?: string): Json | undefined {
  if (!isObject(value)) return name === "error" ? { message: inWords(value) } : undefined;
  const { error } = value;
  if (isObject(error)) return error;
  if (typeof error === "string" && error !== "") return { message: error, ...pick(value) };
  return value.object === "error" || value.type === "error" || name === "error" ? value : undefined;
}

/** The HTTP status that an upstream's error would have had, had it not come behind a 200. */
export function statusOf(error: Json): number {
  for (const key of ["status", "status_code", "statusCode", "http_status", "code"]) {
    const said = error[key];
    const status = typeof said === "string" ? Number(said) : said as number;
    if (Number.isInteger(status) && status >= 400 && status <= 599) return status;
  }
  const words = [error.type, error.code, error.status].filter((word) => typeof word === "string").join(" ");
  return STATUSES.find(([pattern]) => pattern.test(words))?.[1] ?? 502;
}

/** An upstream's error filled up to OpenAI's shape; what else it says stays. */
export function toApiError(error: Json): ApiError {
  const message = [error.message, error.detail, error.msg].find((text) =>
    typeof text === "string" && text !== ""
  );
  const type = typeof error.type === "string" && error.type !== "error" ? error.type : undefined;
  return {
    ...error,
    message: message === undefined ? "The upstream reported an error without a message" : String(message),
    type: type ?? TYPES[statusOf(error)] ?? "upstream_error",
    code: error.code ?? null,
    param: error.param ?? null,
  };
}

/** An answer that is an error. `headers`: those of the upstream's answer, such as `retry-after`. */
export function errorResponse(status: number, error: Json, headers?: Headers): Response {
  const kept = bodyHeaders(headers ?? new Headers());
  kept.set("content-type", "application/json");
  return new Response(JSON.stringify({ error: toApiError(error) }), { status, headers: kept });
}

/** How an upstream that could not be reached, or was silent too long, is told to the client (§2, errors). */
export function failure(error: unknown): { status: number; error: Json } {
  const name = error instanceof Error ? error.name : "";
  const message = error instanceof Error ? error.message : String(error);
  if (name === "UpstreamTimeout") {
    return { status: 504, error: { message, type: "upstream_error", code: "upstream_timeout" } };
  }
  const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : "";
  const text = name === "UpstreamUnreachable" ? message : `Cannot reach the upstream: ${message}${cause}`;
  return { status: 502, error: { message: text, type: "upstream_error", code: "upstream_unreachable" } };
}

/** How a connection that breaks in the middle of an answer is told to the client. */
export function breakage(error: unknown): { status: number; error: Json } {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof Error && error.name === "UpstreamTimeout") return failure(error);
  const text = `The upstream's connection broke off in the middle of the answer: ${message}`;
  return { status: 502, error: { message: text, type: "upstream_error", code: "upstream_disconnected" } };
}

/** The headers of an answer whose body is written anew. */
export function bodyHeaders(headers: Headers): Headers {
  const kept = new Headers(headers);
  for (const name of ["content-length", "content-encoding", "transfer-encoding", "content-md5", "etag"]) {
    kept.delete(name);
  }
  return kept;
}

function pick({ message: _, error: __, choices: ___, ...rest }: Json): Json {
  return rest;
}
