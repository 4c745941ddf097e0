/** The HTTP server of the runtime at hand: `Deno.serve` or `Bun.serve` behind one function. */

/** A server that listens. */
export interface Listener {
  readonly port: number;
  /** Takes no further connections; resolves when the last answer has gone out. */
  stop(): Promise<void>;
}

/** Where to listen. */
export interface Place {
  readonly host: string;
  readonly port: number;
}

/** The address of who is connected; undefined when it is not known, as once the connection is gone. */
export type Peer = () => string | undefined;

type Handler = (request: Request, peer: Peer) => Response | Promise<Response>;

/** Bun's server, as far as it is used here. */
interface BunServer {
  readonly port: number;
  stop(): Promise<void>;
  requestIP(request: Request): { readonly address: string } | null;
}

/** What of Bun is used here; its types are not at hand under Deno. */
interface Bun {
  serve(options: {
    hostname: string;
    port: number;
    fetch: (request: Request, server: BunServer) => Response | Promise<Response>;
    error: (error: Error) => Response;
    idleTimeout: number;
    maxRequestBodySize: number;
    development: boolean;
    reusePort: boolean;
  }): BunServer;
}

/** The address cannot be listened on; the message says what to change. */
export class ListenError extends Error {
  override readonly name = "ListenError";
}

/** Listens, and answers with `handler`, which must not throw. Throws a `ListenError`. */
export function listen(place: Place, handler: Handler): Listener {
  try {
    return "Bun" in globalThis ? listenByBun(place, handler) : listenByDeno(place, handler);
  } catch (error) {
    throw new ListenError(listenProblem(place, error), { cause: error });
  }
}

// Only the body of an answer can still fail when the handler does not throw. The connection is then cut, so
// that the client sees it; the reason has been told where it arose.
const cut = () => new Response(null, { status: 500 });

function listenByDeno({ host: hostname, port }: Place, handler: Handler): Listener {
  const server = Deno.serve({
    hostname,
    port,
    automaticCompression: false, // answers go through as the upstream wrote them
    onListen: () => {},
    onError: cut,
  }, (request, { remoteAddr }) => handler(request, () => addressIn(remoteAddr)));
  return { port: server.addr.port, stop: () => server.shutdown() };
}

function addressIn(address: Deno.Addr): string | undefined {
  return "hostname" in address ? address.hostname : undefined;
}

function listenByBun({ host: hostname, port }: Place, handler: Handler): Listener {
  const server = (globalThis as unknown as { Bun: Bun }).Bun.serve({
    hostname,
    port,
    fetch: (request, server) => handler(request, () => server.requestIP(request)?.address),
    error: cut,
    idleTimeout: 0, // models think for longer than Bun's ten seconds
    maxRequestBodySize: Number.MAX_SAFE_INTEGER, // uploads stream through; the pipeline has its own limit
    development: false,
    reusePort: false, // with `development` off, Bun shares a port that is in use
  });
  return { port: server.port, stop: () => server.stop() };
}

/** A host as it stands in a URL. */
export function inUrl(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

function listenProblem({ host, port }: Place, error: unknown): string {
  const { code, message } = error as { code?: string; message: string };
  const where = `Cannot listen on ${inUrl(host)}:${port}`;
  switch (code) {
    case "EADDRINUSE":
      return `${where}: port ${port} is in use. Choose another with --port (PROXY_PORT); 0 picks a free one.`;
    case "EACCES":
    case "EPERM":
      return `${where}: port ${port} is not allowed to this user. Choose one above 1023 with --port (PROXY_PORT).`;
    case "EADDRNOTAVAIL":
      return `${where}: this machine has no such address. Change --host (PROXY_HOST).`;
    default:
      return `${where}: ${message}. Check --host (PROXY_HOST) and --port (PROXY_PORT).`;
  }
}
