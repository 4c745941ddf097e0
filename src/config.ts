/** What the server is told to do: flags win over variables, these over the file, and the file over defaults. */
import type { ConfigFile, FileSettings, FileUpstream } from "./config/config_file.ts";
import { fromFile, layered, readTexts, type Source, type Sources } from "./config/config_sources.ts";
import { modeFor } from "./repair_config.ts";
import { ConfigError, hidden, type Refused, type Texts } from "./settings/setting.ts";
import { type Setting, type SettingName, settingRows, settings } from "./settings/settings.ts";
import { addressOf, type Base, baseOf, originOf } from "./upstream/address.ts";

export { ConfigError, type Texts };

type Values = {
  readonly [Name in SettingName]: Exclude<ReturnType<(typeof settings)[Name]["read"]>, Refused>;
};

/** The settings of which each upstream may have its own. */
type EntryName = {
  [Name in SettingName]: (typeof settings)[Name] extends { readonly entry: string } ? Name : never;
}[SettingName];

/** The settings that may be left out and have no default. */
type Optional = "upstreamKey" | "bridgeModels" | "dialects" | "captureFolder";

type Part<Name extends SettingName> =
  & Pick<Values, Exclude<Name, Optional>>
  & Partial<Pick<Values, Extract<Name, Optional>>>;

/** What one upstream is, and how it is treated; times are in milliseconds. */
export interface UpstreamSettings extends Part<EntryName> {
  /** What it is called: `name/model` asks it for a model. */
  readonly name: string;
  readonly upstream: Base;
  /** The models that are asked for here, as patterns; undefined: all that no other upstream has. */
  readonly models?: readonly string[] | undefined;
  /** Other names for its models. */
  readonly aliases: { readonly [alias: string]: string };
}

type ServerName = Exclude<SettingName, EntryName | "configFile" | "upstream" | "upstreamOrigin">;

/** The settings of a running server; what belongs to an upstream is that of the first, which mostly is the only one. */
export interface Config extends Part<ServerName>, Part<EntryName> {
  readonly upstream: Base;
  /** At least one. */
  readonly upstreams: readonly UpstreamSettings[];
}

/** A value in force. */
export interface Told {
  /** Where it stands in a file: `listen.port`, `upstreams[local].mode`. */
  readonly place: string;
  /** The value, as a file has it; a secret only says how long it is. */
  readonly value: unknown;
  /** Where it comes from: a flag, a variable, a line of the file, or the default. */
  readonly source: string;
}

/**
 * Makes the configuration out of flags (by setting name), the environment (by variable name) and a file.
 * Throws a `ConfigError` that names every bad setting at once.
 */
export function readConfig(flags: Texts = {}, environment: Texts = {}, file?: ConfigFile): Config {
  return settle(flags, environment, file).config;
}

/** A configuration, with the source of each value. */
export interface Settled {
  readonly config: Config;
  /** All that is in force; made when it is asked for. */
  readonly told: () => readonly Told[];
}

/** Like `readConfig()`, and says where each value comes from. */
export function settle(flags: Texts, environment: Texts, file?: ConfigFile): Settled {
  const all = readTexts(flags, environment);
  const entries = entriesOf(all, file);
  const given = entries.length === 1 ? all : withoutKey(all, file!.path);
  const made = entries.map((entry) => {
    const sources = layered(given, entry.own, file?.settings);
    const { name, address, models, aliases } = entry;
    const base = address.value as Base;
    const values = valuesOf(sources, perUpstream) as Part<EntryName>;
    const mode = values.mode ?? modeFor(new URL(base.origin).hostname);
    const one: UpstreamSettings = { ...values, mode, name, upstream: base, models, aliases };
    return { one, told: () => toldOfUpstream(one, address, sources) };
  });
  const top = layered(given, file?.settings);
  const { name: _, models: __, aliases: ___, ...first } = made[0]!.one;
  const server = valuesOf(top, (setting) => !perUpstream(setting) && setting.place !== undefined);
  const config = { clientKeys: [], ...server, ...first, upstreams: made.map(({ one }) => one) };
  refuseUnused(config as unknown as Config);
  const told = () => [
    ...settingRows.filter(([, setting]) => !perUpstream(setting) && setting.place !== undefined)
      .map(([name, setting]) => toldOf(setting.place!, setting, top[name])),
    ...made.flatMap(({ told }) => told()),
  ];
  return { config: config as unknown as Config, told };
}

