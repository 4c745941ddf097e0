/** What the server answers itself for its owner: the page, and the metrics. */
import { type KeyRing, privateRefusal } from "./access.ts";
import { isInspectorPath } from "./inspector/inspector_path.ts";
import type { Peer } from "./listen.ts";
import type { Observation } from "./observe/observation.ts";
import type { Fetch } from "./repair.ts";

/** Who is let in. */
export interface Door {
  readonly ring: KeyRing;
  /** Everyone may use the proxy. */
  readonly insecure: boolean;
}

export interface OwnRoutes {
  /** The answer, or a refusal; undefined for paths that are not the server's own. */
  answer(request: Request, path: string, peer: Peer | undefined, door: Door): Promise<Response> | undefined;
  /** Ends the live connections of pages, which would hold up the server's end. */
  leave(): void;
}

/** `failed` is told of errors that nobody expects. */
export function createOwnRoutes(
  { captures, metrics }: Observation,
  failed: (error: unknown) => void,
): OwnRoutes {
  const leaving = new AbortController();
  let page: Promise<Fetch> | undefined; // loaded when somebody looks
  const openPage = async (): Promise<Fetch> => {
    const { createInspector } = await import("./inspector/inspector.ts");
    return createInspector({ captures, signal: leaving.signal, failed });
  };
  const inspect = async (request: Request) => await (await (page ??= openPage()))(request);

  const isMetrics = ({ method }: Request, path: string) => path === "/metrics" && method === "GET";
  return {
    answer(request, path, peer, { ring, insecure }) {
      const inspects = isInspectorPath(path);
      if (!inspects && !isMetrics(request, path)) return undefined;
      // Whoever may use the proxy of everyone may count what it does as well: Prometheus asks from another machine.
      const open = !inspects && insecure && !ring.required;
      const refusal = open ? undefined : privateRefusal(request, peer?.(), ring);
      if (refusal !== undefined) return Promise.resolve(refusal);
      return inspects ? inspect(request) : metrics.answer();
    },
    leave: () => leaving.abort(),
  };
}
