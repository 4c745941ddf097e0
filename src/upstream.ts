/** The server's `next`: sends each request to the configured upstream, and streams the answer back. */
import type { UpstreamSettings } from "./config.ts";
import type { Fetch } from "./repair.ts";
import { addressOf, targetOf } from "./upstream/address.ts";
import { decoded } from "./upstream/decode.ts";
import { broken, fellSilent, noFirstByte, unreachable, UpstreamUnreachable } from "./upstream/errors.ts";
import { createFetchClient, FETCH_LIMIT } from "./upstream/fetch_client.ts";
import { dropHopByHop, requestHeaders } from "./upstream/headers.ts";
import { createNodeClient } from "./upstream/node_client.ts";
import type { Answer, Outgoing, Source } from "./upstream/transport.ts";
import { Watch } from "./upstream/watch.ts";
import { isChatPath } from "./wire/chat_request.ts";
import { directStream } from "./wire/direct_stream.ts";

/** What of the configuration matters on the way up. */
export type UpstreamConfig = Pick<UpstreamSettings, "upstream" | "firstByteTimeoutMs" | "idleTimeoutMs">;

/** A fetch that reaches the upstream only. */
export type Upstream = Fetch & {
  /** Ends its connections. */
  close(): void;
  /** Ends them once the exchanges under way are over. */
  retire(): void;
};

/** The requests that are under way by the runtime's fetch, in the whole process: its limit is for them all. */
let fetching = 0;

/**
 * Makes the server's `next`. It rejects with `UpstreamUnreachable`, `UpstreamTimeout`, or the reason for which
 * the request was aborted; a body fails with the same errors.
 */
export function createUpstream(config: UpstreamConfig): Upstream {
  const address = addressOf(config.upstream);
  const node = createNodeClient();
  const viaFetch = "Bun" in globalThis ? createFetchClient() : undefined;
  let running = 0; // exchanges under way
  let retired = false; // no more exchanges are meant to come

  const exchange: Fetch = async (request) => {
    const url = targetOf(config.upstream, request.url);
    const abort = new AbortController();
    const giveUp = () => abort.abort(request.signal.reason);
    let begun = false; // a byte of the answer's body has come
    const watch = new Watch(config.firstByteTimeoutMs, (limitMs) => {
      abort.abort(begun ? fellSilent(address, limitMs) : noFirstByte(address, limitMs));
    });
    const byFetch = viaFetch !== undefined && fetching < FETCH_LIMIT;
    const send = byFetch ? viaFetch : node.send;
    let over = false; // nothing more will come or is wanted
    const finish = () => {
      if (over) return;
      over = true;
      running--;
      if (byFetch) fetching--;
      if (retired && running === 0) node.close();
      watch.stop();
      request.signal.removeEventListener("abort", giveUp);
    };

    const stream = (source: Source, outgoing: OnItsWay) => {
      const came = (bytes: Uint8Array | undefined) => {
        watch.rest();
        begun = true;
        if (bytes === undefined) {
          finish();
          outgoing.stopUpload();
        } else watch.limit(config.idleTimeoutMs);
        return bytes;
      };
      const broke = (cause: unknown) => {
        finish();
        outgoing.stopUpload();
        throw abort.signal.aborted ? abort.signal.reason : broken(address, cause);
      };
      return directStream({
        read() {
          if (begun) watch.wait();
          return source.read().then(came, broke);
        },
        cancel() {
          finish();
          source.cancel();
        },
      });
    };

    running++;
    if (byFetch) fetching++;
    request.signal.addEventListener("abort", giveUp, { once: true });
    if (request.signal.aborted) giveUp();
    try {
      const outgoing = await outgoingOf(request, url, abort.signal, () => watch.wait());
      const answer = plain(await send(outgoing), outgoing);
      if (answer.body === undefined) finish();
      return responseOf(answer, answer.body && stream(answer.body, outgoing), address);
    } catch (cause) {
      finish();
      if (abort.signal.aborted) throw abort.signal.reason;
      throw cause instanceof UpstreamUnreachable ? cause : unreachable(address, cause);
    }
  };
  const retire = () => {
    retired = true;
    if (running === 0) node.close();
  };
  return Object.assign(exchange, { close: () => node.close(), retire });
}

/** Only chat completions are Callmend's business (rule 1); a fix may send them to `/responses`. */
function isRead({ method, url }: Pick<Outgoing, "method" | "url">): boolean {
  return method === "POST" && (isChatPath(url.pathname) || url.pathname.endsWith("/responses"));
}

/** A request on its way up, whose body may still be arriving. */
interface OnItsWay extends Outgoing {
  /**
   * No more of the body is wanted. Has to be called before the end of the answer: Deno never lets go of a connection
   * that is still being read from when the streamed answer on it ends.
   */
  stopUpload(): void;
}

async function outgoingOf(
  request: Request,
  url: URL,
  signal: AbortSignal,
  onUpload: () => void,
): Promise<OnItsWay> {
  const { method } = request;
  const length = request.headers.get("content-length") ?? undefined;
  const outgoing = { method, url, headers: requestHeaders(request), signal, stopUpload() {} };
  // A chat's body has been read whole; one of which no header speaks is empty, or was made here.
  const whole = (method === "POST" && isChatPath(url.pathname)) ||
    (length === undefined && !request.headers.has("transfer-encoding"));
  if (whole || length === "0" || request.body === null) {
    const bytes = new Uint8Array(await request.arrayBuffer());
    onUpload();
    if (bytes.length > 0) return { ...outgoing, body: bytes, length: undefined };
    return { ...outgoing, body: undefined, length: length === undefined ? undefined : "0" };
  }
  return { ...outgoing, ...uploadOf(request.body, onUpload), length };
}

/** The same stream; says so whenever a piece of it is taken. */
function uploadOf(body: ReadableStream<Uint8Array>, note: () => void): Pick<OnItsWay, "body" | "stopUpload"> {
  const reader = body.getReader();
  const stopUpload = () => void reader.cancel().catch(() => {}); // how the rest fares does not matter
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await reader.read();
      note();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
  return { body: stream, stopUpload };
}

/** What the pipeline must be able to read comes in the clear. */
function plain(answer: Answer, outgoing: Outgoing): Answer {
  if (answer.body === undefined || !isRead(outgoing)) return answer;
  return { ...answer, body: decoded(answer.body, answer.headers) ?? answer.body };
}

function responseOf(answer: Answer, body: ReadableStream<Uint8Array> | undefined, address: string): Response {
  const { status, headers } = answer;
  if (status < 200 || status > 599) {
    answer.body?.cancel();
    throw new UpstreamUnreachable(
      `Cannot use the answer of the upstream ${address}: HTTP has no status ${status}.`,
    );
  }
  const statusText = /^[\t\x20-\x7e]*$/.test(answer.statusText) ? answer.statusText : "";
  return new Response(body ?? null, { status, statusText, headers: dropHopByHop(headers) });
}
