/** The page at /callmend/ and its data: what it answers, and with which headers. Who may see it is decided before. */
import { errorAnswer, InvalidRequest } from "../error_answer.ts";
import type { Captures } from "../observe/captures.ts";
import { INSPECTOR_PATH } from "./inspector_path.ts";
import { readBody } from "../wire/chat_request.ts";
import { convertText } from "./convert_text.ts";
import { liveChanges } from "./live.ts";
import { pageFiles } from "./page_files.ts";
import { readCapture } from "./read_capture.ts";
import { vocabulary } from "./vocabulary.ts";

export interface InspectorOptions {
  readonly captures: Captures;
  /** Ends the live connections, so that a server can stop while pages are open. */
  readonly signal?: AbortSignal;
  /** Told of what went wrong here; whoever asked gets no more than that something did. */
  failed?(error: unknown): void;
  /** How often a live connection says that it is there, in milliseconds. */
  readonly heartbeatMs?: number;
}

type Answer = Response | Promise<Response>;

/** What one path does. */
interface Route {
  readonly path: RegExp;
  readonly method: "GET" | "POST";
  answer(request: Request, id: string): Answer;
}

const HEADERS = {
  "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-store",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
};

/** The largest body that the playground takes. */
const MOST_BYTES = 16 * 1024 * 1024;

/**
 * Makes what answers every request whose path begins with `INSPECTOR_PATH`, with or without its last slash. It never
 * throws; errors have OpenAI's shape.
 */
export function createInspector(options: InspectorOptions): (request: Request) => Promise<Response> {
  const { captures, signal, heartbeatMs } = options;
  const routes: readonly Route[] = [
    ...[...pageFiles].map(([name, { text, type }]): Route => ({
      path: new RegExp(`^${name.replaceAll(".", "\\.")}$`),
      method: "GET",
      answer: () => new Response(text, { headers: { "content-type": type } }),
    })),
    {
      path: /^api\/exchanges$/,
      method: "GET",
      answer: () =>
        Response.json({ exchanges: captures.list(), limits: captures.limits, size: captures.size }),
    },
    {
      path: /^api\/live$/,
      method: "GET",
      answer: () =>
        new Response(liveChanges(captures, signal, heartbeatMs), {
          headers: { "content-type": "text/event-stream", "x-accel-buffering": "no" },
        }),
    },
    { path: /^api\/words$/, method: "GET", answer: () => Response.json(vocabulary) },
    {
      path: /^api\/exchanges\/([^/]+)$/,
      method: "GET",
      async answer(_request, id) {
        const capture = captures.get(id);
        return capture === undefined
          ? noExchange(id)
          : Response.json({ capture, reading: await readCapture(capture) });
      },
    },
    {
      path: /^api\/exchanges\/([^/]+)\/bundle$/,
      method: "GET",
      answer(_request, id) {
        const capture = captures.get(id);
        if (capture === undefined) return noExchange(id);
        const name = `callmend-${capture.time.replace(/[^\dT]/g, "")}-${
          id.replace(/[^\w.-]/g, "").slice(0, 64)
        }.json`;
        return new Response(JSON.stringify(capture, null, 2), {
          headers: {
            "content-type": "application/json",
            "content-disposition": `attachment; filename="${name}"`,
          },
        });
      },
    },
    {
      path: /^api\/convert$/,
      method: "POST",
      answer: async (request) => Response.json(await converted(request)),
    },
  ];
  return async (request) => {
    const response = await route(routes, request).catch((error: unknown) => {
      if (!(error instanceof InvalidRequest)) options.failed?.(error);
      return errorAnswer(error);
    });
    for (const [name, value] of Object.entries(HEADERS)) response.headers.set(name, value);
    if (request.method !== "HEAD") return response;
    await response.body?.cancel();
    return new Response(null, response);
  };
}

async function route(routes: readonly Route[], request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (`${pathname}/` === INSPECTOR_PATH) {
    return new Response(null, { status: 308, headers: { location: INSPECTOR_PATH } });
  }
  const path = pathname.slice(INSPECTOR_PATH.length);
  const route = routes.find((route) => route.path.test(path));
  if (route === undefined || !pathname.startsWith(INSPECTOR_PATH)) {
    return refusal(404, `There is no ${pathname}. The page is at ${INSPECTOR_PATH}.`, "not_found");
  }
  const { method } = request;
  if (method !== route.method && !(method === "HEAD" && route.method === "GET")) {
    const allowed = route.method === "GET" ? "GET, HEAD" : route.method;
    const response = refusal(405, `Cannot ${method} ${pathname}: allowed: ${allowed}.`, "method_not_allowed");
    response.headers.set("allow", allowed);
    return response;
  }
  if (method === "POST" && !isSameOrigin(request)) {
    return refusal(403, "Cannot convert: the request comes from another site.", "cross_origin");
  }
  return await route.answer(request, decoded(route.path.exec(path)?.[1] ?? ""));
}

async function converted(request: Request) {
  const [type] = (request.headers.get("content-type") ?? "").split(";");
  if (type!.trim().toLowerCase() !== "application/json") {
    throw new InvalidRequest("Cannot convert: the content-type must be application/json.");
  }
  const bytes = await readBody(request, MOST_BYTES);
  if (bytes instanceof Response) {
    throw new InvalidRequest("Cannot convert: the body is larger than 16 MiB, or broke off.");
  }
  let body: unknown;
  try {
    body = JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new InvalidRequest(`Cannot convert: the body is no JSON: ${(error as Error).message}.`);
  }
  return await convertText(body);
}

/** Browsers say where a request comes from; whoever says nothing is no page of another site. */
function isSameOrigin({ headers, url }: Request): boolean {
  const [site, origin] = [headers.get("sec-fetch-site"), headers.get("origin")];
  if (site !== null && site !== "same-origin" && site !== "none") return false;
  return origin === null ||
    (URL.canParse(origin) && new URL(origin).host === (headers.get("host") ?? new URL(url).host));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function noExchange(id: string): Response {
  return refusal(
    404,
    `There is no exchange ${id}: it may have been let go to make room for newer ones.`,
    "not_found",
  );
}

function refusal(status: number, message: string, code: string): Response {
  const type = status === 404 ? "not_found_error" : "invalid_request_error";
  return Response.json({ error: { message, type, code, param: null } }, { status });
}
