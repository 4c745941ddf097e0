/** The configuration with which a model's tool calls work: as flags, and as lines of the configuration file. */
import { modeFor } from "../repair_config.ts";

/** The upstream, as the user named it. */
export interface Upstream {
  readonly address: string;
  readonly host: string;
  /** What the configuration file calls it. */
  readonly name?: string;
  /** The variable that its key was read from. */
  readonly keyVariable: string | undefined;
  /** Flags of `serve` that the checks ran with. */
  readonly flags: readonly string[];
  /** The same for the configuration file. */
  readonly entry: { readonly [name: string]: unknown };
}

/** What has to be said for one model. */
export interface Need {
  readonly model: string;
  readonly mode: "native" | "fallback" | "bridge";
  /** Fixes that are off by default. */
  readonly enabled: readonly string[];
  readonly reasoningOpen: boolean;
  /** Other models of this upstream need another mode. */
  readonly alone?: boolean;
}

/** The same configuration in both ways of writing it. */
export interface Lines {
  readonly flags: string;
  readonly file: object;
}

/** Makes the lines for a model. */
export function linesFor({ model, mode, enabled, reasoningOpen, alone }: Need, upstream: Upstream): Lines {
  const said = [
    ...upstream.flags,
    ...(mode === modeFor(upstream.host) ? [] : ["--mode", mode]),
    ...enabled.flatMap((id) => ["--enable-fix", id]),
    ...(reasoningOpen ? ["--reasoning", "open"] : []),
  ];
  const { fixes, ...entry } = upstream.entry as { fixes?: { enable?: readonly string[] } };
  const allEnabled = [...fixes?.enable ?? [], ...enabled];
  const switched = { ...fixes, ...(allEnabled.length > 0 && { enable: allEnabled }) };
  return {
    flags: ["callmend", ...said.map(shellWord)].join(" "),
    file: {
      upstreams: [{
        name: upstream.name ?? nameOf(upstream.host),
        baseUrl: upstream.address,
        ...(upstream.keyVariable !== undefined && { key: `\${${upstream.keyVariable}}` }),
        mode,
        ...(alone && { models: [model] }),
        ...entry,
        ...(Object.keys(switched).length > 0 && { fixes: switched }),
      }],
    },
  };
}

/** A name for an upstream, out of its host. */
function nameOf(host: string): string {
  if (/^(?:localhost|127\.|\[?::1)/.test(host)) return "local";
  const parts = host.replace(/^(?:api|www)\./, "").split(".");
  return (/^\d+$/.test(parts.at(-1)!) ? host : parts.at(-2) ?? parts[0]!).replace(/[^\w-]+/g, "-");
}

const shellWord = (word: string) =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
