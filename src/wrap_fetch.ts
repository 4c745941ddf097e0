/** The pipeline around a fetch as JavaScript knows it, `fetch(input, init)`: for what runs inside a client. */
import type { Fetch } from "./repair.ts";
import { isChatCompletion } from "./wire/chat_request.ts";

/** What the platform calls fetch. */
export type FetchFunction = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** A mark on `init`: this request is being mended already, by a Callmend further out in this process. */
const MENDED = Symbol.for("callmend.mended");

/** Tells the inner fetch which call a request belongs to; it never leaves the process. */
export const CALL_HEADER = "x-callmend-call";

/** One call that a client has made. */
interface Call {
  /** What the client said beyond the request itself: runtimes have options of their own. */
  readonly extras: object;
  readonly signal: AbortSignal | null;
  /** The client gave its body as text, and whatever it wraps fetch with may want it so. */
  readonly text: boolean;
  /** What the inner fetch threw last. */
  failure?: { readonly error: unknown };
}

/** Calls are known for as long as this many later ones; a call may ask again while its answer streams. */
const KEPT_CALLS = 256;

/**
 * Wraps `fetch` in what `make` builds, for chat completions; all else reaches `fetch` as it was given. What `fetch`
 * throws is thrown: the client knows the errors of its own fetch.
 */
export function wrapFetch(fetch: FetchFunction, make: (next: Fetch) => Fetch): FetchFunction {
  const calls = new Map<string, Call>();
  let count = 0;

  const mended = make(async (request) => {
    const call = calls.get(request.headers.get(CALL_HEADER) ?? "");
    if (call !== undefined) delete call.failure;
    const headers = Object.fromEntries(request.headers);
    for (const name of [CALL_HEADER, "content-length"]) delete headers[name];
    const { method, url } = request;
    const body = call?.text ? await request.text() : await request.arrayBuffer();
    const signal = call?.signal ?? request.signal;
    const init = { ...call?.extras, method, headers, body, signal, [MENDED]: true };
    try {
      return await fetch(url, init);
    } catch (error) {
      if (call !== undefined) call.failure = { error };
      throw error;
    }
  });

  return async (input, init) => {
    const request = isMended(init) ? undefined : chatRequest(input, init);
    if (request === undefined) return await fetch(input, init);
    const { body, headers: _, ...extras } = init ?? {};
    const id = String(count++);
    const call: Call = { extras, signal: signalOf(input, init), text: typeof body === "string" };
    calls.set(id, call);
    if (calls.size > KEPT_CALLS) calls.delete(calls.keys().next().value!);
    request.headers.set(CALL_HEADER, id);
    const response = await mended(request);
    if (call.failure === undefined || response.ok) return response;
    response.body?.cancel().catch(() => {});
    throw call.failure.error;
  };
}

/** Whether a call comes from a Callmend further out. */
export function isMended(init: RequestInit | undefined): boolean {
  return init !== undefined && MENDED in init;
}

/** The address that a call is for; undefined when it has none that can be read. */
export function addressOf(input: string | URL | Request): URL | undefined {
  const text = input instanceof Request ? input.url : String(input);
  return URL.canParse(text) ? new URL(text) : undefined;
}

/** The call as a request, when it is for a chat completion. */
function chatRequest(input: string | URL | Request, init: RequestInit | undefined): Request | undefined {
  const url = addressOf(input)?.href;
  const method = init?.method ?? (input instanceof Request ? input.method : "GET");
  if (url === undefined || !isChatCompletion({ method: method.toUpperCase(), url })) return undefined;
  return new Request(input, init);
}

function signalOf(input: string | URL | Request, init: RequestInit | undefined): AbortSignal | null {
  return init?.signal ?? (input instanceof Request ? input.signal : null);
}
