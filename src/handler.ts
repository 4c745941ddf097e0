/** What answers: the server's own few routes, and everything else through the pipeline to the upstream that is meant. */
import { createKeyRing, keyRefusal } from "./access.ts";
import type { Config } from "./config.ts";
import { errorAnswer, InvalidRequest } from "./error_answer.ts";
import { INSPECTOR_PATH, isInspectorPath } from "./inspector/inspector_path.ts";
import type { Peer } from "./listen.ts";
import { printable } from "./observe/log.ts";
import { createObservation, type Observation } from "./observe/observation.ts";
import { type OpenUpstream, openUpstreams } from "./routing/open_upstream.ts";
import { createOwnRoutes } from "./own_routes.ts";
import type { Fetch } from "./repair.ts";
import { createRouter } from "./routing/router.ts";
import { routed } from "./routing/routing.ts";
import { createUpstream } from "./upstream.ts";
import { ID_HEADER } from "./wire/exchange.ts";

/** What the handler is made of. */
export interface HandlerOptions {
  readonly config: Config;
  /** How requests reach the upstream, whichever it is; over the network when not said. */
  readonly fetch?: Fetch;
  readonly observation?: Observation;
}

/** Answers each request; never throws. */
export interface Handler {
  (request: Request, peer?: Peer): Promise<Response>;
  /** Applies other settings to the requests that come from now on. */
  apply(config: Config): void;
  /** Ends the live connections of pages. */
  leave(): void;
  /** Ends all connections to upstreams; resolves when all that was observed has been written. */
  close(): Promise<void>;
}

/** For who took the address of the API for that of an HTTP proxy; under Deno, a tunnel would never close. */
const NO_TUNNEL =
  "Cannot open a tunnel: this is no HTTP proxy. Set it as the base URL of the API, not as HTTPS_PROXY.";

/** Makes the function that answers each request. */
export function createHandler(options: HandlerOptions): Handler {
  const { config, fetch, observation = createObservation(config) } = options;
  const { log, metrics, watch } = observation;
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
    return { upstreams, answer, insecure: config.insecure, ring: createKeyRing(config.clientKeys) };
  };
  let state = stateOf(config);

  /** What is thrown at once is caught too, as this is asynchronous. */
  const answered = async (request: Request, path: string, peer?: Peer): Promise<Response> => {
    if (request.method === "CONNECT") return errorAnswer(new InvalidRequest(NO_TUNNEL));
    const { answer, ring, insecure } = state;
    const response = await own.answer(request, path, peer, { ring, insecure });
    if (response !== undefined) return response;
    return ring.required && !ring.opens(request) ? keyRefusal() : await answer(request);
  };

  const handler = async (request: Request, peer?: Peer): Promise<Response> => {
    const start = Date.now();
    const { method } = request;
    const path = pathOf(request.url);
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
    apply(config: Config) {
      observation.apply(config);
      state = stateOf(config, state.upstreams);
    },
    leave: () => own.leave(),
    close() {
      state.upstreams.forEach(({ connection }) => connection.close());
      return observation.settled();
    },
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
