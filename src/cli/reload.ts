/** Applies changes of the configuration file while the server runs: a good one to new requests, a bad one not at all. */
import process from "node:process";
import { isatty } from "node:tty";
import { exposure } from "../exposure.ts";
import { type Config, ConfigError, type Texts } from "../config.ts";
import { watchFile } from "./file_watch.ts";
import type { Running } from "../server.ts";
import type { Context } from "./context.ts";
import { loadConfig } from "./load_config.ts";

/** What is read again: the file, with the flags that go with it. */
export interface Source {
  readonly path: string;
  /** What stood in it when it was read. */
  readonly text: string;
  readonly flags: Texts;
}

/** Whether a terminal shows what this process says. */
const onTerminal = () => [1, 2].some((descriptor) => isatty(descriptor));

/**
 * Follows the file from now on, and reads it at once on SIGHUP. The same signal says that the terminal has been closed
 * in which the server ran: nobody sees it any more, and `hungUp` ends it, as it would without a file.
 */
export function reloadOnChange(
  running: Running,
  { path, text, flags }: Source,
  context: Context,
  hungUp: () => void,
): void {
  const { environment } = context;
  const { log } = running;
  const changed = async (text: string) => {
    try {
      const { config } = await loadConfig(flags, environment, { path, text });
      apply(running, config);
      log.info(`${path} is applied to new requests`);
      for (const line of leftOut(running.config(), config)) log.warn(`${path}: ${line}`);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      for (const problem of error.problems) log.error(problem);
      log.error(`${path} cannot be used as it is now: what was read before stays in force`);
    }
  };
  const gone = (problem: string) =>
    log.error(`Cannot read ${path}: ${problem}. What was read before stays in force.`);
  const watch = watchFile(path, text, { changed, gone });
  const shown = onTerminal();
  process.on("SIGHUP", () => shown && !onTerminal() ? hungUp() : void watch.look());
}

/** What cannot change while the server runs, and where it stands in the file. */
const FIXED = [["host", "listen.host"], ["port", "listen.port"], ["logFormat", "log.format"]] as const;

/** Where it listens stays, so what strangers could use is judged by that. */
function apply(running: Running, config: Config): void {
  const { host, port, logFormat } = running.config();
  const kept = { ...config, host, port, logFormat };
  const exposed = exposure(kept);
  if (exposed !== undefined) throw new ConfigError([exposed]);
  running.apply(kept);
}

/** What has changed in the file and cannot while the server runs. */
function leftOut(now: Config, wanted: Config): string[] {
  return FIXED.filter(([name]) => now[name] !== wanted[name])
    .map(([name, place]) => `${place} ${wanted[name]} needs a restart; it is still ${now[name]}`);
}