/** Something was asked for that would silently do nothing. */
function refuseUnused({ captures, captureFolder: folder }: Config): void {
  if (captures > 0 || folder === undefined) return;
  const { captures: number, captureFolder } = settings;
  throw new ConfigError([
    `Cannot use ${captureFolder.flag} ${
      JSON.stringify(folder)
    } with ${number.flag} 0: nothing is captured then. ` +
    `Take one of them away (${captureFolder.variable}, ${number.variable}; capture in the file).`,
  ]);
}

function perUpstream({ entry }: Setting): boolean {
  return entry !== undefined;
}

function valuesOf(sources: Sources, wanted: (setting: Setting) => boolean): { [name: string]: unknown } {
  return Object.fromEntries(settingRows.flatMap(([name, setting]) => {
    const source = sources[name];
    return source !== undefined && wanted(setting) ? [[name, source.value]] : [];
  }));
}

/** An upstream, before its settings are put together. */
interface Entry extends Pick<UpstreamSettings, "name" | "aliases" | "models"> {
  readonly address: Source;
  readonly own?: FileSettings;
}

/** The file's upstreams; a flag or variable that names one stands for all of them. */
function entriesOf({ upstream, upstreamOrigin }: Sources, file: ConfigFile | undefined): Entry[] {
  const named = upstreamOrigin ?? upstream!;
  if (file?.upstreams !== undefined && named.rank < 2) return file.upstreams.map(entryOf);
  const url = named.value as URL;
  const address = { ...named, value: upstreamOrigin === undefined ? baseOf(url) : originOf(url) };
  return [{ name: url.host, address, aliases: {} }];
}

function entryOf({ name, baseUrl, models, aliases, settings }: FileUpstream): Entry {
  const address = { ...fromFile(baseUrl), value: baseOf(baseUrl.value as URL) };
  return { name, address, models, aliases, own: settings };
}

/** Of several upstreams none gets a key that was not written for it. */
function withoutKey({ upstreamKey, ...rest }: Sources, path: string): Sources {
  if (upstreamKey?.rank !== 3) return rest;
  throw new ConfigError([
    `Cannot use ${settings.upstreamKey.flag}: ${path} has several upstreams, and all of them would get the key. ` +
    "Write a key into each entry.",
  ]);
}

/** What is in force at an upstream. */
function toldOfUpstream(one: UpstreamSettings, address: Source, sources: Sources): Told[] {
  const { name, upstream, models, aliases } = one;
  const at = (place: string) => `upstreams[${name}].${place}`;
  const { from } = address;
  const list = [
    ...(models === undefined ? [] : [{ place: at("models"), value: models, source: from }]),
    ...(Object.keys(aliases).length === 0 ? [] : [{ place: at("aliases"), value: aliases, source: from }]),
  ];
  const source = sourceOf(address);
  return [
    { place: at("baseUrl"), value: addressOf(upstream), source },
    ...settingRows.filter(([, setting]) => perUpstream(setting)).map(([name, setting]) =>
      toldOf(at(setting.entry!), setting, sources[name] ?? (name === "mode" ? usual(one.mode) : undefined))
    ),
    ...list,
  ];
}

function toldOf(place: string, { written, secret }: Setting, source: Source | undefined): Told {
  if (source === undefined) return { place, value: null, source: "default" };
  const value = written(source.value);
  const shown = (part: unknown) => hidden(String(part));
  const safe = Array.isArray(value) ? value.map(shown) : shown(value);
  return { place, value: secret ? safe : value, source: sourceOf(source) };
}

function usual(value: unknown): Source {
  return { value, from: "", rank: 0 };
}

function sourceOf({ from, rank }: Source): string {
  return [`default`, from, `variable ${from}`, `flag ${from}`][rank]!;
}
