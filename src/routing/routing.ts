/** Sends each request to the upstream that its model names, and makes one list of the models of all. */
import { modelIn, withModel } from "./model_name.ts";
import type { OpenUpstream } from "./open_upstream.ts";
import type { Fetch } from "../repair.ts";
import { modelNotFound, type Route, type Router } from "./router.ts";
import { isChatCompletion, readBody, withBody } from "../wire/chat_request.ts";
import { isObject } from "../wire/call_piece.ts";
import type { Json } from "../wire/openai.ts";

/** How long an upstream may take for its list of models; the others' lists do not wait for longer. */
const LIST_MS = 10_000;

/** A fetch to whichever upstream is meant. With one upstream, and no names to change, nothing is looked at. */
export function routed(router: Router<OpenUpstream>, requestBytes: number): Fetch {
  const { first, needed } = router;
  if (!needed) return first.fetch;
  return (request) => {
    const path = /^(?:\/v1)?\/models(?:\/(.*?))?\/*$/.exec(new URL(request.url).pathname);
    if (request.method === "GET" && path !== null) {
      return path[1] ? oneModel(request, path[1], router) : allModels(request, router);
    }
    return hasJson(request) ? byModel(request, router, requestBytes) : first.fetch(request);
  };
}

/** Whether a body may name a model: JSON, or what curl sends when it is not told that it is JSON. */
function hasJson(request: Request): boolean {
  if (request.body === null) return false;
  const type = request.headers.get("content-type") ?? "";
  return /[/+]json\b|^application\/x-www-form-urlencoded/i.test(type) || isChatCompletion(request);
}

async function byModel(request: Request, router: Router<OpenUpstream>, limit: number): Promise<Response> {
  const bytes = await readBody(request, limit);
  if (bytes instanceof Response) return bytes;
  const model = modelIn(bytes);
  if (model === undefined) return await router.first.fetch(withBody(request, bytes));
  const route = router.route(model);
  if (route === undefined) return modelNotFound(model, router.upstreams);
  const body = route.model === model ? bytes : withModel(new TextDecoder().decode(bytes), route.model);
  return await route.upstream.fetch(withBody(request, body));
}

/** `GET /v1/models/{id}`: the answer bears the name that was asked for. */
async function oneModel(request: Request, encoded: string, router: Router<OpenUpstream>): Promise<Response> {
  const model = decoded(encoded);
  const route = router.route(model);
  if (route === undefined) return modelNotFound(model, router.upstreams);
  if (route.model === model) return await route.upstream.fetch(request);
  const url = new URL(request.url);
  url.pathname = `/v1/models/${route.model.split("/").map(encodeURIComponent).join("/")}`;
  const { headers, signal } = request;
  const response = await route.upstream.fetch(new Request(url, { headers, signal }));
  const body = response.ok ? await jsonIn(response.clone() as Response) : undefined;
  if (!isObject(body)) return response;
  giveUp(response);
  return Response.json({ ...body, id: model });
}

/** `GET /v1/models`: what each upstream has, by names that lead there. One that fails is left out. */
async function allModels(request: Request, router: Router<OpenUpstream>): Promise<Response> {
  const answers = await Promise.all(router.upstreams.map((upstream) => listOf(request, upstream)));
  const failed = answers.filter(({ models }) => models === undefined).map(({ response }) => response);
  const told = failed.length === answers.length ? failed.shift() : undefined;
  failed.forEach(giveUp);
  if (told !== undefined) return told;
  const data = new Map<string, Json>();
  const add = (entry: Json, id: string) => data.has(id) || data.set(id, { ...entry, id });
  for (const [n, upstream] of router.upstreams.entries()) {
    const { models } = answers[n]!;
    if (models === undefined) continue;
    const { aliases, name } = upstream.settings;
    for (const model of models) {
      const id = [model.id, `${name}/${model.id}`].find((id) =>
        leadsTo(router.route(id), upstream, model.id)
      );
      if (id !== undefined) add(model, id);
    }
    for (const [alias, real] of Object.entries(aliases)) {
      const known = models.find(({ id }) => id === real);
      add(known ?? { object: "model", created: 0, owned_by: name }, alias);
    }
  }
  return Response.json({ object: "list", data: [...data.values()] });
}

/** Nobody will read it; how that ends concerns nobody. */
function giveUp({ body }: Response): void {
  body?.cancel().catch(() => {});
}

function leadsTo(route: Route<OpenUpstream> | undefined, upstream: OpenUpstream, model: string): boolean {
  return route?.upstream === upstream && route.model === model;
}

/** A model, as it stands in a list. */
type Model = Json & { readonly id: string };

/** An upstream's models, or the answer that says why there are none. */
async function listOf(
  { url, headers, signal }: Request,
  upstream: OpenUpstream,
): Promise<{ readonly response: Response; readonly models?: readonly Model[] }> {
  const late = AbortSignal.timeout(LIST_MS);
  try {
    const asked = new Request(url, { headers, signal: AbortSignal.any([signal, late]) });
    for (const name of ["if-none-match", "if-modified-since"]) asked.headers.delete(name); // they mean the whole list
    const response = await upstream.fetch(asked);
    if (!response.ok) return { response };
    const body = await jsonIn(response.clone() as Response);
    const list = isObject(body) ? body.data : body;
    if (!Array.isArray(list)) return { response };
    giveUp(response);
    return { response, models: list.filter(isModel) };
  } catch (error) {
    if (signal.aborted) throw error;
    const message = late.aborted ? `no list within ${LIST_MS / 1000} s` : (error as Error).message;
    const told = `Cannot list the models of the upstream ${upstream.settings.name}: ${message}.`;
    const inside = { message: told, type: "upstream_error", code: "upstream_timeout", param: null };
    return { response: Response.json({ error: inside }, { status: 504 }) };
  }
}

function isModel(value: unknown): value is Model {
  return isObject(value) && typeof value.id === "string";
}

async function jsonIn(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    return undefined;
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
