/** Where each setting's value comes from: a flag, a variable, the file or a default; the first that there is wins. */
import type { FileSettings, FileValue } from "./config_file.ts";
import { ConfigError, hidden, Refused, shownAddress, type Texts } from "../settings/setting.ts";
import { type Setting, type SettingName, settingRows } from "../settings/settings.ts";

/** A value, and where it comes from. */
export interface Source {
  readonly value: unknown;
  /** The flag or variable, as the user knows it, or the line of the file. */
  readonly from: string;
  /** Flags (3) win over variables (2), these over the file (1), and the file over defaults (0). */
  readonly rank: 0 | 1 | 2 | 3;
}

/** The sources that count, by setting. */
export type Sources = { readonly [Name in SettingName]?: Source };

/**
 * What flags (by setting name), variables (by variable name) and defaults say, without what is not used.
 * Throws a `ConfigError` that names every bad one at once.
 */
export function readTexts(flags: Texts, environment: Texts): Sources {
  const problems: string[] = [];
  const texts = new Map<SettingName, TextSource>();
  for (const [name, setting] of settingRows) {
    const source = textOf(name, setting, flags, environment);
    if (source !== undefined) texts.set(name, source);
  }
  const useOrigin = originWins(texts);
  if (useOrigin === undefined) {
    problems.push(
      "Cannot use both --upstream and --upstream-origin: they mean the same thing; keep one of them.",
    );
  }
  texts.delete(useOrigin ? "upstream" : "upstreamOrigin"); // what is not used need not be good
  const sources: { [Name in SettingName]?: Source } = {};
  for (const [name, setting] of settingRows) {
    const source = texts.get(name);
    if (source === undefined) continue;
    const { text, from, rank } = source;
    const value = setting.read(text);
    if (value instanceof Refused) problems.push(refusal(source, setting, value));
    else sources[name] = { value, from, rank };
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return sources;
}

/** Which of the two ways to name the upstream counts: a flag wins; of two variables, the one with the whole address. */
function originWins(texts: ReadonlyMap<SettingName, TextSource>): boolean | undefined {
  const [base, origin] = [texts.get("upstream")?.rank ?? 0, texts.get("upstreamOrigin")?.rank ?? 0];
  return base === 3 && origin === 3 ? undefined : origin > base;
}

/** A setting's text, before it is read. */
interface TextSource {
  readonly text: string;
  readonly from: string;
  readonly rank: Source["rank"];
}

function textOf(
  name: SettingName,
  setting: Setting,
  flags: Texts,
  environment: Texts,
): TextSource | undefined {
  const flag = flags[name];
  if (flag !== undefined) return { text: flag, from: setting.flag, rank: 3 };
  // An empty variable is how Compose files and shells write "not set".
  const variable = environment[setting.variable]?.trim();
  if (variable || (variable === "" && setting.mayBeEmpty)) {
    return { text: variable, from: setting.variable, rank: 2 };
  }
  if (setting.default === undefined) return undefined;
  return { text: setting.default, from: `the default of ${setting.flag}`, rank: 0 };
}

function refusal(source: TextSource, setting: Setting, { why }: Refused): string {
  const shown = setting.secret ? hidden(source.text) : JSON.stringify(shownAddress(source.text));
  const because = why === undefined ? "" : ` ${why};`;
  return `Cannot use ${source.from} ${shown}:${because} allowed: ${setting.allowed}.`;
}

/** For each setting the source that wins; of the file's parts the first that has it. */
export function layered(given: Sources, ...parts: readonly (FileSettings | undefined)[]): Sources {
  return Object.fromEntries(settingRows.flatMap(([name]) => {
    const own = given[name];
    if ((own?.rank ?? 0) > 1) return [[name, own!]];
    const there = parts.map((part) => part?.get(name)).find((value) => value !== undefined);
    const source = there === undefined ? own : fromFile(there);
    return source === undefined ? [] : [[name, source]];
  }));
}

/** A value of the file as a source. */
export function fromFile({ value, at }: FileValue): Source {
  return { value, from: at, rank: 1 };
}
