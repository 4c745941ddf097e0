/** The upstream client on the runtime's own fetch: the fast one under Bun, and only used there. */
import { process } from "../process.ts";
import { codeOf } from "./errors.ts";
import { type Answer, bodiless, type Outgoing, type Send, type Source } from "./transport.ts";

/** What Bun's fetch takes beyond the standard. */
interface BunRequestInit extends RequestInit {
  readonly decompress: false;
  /** Bun gives up on a silent connection after five minutes; our own limits hold instead. */
  readonly timeout: false;
  readonly duplex: "half";
}

/** Variables by which Bun's fetch goes by way of an HTTP proxy; `node:http` knows nothing of them. */
const PROXY_VARIABLES = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"];

const byProxy = "Bun" in globalThis && PROXY_VARIABLES.some((name) => process.env[name]);

/** An HTTP proxy cannot reach servers on this machine, and Bun would ask it for them as well. */
function spareThisMachine(): void {
  const spared = process.env["NO_PROXY"] ?? process.env["no_proxy"] ?? "";
  if (spared.trim() === "*") return;
  const all = [...spared.split(",").filter(Boolean), "localhost", "127.0.0.1", "::1", "[::1]"].join(",");
  for (const name of ["NO_PROXY", "no_proxy"]) process.env[name] = all;
}

/**
 * So many requests are sent this way at once, and others by `node:http`: beyond 256, or fewer if a variable says so, Bun
 * lets requests wait until others end. Some less, for what else asks. See https://bun.com/docs/runtime/networking/fetch
 */
export const FETCH_LIMIT = byProxy
  ? Infinity // who has to wait gets there, and who goes past the proxy may not
  : Math.floor(0.8 * Math.min(256, limitOf(process.env["BUN_CONFIG_MAX_HTTP_REQUESTS"])));

function limitOf(told = ""): number {
  return /^0*[1-9]\d*$/.test(told) ? Number(told) : Infinity; // what is no limit is none
}

/** A server closes a kept connection when it likes; that shows at once, where a failing server takes its time. */
const STALE_MS = 1_000;

/** A client that keeps its connections open between requests. */
export function createFetchClient(): Send {
  if (byProxy) spareThisMachine();
  let kept = false; // an answer was read to its end, so that a kept connection may be used again
  const send = async (outgoing: Outgoing, keepalive: boolean): Promise<Answer> => {
    const { method, url, headers, body, length, signal } = outgoing;
    const sent = new Headers(headers);
    if (length !== undefined) sent.set("content-length", length);
    const init: BunRequestInit = {
      method,
      headers: sent,
      body: body ?? null,
      signal,
      redirect: "manual",
      decompress: false,
      timeout: false,
      duplex: "half",
      keepalive,
    };
    const response = await fetch(url, init);
    return {
      status: response.status,
      statusText: response.statusText,
      headers: new Headers(response.headers),
      body: response.body && !bodiless(method, response.status)
        ? sourceOf(response.body, () => kept = true)
        : undefined,
    };
  };
  return async (outgoing) => {
    const [mayBeStale, start] = [kept, Date.now()];
    try {
      return await send(outgoing, true);
    } catch (error) {
      // Bun does this by itself for methods that change nothing, and does not say which connection it used.
      const stale = mayBeStale && Date.now() - start < STALE_MS && codeOf(error) === "ECONNRESET";
      const resendable = !(outgoing.body instanceof ReadableStream) && !outgoing.signal.aborted;
      if (!stale || !resendable) throw error;
      return await send(outgoing, false); // on a new connection: all that were kept may be closed by now
    }
  };
}

function sourceOf(body: ReadableStream<Uint8Array>, onEnd: () => void): Source {
  const reader = body.getReader();
  const bytesOf = ({ done, value }: ReadableStreamReadResult<Uint8Array>) => {
    if (done) onEnd();
    return value;
  };
  return {
    read: () => reader.read().then(bytesOf),
    cancel: () => void reader.cancel().catch(() => {}), // it is given up; how that goes is of no interest
  };
}
