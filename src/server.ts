/** The server: listens, says that it runs, and has everything else answered by what the first request loads. */
import type { Config } from "./config.ts";
import type { Handler } from "./handler.ts";
import { inUrl, listen, type Peer } from "./listen.ts";
import { createLog, type Log, type LogOptions } from "./observe/log.ts";
import { addressOf } from "./upstream/address.ts";
import { version } from "./version.ts";

/** A server that runs. */
export interface Running {
  readonly port: number;
  /** Where clients reach it. */
  readonly address: string;
  readonly log: Log;
  /** What is in force. */
  config(): Config;
  /** Applies other settings to the requests that come from now on; where it listens stays. */
  apply(config: Config): void;
  /** Takes no further requests and lets running answers end; false when some had to be cut off. */
  drain(): Promise<boolean>;
}

/** What a server is made of. */
export interface ServerOptions {
  /** Where the log goes, and how; the settings say how much of it. */
  readonly log: Omit<LogOptions, "level">;
  /** Makes what answers requests: when the first one comes, as it takes longer than all the rest of the start. */
  readonly open: (config: Config, log: Log) => Promise<Handler>;
}

/** Starts the server. Throws a `ListenError` when the address cannot be had. */
export function serve(config: Config, options: ServerOptions): Running {
  const started = Date.now();
  let now = config;
  let handler: Handler | undefined; // once it is there
  let opening: Promise<Handler> | undefined;
  const missed: Config[] = []; // what it has still to hear of, all in turn: no key that clients had goes upstream
  const log = createLog({ ...options.log, level: () => now.logLevel });

  const open = async (): Promise<Handler> => {
    try {
      const made = await options.open(config, log);
      for (const next of missed.splice(0)) made.apply(next);
      return handler = made;
    } catch (error) {
      opening = undefined; // the next request may have better luck
      log.error("Cannot begin to answer", { error: String(error) });
      throw error;
    }
  };
  const answer = async (request: Request, peer: Peer): Promise<Response> =>
    await (await (opening ??= open()))(request, peer);

  const listener = listen(config, (request, peer) => {
    if (/^(?:GET|HEAD)$/.test(request.method) && HEALTH.test(request.url)) {
      return health(now, listener.port, started);
    }
    return handler === undefined ? answer(request, peer) : handler(request, peer);
  });
  return {
    port: listener.port,
    address: `http://${inUrl(config.host)}:${listener.port}`,
    log,
    config: () => now,
    apply(next) {
      now = next;
      if (handler === undefined) missed.push(next);
      else handler.apply(next);
    },
    async drain() {
      await opening?.catch(() => {}); // it has been told
      handler?.leave();
      let timer: ReturnType<typeof setTimeout> | undefined;
      const late = new Promise<false>((resolve) => {
        timer = setTimeout(() => resolve(false), now.drainTimeoutMs);
      });
      const whole = await Promise.race([listener.stop().then(() => true), late]);
      clearTimeout(timer);
      await handler?.close();
      return whole;
    },
  };
}

/** Of a path letter case counts, as everywhere: another spelling is the upstream's. */
const HEALTH = /^(?:[a-z][a-z\d+.-]*:\/\/[^/?#]*)?\/health(?:[?#]|$)/;

/** That it runs, and what it stands in front of; with several upstreams, of each. */
function health({ mode, upstream, upstreams }: Config, port: number, started: number): Response {
  return Response.json({
    ok: true,
    version,
    mode,
    upstream: addressOf(upstream),
    ...(upstreams.length > 1 && {
      upstreams: upstreams.map(({ name, mode, upstream }) => ({ name, mode, upstream: addressOf(upstream) })),
    }),
    port,
    uptime: Math.floor((Date.now() - started) / 1000),
  });
}
