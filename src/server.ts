/** The server: its own few routes, and everything else through the pipeline to the upstream that is meant. */
import { createKeyRing, keyRefusal } from "./access.ts";
import type { Config } from "./config.ts";
import { errorAnswer, InvalidRequest } from "./error_answer.ts";
import { INSPECTOR_PATH, isInspectorPath } from "./inspector/inspector_path.ts";
import { inUrl, listen, type Peer } from "./listen.ts";
import { type Log, printable } from "./observe/log.ts";
import { createObservation, type Observation } from "./observe/observation.ts";
import { type OpenUpstream, openUpstreams } from "./routing/open_upstream.ts";
import { createOwnRoutes } from "./own_routes.ts";
import type { Fetch } from "./repair.ts";
import { createRouter } from "./routing/router.ts";
import { routed } from "./routing/routing.ts";
import { addressOf } from "./upstream/address.ts";
import { createUpstream } from "./upstream.ts";
import { version } from "./version.ts";
import { ID_HEADER } from "./wire/exchange.ts";

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

/** What the handler is made of. */
export interface HandlerOptions {
  readonly config: Config;
  /** How requests reach the upstream, whichever it is; over the network when not said. */
  readonly fetch?: Fetch;
  readonly observation?: Observation;
  /** The port that is listened on, once it is known. */
  readonly port?: () => number;
}

/** Answers each request; never throws. */
export interface Handler {
  (request: Request, peer?: Peer): Promise<Response>;
  config(): Config;
  apply(config: Config): void;
  /** Ends the live connections of pages. */
  leave(): void;
  /** Ends all connections to upstreams. */
  close(): void;
}

/** For who took the address of the API for that of an HTTP proxy; under Deno, a tunnel would never close. */
const NO_TUNNEL =
  "Cannot open a tunnel: this is no HTTP proxy. Set it as the base URL of the API, not as HTTPS_PROXY.";

/** Makes the function that answers each request. */
export function createHandler(options: HandlerOptions): Handler {
  const { config, fetch, observation = createObservation(config), port } = options;
  const { log, metrics, watch } = observation;
  const started = Date.now();
  const own = createOwnRoutes(observation, (error) => {
    log.error("failed", { path: INSPECTOR_PATH, error: traceOf(error) });
  });
  const connect = fetch ? () => Object.assign(fetch.bind(null), { close() {}, retire() {} }) : createUpstream;
  const keys = new Set<string>(); // all that clients had since the start: none of them ever goes upstream
  let secret = createKeyRing([]);
  /** What depends on the settings, in one piece: a request goes by what is in force when it comes. */
  const stateOf = (config: Config, before?: readonly OpenUpstream[]) => {
    config.clientKeys.forEach((key) => keys.add(key));
    secret = createKeyRing([...keys]);
    const upstreams = openUpstreams(config, { connect, secret: () => secret, watch }, before);
    const answer = routed(createRouter(upstreams), config.requestBytes);
    return { config, upstreams, answer, ring: createKeyRing(config.clientKeys) };
  };
  let state = stateOf(config);

  /** What is thrown at once is caught too, as this is asynchronous. */
  const answered = async (request: Request, path: string, peer?: Peer): Promise<Response> => {
    if (request.method === "CONNECT") return errorAnswer(new InvalidRequest(NO_TUNNEL));
    const { answer, ring, config: { insecure } } = state;
    const response = await own.answer(request, path, peer, { ring, insecure });
    if (response !== undefined) return response;
    return ring.required && !ring.opens(request) ? keyRefusal() : await answer(request);
  };

  const handler = async (request: Request, peer?: Peer): Promise<Response> => {
    const start = Date.now();
    const { method } = request;
    const path = pathOf(request.url);
    if (method === "GET" && path === "/health") return health(state.config, port?.() ?? config.port, started);
    if (!URL.canParse(request.url)) {
      return errorAnswer(new InvalidRequest("Cannot read the request: bad host."));
    }
    const response = await answered(request, path, peer).catch((error: unknown) => {
      // There is nobody left to answer.
      if (request.signal.aborted) return new Response(null, { status: 499 });
      const trace = traceOf(error);
      log.error("failed", { method, path, error: trace }, `${method} ${path} failed: ${trace}`);
      return errorAnswer(error);
    });
    if (response.headers.has(ID_HEADER)) return response; // an exchange has a line of its own
    metrics.passed(response.status);
    const { status } = response;
    const total_ms = Date.now() - start;
    const level = isInspectorPath(path) ? "debug" : "info"; // whoever looks at the page is no traffic
    log[level]("request", { method, path, status, total_ms }, `${status} ${method} ${path}; ${total_ms} ms`);
    return response;
  };
  return Object.assign(handler, {
    config: () => state.config,
    apply(config: Config) {
      observation.apply(config);
      state = stateOf(config, state.upstreams);
    },
    leave: () => own.leave(),
    close: () => state.upstreams.forEach(({ connection }) => connection.close()),
  });
}

/** Starts the server. Throws a `ListenError` when the address cannot be had. */
export function serve(config: Config, observation: Observation = createObservation(config)): Running {
  const handler = createHandler({ config, observation, port: () => listener.port });
  const listener = listen(config, handler);
  return {
    port: listener.port,
    address: `http://${inUrl(config.host)}:${listener.port}`,
    log: observation.log,
    config: handler.config,
    apply: handler.apply,
    async drain() {
      handler.leave();
      let timer: ReturnType<typeof setTimeout> | undefined;
      const late = new Promise<false>((resolve) => {
        timer = setTimeout(() => resolve(false), handler.config().drainTimeoutMs);
      });
      const whole = await Promise.race([listener.stop().then(() => true), late]);
      clearTimeout(timer);
      handler.close();
      await observation.settled();
      return whole;
    },
  };
}

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

/** The path as it may stand in a log line: no host, no query, as keys travel in queries, and no control characters. */
function pathOf(url: string): string {
  const [path] = url.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i, "").split(/[?#]/);
  return printable((path || "/").replaceAll(" ", "?"));
}

/** An expected error is told in one line; an unexpected one with where it came from. */
function traceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.name.startsWith("Upstream") ? error.message : error.stack ?? error.message;
}
