/** Where a client's request goes: its path, put under the configured upstream and nowhere else (rule 4). */

/** The configured upstream. */
export interface Base {
  /** Scheme, host and port. */
  readonly origin: string;
  /** Where the API is on it: `/api/v1`; no slash at its end, and empty for the root. */
  readonly path: string;
  /** Paths that are not the API's go to the origin itself, and not below `path`. */
  readonly wholeOrigin: boolean;
}

/** First segments of the API's paths, for clients that leave `/v1` out in front of an origin. */
const API_SEGMENTS = new Set([
  ..."assistants audio batches chat completions containers conversations embeddings evals files".split(" "),
  ..."fine_tuning images messages models moderations organization realtime rerank responses score".split(" "),
  ..."threads uploads vector_stores videos".split(" "),
]);

/** An upstream by the address of its API; without any path it is taken for an origin. */
export function baseOf(url: URL): Base {
  const path = url.pathname.replace(/\/+$/, "");
  return path === "" ? originOf(url) : { origin: url.origin, path, wholeOrigin: false };
}

/** An upstream by its origin: the API is under `/v1`, and all else is reachable too. */
export function originOf(url: URL): Base {
  return { origin: url.origin, path: "/v1", wholeOrigin: true };
}

/** The upstream's address, for people. */
export function addressOf(base: Base): string {
  return base.origin + base.path;
}

/** The URL at the upstream for a client's URL, of which only path and query count. Throws on what has no path. */
export function targetOf(base: Base, clientUrl: string): URL {
  // Deno hands the request target over as it came, so dot segments are still in it; an absolute one has a host.
  const asked = clientUrl.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?#\\]*/i, "");
  const { pathname, search } = new URL(`http://client.invalid${/^[/\\?#]/.test(asked) ? "" : "/"}${asked}`);
  const rest = pathname.replace(/^\/v1(?=\/|$)/, "");
  const inApi = !base.wholeOrigin || rest !== pathname || API_SEGMENTS.has(pathname.split("/")[1] ?? "");
  const url = new URL(base.origin);
  url.pathname = inApi ? base.path + rest : pathname;
  url.search = search;
  if (url.origin !== base.origin) throw new Error(`Cannot leave the upstream: ${url.origin}`);
  return url;
}
