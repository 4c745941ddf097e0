/** Which upstream a model's name means. */
import { patternOf } from "../repair_config.ts";
import type { UpstreamSettings } from "../config.ts";

/** What of an upstream's settings says which models are its own. */
export type Routed = Pick<UpstreamSettings, "name" | "models" | "aliases">;

/** An upstream, and what the model is called there. */
export interface Route<Upstream> {
  readonly upstream: Upstream;
  readonly model: string;
}

/** Finds upstreams by models. */
export interface Router<Upstream> {
  /** The route of a model; undefined when no upstream has it. */
  route(model: string): Route<Upstream> | undefined;
  /** Where all else goes. */
  readonly first: Upstream;
  readonly upstreams: readonly Upstream[];
  /** There is a choice, or a name to change. */
  readonly needed: boolean;
}

/**
 * An alias wins; then an upstream's name in front (`name/model`); then the first pattern that fits; then the first
 * upstream that has no patterns.
 */
export function createRouter<Upstream extends { readonly settings: Routed }>(
  upstreams: readonly Upstream[],
): Router<Upstream> {
  const aliases = new Map(
    upstreams.flatMap((upstream) =>
      Object.entries(upstream.settings.aliases).map(([alias, model]) => [alias, { upstream, model }] as const)
    ),
  );
  const byName = new Map(upstreams.map((upstream) => [upstream.settings.name, upstream]));
  const patterns = upstreams.flatMap((upstream) =>
    (upstream.settings.models ?? []).map((models) => ({ upstream, pattern: patternOf(models) }))
  );
  const rest = upstreams.find(({ settings }) => settings.models === undefined);
  return {
    first: upstreams[0]!,
    upstreams,
    needed: upstreams.length > 1 || aliases.size > 0,
    route(model) {
      const alias = aliases.get(model);
      if (alias !== undefined) return alias;
      const slash = model.indexOf("/");
      const named = slash === -1 ? undefined : byName.get(model.slice(0, slash));
      if (named !== undefined && slash < model.length - 1) {
        const own = model.slice(slash + 1);
        const { aliases } = named.settings;
        return { upstream: named, model: Object.hasOwn(aliases, own) ? aliases[own]! : own };
      }
      const upstream = patterns.find(({ pattern }) => pattern.test(model))?.upstream ?? rest;
      return upstream && { upstream, model };
    },
  };
}

/** The answer for a model that no upstream has. */
export function modelNotFound(model: string, upstreams: readonly { readonly settings: Routed }[]): Response {
  const there = upstreams.map(({ settings: { name, models } }) =>
    models === undefined ? name : `${name} (${models.join(", ")})`
  );
  const aliases = upstreams.flatMap(({ settings }) => Object.keys(settings.aliases));
  const also = aliases.length === 0 ? "" : ` Aliases: ${aliases.join(", ")}.`;
  const message = `Cannot find an upstream for the model ${JSON.stringify(model.slice(0, 200))}. ` +
    `Upstreams and their models: ${
      there.join("; ")
    }.${also} An upstream is asked for any model as name/model.`;
  const error = { message, type: "invalid_request_error", code: "model_not_found", param: null };
  return Response.json({ error }, { status: 404 });
}
