/** The OpenCode plugin: mends the answers that OpenCode's own providers get, without a proxy. */
import { dirname } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { ConfigError, readConfig, type Texts } from "./config.ts";
import { type InsideOptions, settingsOf } from "./inside_options.ts";
import { createDebugLog, type DebugLog } from "./observe/debug_log.ts";
import { userFolder } from "./config/user_folder.ts";
import { hostMatcher, hostsIn, isHost, type Patched, patchFetch } from "./plugin_patch.ts";
import { type Fetch, repair } from "./repair.ts";
import { settingRows } from "./settings/settings.ts";
import { version } from "./version.ts";
import type { Watch } from "./wire/watcher.ts";
import { wrapFetch } from "./wrap_fetch.ts";

/** The hosts whose answers are mended when nothing else is said. */
const HOSTS = "nano-gpt.com";

/** What OpenCode hands to a plugin, as far as it is used here. */
interface PluginInput {
  readonly client?: { readonly app?: { log?(options: { body: LogLine }): unknown } };
}

interface LogLine {
  readonly service: string;
  readonly level: "info" | "warn";
  readonly message: string;
}

/** The second element of an entry of `plugin` in opencode.json. */
interface PluginOptions extends InsideOptions {
  /** Instead of `CALLMEND_HOSTS`. */
  readonly hosts?: string | readonly string[];
}

/** What OpenCode gets from a plugin. */
interface Hooks {
  dispose(): Promise<void>;
}

// Loaders of OpenCode call each function that is exported, a function once, and refuse any other value.
/** The plugin. */
export const Callmend = (input?: PluginInput, options?: PluginOptions): Promise<Hooks> => {
  const { hosts, ...rest } = options ?? {};
  const tell = (level: LogLine["level"], message: string) =>
    say(input, { service: "callmend", level, message });
  const warn = (problem: string) => tell("warn", problem);
  const list = hostsFrom(hosts, warn);
  const debug = debugLog(warn);
  const patched: Patched = patchFetch(
    hostMatcher(list),
    (fetch) => wrapFetch(fetch, (next) => byHost(next, rest, debug.watch(), warn)),
  );
  if (patched.first) {
    const announcement = `Callmend ${version} mends tool calls in answers from ${
      list.join(", ") || "no host"
    }`;
    tell("info", announcement);
    debug.event(announcement);
  }
  return Promise.resolve({ dispose: () => Promise.resolve(patched.release()) });
};

export default Callmend;

/** The hosts whose answers are mended. What cannot be used is told, and left out. */
function hostsFrom(given: unknown, warn: (problem: string) => void): string[] {
  const bad = (value: unknown) =>
    warn(
      `Cannot use the host ${
        JSON.stringify(value)
      }: allowed: a host's name as openrouter.ai, without http://, ` +
        "port and path, or *.example.com for all below it.",
    );
  const usual = process.env.CALLMEND_HOSTS || HOSTS;
  const isList = typeof given === "string" || Array.isArray(given);
  if (!isList && given != null) bad(given);
  const entries: readonly unknown[] = [isList ? given : usual].flat();
  return entries.flatMap((entry) => typeof entry === "string" ? hostsIn(entry) : [entry]).filter(
    (host): host is string => {
      const good = typeof host === "string" && isHost(host);
      if (!good) bad(host);
      return good;
    },
  );
}

/** The flag file may lie beside this file, in the folder above (`dist/` is a folder of the repository), or with the user's settings. */
function debugLog(tell: (line: string) => void): DebugLog {
  const own = dirname(fileURLToPath(import.meta.url));
  const flagFolders = [own, dirname(own), userFolder()].filter((folder) => folder !== undefined);
  return createDebugLog({ door: "plugin", environment: process.env, flagFolders, tell });
}

/** One pipeline for each host: the mode may depend on it, and what is remembered of answers is its own. */
function byHost(
  next: Fetch,
  options: InsideOptions,
  watch: Watch,
  warn: (problem: string) => void,
): Fetch {
  const variables = settingRows.filter(([, { server }]) => !server)
    .map(([, { variable }]) => [variable, process.env[variable]] as const);
  const given = guarded(() => settingsOf(options), {}, warn);
  const pipelines = new Map<string, Fetch>();
  return (request) => {
    const { origin, host } = new URL(request.url);
    let pipeline = pipelines.get(host);
    if (pipeline === undefined) {
      const read = (environment: Texts) => readConfig({ upstream: origin }, environment);
      const good = variables.filter(([name, text]) =>
        guarded(() => read({ [name]: text }), undefined, warn) !== undefined
      );
      pipeline = repair(next, { ...read(Object.fromEntries(good)), ...given }, watch);
      pipelines.set(host, pipeline);
    }
    return pipeline(request);
  };
}

/** A plugin that fails would leave OpenCode without it: what cannot be used is told, and left out. */
function guarded<Value>(read: () => Value, instead: Value, warn: (problem: string) => void): Value {
  try {
    return read();
  } catch (error) {
    (error instanceof ConfigError ? error.problems : [(error as Error).message]).forEach(warn);
    return instead;
  }
}

/** A line in OpenCode's log. It is not waited for: OpenCode itself may be waiting for this plugin. */
function say({ client }: PluginInput = {}, body: LogLine): void {
  const log = async () => await client?.app?.log?.({ body });
  log().catch(() => {}); // a log that fails is no reason to fail
}
