/** An upstream that is asked: its connections, its own pipeline, and what is observed of it. */
import { type KeyRing, withCredential } from "../access.ts";
import type { Config, UpstreamSettings } from "../config.ts";
import type { Observation } from "../observe/observation.ts";
import type { Memory } from "../fixes/memory.ts";
import { type Fetch, newMemory, repair } from "../repair.ts";
import type { RepairConfig } from "../repair_config.ts";
import { addressOf } from "../upstream/address.ts";
import type { Upstream } from "../upstream.ts";

/** An upstream in use. */
export interface OpenUpstream {
  readonly settings: UpstreamSettings;
  /** Through the pipeline. */
  readonly fetch: Fetch;
  /** Its connections. */
  readonly connection: Pick<Upstream, "close" | "retire">;
  /** What it was opened with; with the same it need not be opened anew. */
  readonly made: string;
  /** What clients drop of its answers. */
  readonly memory: Memory;
}

/** What it takes to open upstreams. */
export interface Opening {
  /** Makes the way to an upstream. */
  readonly connect: (settings: UpstreamSettings) => Upstream;
  /** The keys of clients, which do not go upstream. */
  readonly secret: () => KeyRing;
  /** Looks on at each of them. */
  readonly watch: Observation["watch"];
}

/**
 * The upstreams of a configuration. Those of `before` that have not changed stay as they are, with all that they know;
 * those that are treated in another way keep what their answers held; the connections of the others end when their
 * exchanges do.
 */
export function openUpstreams(
  config: Config,
  opening: Opening,
  before: readonly OpenUpstream[] = [],
): OpenUpstream[] {
  const { requestBytes, keepAliveMs } = config;
  const opened = config.upstreams.map((settings) => {
    const { models: _, aliases: __, ...own } = settings; // they say who comes here, not what happens then
    const made = JSON.stringify([own, requestBytes, keepAliveMs]);
    const same = before.find((other) => other.made === made);
    if (same !== undefined) return { ...same, settings };
    const connection = opening.connect(settings);
    const next = withCredential(connection, settings.upstreamKey, opening.secret);
    const identity = identityOf(settings);
    const memory = before.find((other) => identityOf(other.settings) === identity)?.memory ?? newMemory();
    const fetch = pipeline(next, { ...settings, requestBytes, keepAliveMs }, memory, opening);
    return { settings, made, connection, memory, fetch };
  });
  for (const { connection } of before) {
    if (!opened.some((each) => each.connection === connection)) connection.retire();
  }
  return opened;
}

/** Which server an upstream is, and for whom: what one remembers is for no other. */
function identityOf({ name, upstream, upstreamKey }: UpstreamSettings): string {
  return JSON.stringify([name, upstream, upstreamKey]);
}

type PipelineSettings = UpstreamSettings & Pick<Config, "requestBytes" | "keepAliveMs">;

/** The one place where pipelines of the server are made, and looked on. */
function pipeline(next: Fetch, settings: PipelineSettings, memory: Memory, { watch }: Opening): Fetch {
  const { name, upstream, upstreamKey: _, ...rest } = settings;
  const config: Partial<RepairConfig> = { ...rest, upstreamHost: new URL(upstream.origin).hostname };
  return repair(next, config, watch({ name, address: addressOf(upstream), config }), memory);
}
