/** `callmend serve`, the default command: runs the proxy until it is told to stop. */
import process from "node:process";
import type { Config } from "../config.ts";
import { ListenError } from "../listen.ts";
import { createDebugLog, type DebugLog } from "../observe/debug_log.ts";
import { userFolder } from "../config/user_folder.ts";
import { createObservation, type Observation } from "../observe/observation.ts";
import { type Running, serve } from "../server.ts";
import { settingRows } from "../settings/settings.ts";
import { addressOf } from "../upstream/address.ts";
import { version } from "../version.ts";
import { command, type Context, type MakeCommand } from "./command.ts";
import { reloadOnChange } from "./reload.ts";
import { startIsOver } from "./start.ts";
import { addSettings, type GivenFlags, loadConfig, tried } from "./setting_options.ts";

export const makeServe: MakeCommand = (context) => {
  const made = command("serve", "run the proxy (the default command)", [
    "callmend serve --upstream https://openrouter.ai/api/v1 --port 9000",
    "UPSTREAM_URL=http://127.0.0.1:8000 callmend",
  ]);
  const flagsOf = addSettings(made);
  return made.action((given: GivenFlags) => {
    const flags = flagsOf(given);
    const loaded = tried(() => loadConfig(flags, context.environment), context);
    if (loaded === undefined) return;
    const { config, file } = loaded;
    const running = start(config, context);
    if (running === undefined) return;
    context.print(`callmend ${version} listening on ${running.address} -> ${inFrontOf(config)}`);
    if (file !== undefined) reloadOnChange(running, { ...file, flags }, context);
    stopOnSignal(running, context);
    startIsOver();
  });
};

/** What a server stands in front of. */
function inFrontOf({ upstreams }: Config): string {
  const told = upstreams.map(({ upstream, mode }) => `${addressOf(upstream)} (mode ${mode})`);
  if (told.length === 1) return told[0]!;
  return `${told.length} upstreams: ${upstreams.map(({ name }, n) => `${name} ${told[n]}`).join(", ")}`;
}

/** Starts the proxy; tells what to change and ends the process when its address cannot be had. */
export function start(config: Config, context: Context): Running | undefined {
  try {
    return serve(config, observe(config, context));
  } catch (error) {
    if (!(error instanceof ListenError)) throw error;
    context.log(error.message);
    context.exit(1);
  }
}

/** The server's eyes: what they write goes to standard error, for people on a terminal and for programs elsewhere. */
function observe(config: Config, context: Context): Observation {
  const terminal = process.stderr.isTTY === true;
  const format = config.logFormat === "auto" ? terminal ? "text" : "json" : config.logFormat;
  const colour = terminal && !context.environment.NO_COLOR;
  const traced = "Deno" in globalThis && /^(?:1|true)$/i.test(context.environment.OTEL_DENO ?? "");
  return createObservation(config, { format, colour, write: context.log, debug: debugLog(context), traced });
}

/** The server's debug logs: not written unless a variable or the flag file says so. */
function debugLog({ environment, log: tell }: Context): DebugLog {
  const flagFolders = [".", userFolder()].filter((folder) => folder !== undefined);
  return createDebugLog({ door: "server", environment, flagFolders, tell });
}

/** One Ctrl-C comes twice under `deno task` and npx: from the terminal, and handed on by them. */
const SAME_SIGNAL_MS = 500;

/** The first SIGTERM or SIGINT lets running answers end; a second one does not wait. */
export function stopOnSignal(running: Running, context: Context): void {
  let last = 0; // when a signal came last
  const stop = async (signal: string) => {
    const [before, now] = [last, Date.now()];
    last = now;
    if (before !== 0) return now - before < SAME_SIGNAL_MS ? undefined : context.exit(1);
    const { drainTimeoutMs } = running.config();
    running.log.info(`${signal}: no new requests; running answers have ${drainTimeoutMs / 1000} s to end`);
    if (!await running.drain()) {
      running.log.warn("Some answers had to be cut off; --drain-timeout gives them longer.");
    }
    context.exit(0);
  };
  process.on("SIGTERM", stop).on("SIGINT", stop);
}

/** The table of settings, for the program's `--help`. */
export function settingsHelp(): string {
  const rows = settingRows.map(([, { flag, placeholder, variable, means, example, ...setting }]) => [
    `  ${flag} ${placeholder}`.trimEnd(),
    `      ${means}`,
    `      ${variable}; default: ${setting.default ?? "none"}; example: ${
      placeholder === "" ? `${variable}=${example}` : `${flag} ${example}`
    }`,
  ]);
  return ["Settings of serve (a flag wins over its variable, and this over the file):", ...rows.flat()].join(
    "\n",
  );
}
