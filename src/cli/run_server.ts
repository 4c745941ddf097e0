/** The proxy as a process: from its settings to a server that runs until a signal ends it. */
import type { Config, Texts } from "../config.ts";
import { ListenError } from "../listen.ts";
import type { LogStyle } from "../observe/log.ts";
import { process } from "../process.ts";
import { type Running, serve } from "../server.ts";
import { addressOf } from "../upstream/address.ts";
import { version } from "../version.ts";
import type { Context } from "./context.ts";
import { loadConfig, refuse } from "./load_config.ts";

/** Starts the proxy with these flags; tells what cannot be used, and ends the process then. */
export async function runServer(flags: Texts, context: Context): Promise<void> {
  const loaded = await loadConfig(flags, context.environment).catch((error) => refuse(error, context));
  if (loaded === undefined) return;
  const { config, file } = loaded;
  const running = start(config, context);
  if (running === undefined) return;
  const stop = stopOnSignal(running, context);
  if (file !== undefined) {
    const { reloadOnChange } = await import("./reload.ts");
    reloadOnChange(running, { ...file, flags }, context, () => void stop("SIGHUP"));
  }
  // Whoever waits for this line may send a signal at once.
  context.print(`callmend ${version} listening on ${running.address} -> ${inFrontOf(config)}`);
}

/** What a server stands in front of. */
function inFrontOf({ upstreams }: Config): string {
  const told = upstreams.map(({ upstream, mode }) => `${addressOf(upstream)} (mode ${mode})`);
  if (told.length === 1) return told[0]!;
  return `${told.length} upstreams: ${upstreams.map(({ name }, n) => `${name} ${told[n]}`).join(", ")}`;
}

/** Starts the proxy; tells what to change and ends the process when its address cannot be had. */
export function start(config: Config, context: Context): Running | undefined {
  try {
    return serve(config, {
      log: { style: () => styleFor(config, context), write: context.log },
      open: async (config, log) => (await import("./open_handler.ts")).openHandler(config, log, context),
    });
  } catch (error) {
    if (!(error instanceof ListenError)) throw error;
    context.log(error.message);
    context.exit(1);
  }
}

/** The log is on standard error: for people where that is a terminal, else for programs. */
function styleFor({ logFormat }: Config, { environment }: Context): LogStyle {
  const terminal = process.stderr.isTTY === true; // takes a tenth of the start to find out
  if (logFormat === "json" || (logFormat === "auto" && !terminal)) return "json";
  return terminal && !environment.NO_COLOR ? "coloured" : "text";
}

/** One Ctrl-C comes twice under `deno task` and npx: from the terminal, and handed on by them. */
const SAME_SIGNAL_MS = 500;

/** The first SIGTERM or SIGINT lets running answers end; a second one does not wait. Gives what they do. */
export function stopOnSignal(running: Running, context: Context): (signal: string) => Promise<void> {
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
  return stop;
}
