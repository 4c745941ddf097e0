/** What the server is told to do: flags win over variables, and these over defaults. */
import type { z } from "zod";
import { modeFor } from "./repair_config.ts";
import { type Setting, type SettingName, settingRows, type settings } from "./settings.ts";
import { type Base, baseOf, originOf } from "./upstream/address.ts";

type Values = { readonly [Name in SettingName]: z.output<(typeof settings)[Name]["schema"]> };

/** The settings of a running server; times are in milliseconds. */
export interface Config extends Omit<Values, "upstream" | "upstreamOrigin" | "mode" | "bridgeModels"> {
  readonly upstream: Base;
  readonly mode: Values["mode"];
  readonly bridgeModels?: Values["bridgeModels"];
}

/** Texts by name: a process's environment, or the flags that were given. */
export type Texts = { readonly [name: string]: string | undefined };

/** Some settings cannot be used; `problems` has one line for each. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  constructor(readonly problems: readonly string[]) {
    super(problems.join("\n"));
  }
}

/**
 * Makes the configuration out of flags (by setting name) and the environment (by variable name).
 * Throws a `ConfigError` that names every bad setting at once.
 */
export function readConfig(flags: Texts = {}, environment: Texts = {}): Config {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  const sources: Partial<Record<SettingName, Source>> = {};
  for (const [name, setting] of settingRows) {
    const source = sourceOf(name, setting, flags, environment);
    if (source !== undefined) sources[name] = source;
  }
  const useOrigin = originWins(sources);
  if (useOrigin === undefined) {
    problems.push(
      "Cannot use both --upstream and --upstream-origin: they mean the same thing; keep one of them.",
    );
  }
  delete sources[useOrigin ? "upstream" : "upstreamOrigin"]; // what is not used need not be good
  for (const [name, setting] of settingRows) {
    const source = sources[name];
    if (source === undefined) continue;
    const read = setting.schema.safeParse(source.text);
    if (read.success) values[name] = read.data;
    else problems.push(refusal(source, setting, read.error.issues[0]));
  }
  if (problems.length > 0) throw new ConfigError(problems);

  const { upstream, upstreamOrigin, mode, ...rest } = values as Values & {
    readonly mode: Values["mode"] | undefined;
  };
  const base = useOrigin ? originOf(upstreamOrigin) : baseOf(upstream);
  return { ...rest, upstream: base, mode: mode ?? modeFor(new URL(base.origin).hostname) };
}

/** Which of the two ways to name the upstream counts: a flag wins; of two variables, the one with the whole address. */
function originWins({ upstream, upstreamOrigin }: Partial<Record<SettingName, Source>>): boolean | undefined {
  const [base, origin] = [upstream?.rank ?? 0, upstreamOrigin?.rank ?? 0];
  return base === 2 && origin === 2 ? undefined : origin > base;
}

/** Where a setting's text comes from. */
interface Source {
  readonly text: string;
  /** The flag or variable, as the user knows it. */
  readonly from: string;
  /** Flags (2) win over variables (1), and these over defaults (0). */
  readonly rank: number;
}

function sourceOf(name: SettingName, setting: Setting, flags: Texts, environment: Texts): Source | undefined {
  const flag = flags[name];
  if (flag !== undefined) return { text: flag, from: setting.flag, rank: 2 };
  // An empty variable is how Compose files and shells write "not set".
  const variable = environment[setting.variable]?.trim();
  if (variable || (variable === "" && setting.mayBeEmpty)) {
    return { text: variable, from: setting.variable, rank: 1 };
  }
  if (setting.default === undefined) return undefined;
  return { text: setting.default, from: `the default of ${setting.flag}`, rank: 0 };
}

function refusal(source: Source, setting: Setting, issue: z.core.$ZodIssue | undefined): string {
  const shown = source.text.replace(/\/\/[^/@]*@/, "//…@"); // a password does not belong on a screen
  const because = issue?.code === "custom" ? ` ${issue.message};` : "";
  return `Cannot use ${source.from} ${JSON.stringify(shown)}:${because} allowed: ${setting.allowed}.`;
}
