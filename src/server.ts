/** The server: its own few routes, and everything else through the pipeline to the upstream. */
import type { Config } from "./config.ts";
import { errorAnswer, InvalidRequest } from "./error_answer.ts";
import { inUrl, listen } from "./listen.ts";
import type { DebugLog } from "./observe/debug_log.ts";
import { type Fetch, repair } from "./repair.ts";
import { addressOf } from "./upstream/address.ts";
import { createUpstream } from "./upstream.ts";
import { version } from "./version.ts";
import { type ExchangeReport, onEnd, watchAll } from "./wire/watcher.ts";

/** Takes one line of the log. */
export type Log = (line: string) => void;

/** A server that runs. */
export interface Running {
  readonly port: number;
  /** Where clients reach it. */
  readonly address: string;
  /** Takes no further requests and lets running answers end; false when some had to be cut off. */
  drain(): Promise<boolean>;
}

/** What the handler is made of. */
export interface HandlerOptions {
  readonly config: Config;
  /** How requests reach the upstream. */
  readonly fetch: Fetch;
  readonly log?: Log;
  readonly debug?: DebugLog | undefined;
  /** The port that is listened on, once it is known. */
  readonly port?: () => number;
}

/** Makes the function that answers each request; it never throws. */
export function createHandler({ config, fetch, log = () => {}, debug, port }: HandlerOptions): Fetch {
  const settings = { ...config, upstreamHost: new URL(config.upstream.origin).hostname };
  const observed = ({ model, fixes, problems }: ExchangeReport) => {
    const failed = problems.filter(({ code }) => code === "fix-failed").map(({ detail }) =>
      `; failed: ${detail}`
    );
    if (fixes.length + failed.length === 0) return;
    log(`fixes for ${printable(model)}: ${fixes.join(", ") || "none"}${printable(failed.join(""))}`);
  };
  const repaired = repair(fetch, settings, watchAll([onEnd(observed), ...(debug ? [debug.watch] : [])]));
  const started = Date.now();

  const health = () =>
    Response.json({
      ok: true,
      version,
      mode: config.mode,
      upstream: addressOf(config.upstream),
      port: port?.() ?? config.port,
      uptime: Math.floor((Date.now() - started) / 1000),
    });

  return async (request) => {
    const start = Date.now();
    const { method } = request;
    const path = pathOf(request.url);
    if (method === "GET" && path === "/health") return health();
    if (!URL.canParse(request.url)) {
      return errorAnswer(new InvalidRequest("Cannot read the request: bad host."));
    }
    const answer = async () => await repaired(request); // what is thrown at once is caught too
    const response = await answer().catch((error: unknown) => {
      // There is nobody left to answer.
      if (request.signal.aborted) return new Response(null, { status: 499 });
      log(`${method} ${path} failed: ${traceOf(error)}`);
      return errorAnswer(error);
    });
    log(`${method} ${path} ${response.status} ${Date.now() - start} ms`);
    return response;
  };
}

/** Starts the server. Throws a `ListenError` when the address cannot be had. */
export function serve(config: Config, log?: Log, debug?: DebugLog): Running {
  const upstream = createUpstream(config);
  const handler = createHandler({
    config,
    fetch: upstream,
    debug,
    port: () => listener.port,
    ...(log && { log }),
  });
  const listener = listen(config, handler);
  return {
    port: listener.port,
    address: `http://${inUrl(config.host)}:${listener.port}`,
    async drain() {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const late = new Promise<false>((resolve) => {
        timer = setTimeout(() => resolve(false), config.drainTimeoutMs);
      });
      const whole = await Promise.race([listener.stop().then(() => true), late]);
      clearTimeout(timer);
      upstream.close();
      await debug?.settled();
      return whole;
    },
  };
}

/** The path as it may stand in a log line: no host, no query, as keys travel in queries, and no control characters. */
function pathOf(url: string): string {
  const [path] = url.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i, "").split(/[?#]/);
  return printable((path || "/").replaceAll(" ", "?"));
}

/** A text without what could end a line of the log or paint it. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "?");
}

/** An expected error is told in one line; an unexpected one with where it came from. */
function traceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.name.startsWith("Upstream") ? error.message : error.stack ?? error.message;
}
