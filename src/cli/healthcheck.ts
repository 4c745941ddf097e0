/** `callmend healthcheck`: asks the running server whether it is well; for containers, which have no shell or curl. */
import { Option } from "commander";
import { ConfigError, readConfig, type Texts } from "../config.ts";
import type { ConfigFile } from "../config/config_file.ts";
import { loadConfigFile } from "../config/config_file.ts";
import { findConfigFile } from "../config/config_place.ts";
import { inUrl } from "../listen.ts";
import { settings } from "../settings/settings.ts";
import { localGet } from "./local_get.ts";
import { command, type Context, type MakeCommand } from "./command.ts";
import { tried } from "./load_config.ts";

/** Docker gives a check 30 seconds, Kubernetes one; a server on the same machine answers in a few milliseconds. */
const LIMIT_MS = 2_000;

export const makeHealthcheck: MakeCommand = (context) => {
  const made = command(
    "healthcheck",
    "ask the running server's /health; exit code 0 if it is well, 1 if not",
    [
      "callmend healthcheck",
      "callmend healthcheck --port 9000",
    ],
  );
  for (const { flag, placeholder, variable, default: usual } of [settings.host, settings.port]) {
    made.addOption(new Option(`${flag} ${placeholder}`, `as for serve (${variable}; default: ${usual})`));
  }
  return made.action((given: Texts) => healthcheck(given, context));
};

async function healthcheck(given: Texts, context: Context): Promise<void> {
  const { [settings.host.variable]: PROXY_HOST, [settings.port.variable]: PROXY_PORT } = context.environment;
  // The other settings are the server's business.
  const config = tried(() => readConfig(given, { PROXY_HOST, PROXY_PORT }, fileOf(context)), context);
  if (config === undefined) return;
  const address = `http://${inUrl(reachable(config.host))}:${config.port}/health`;
  try {
    context.print(`${address}: callmend ${versionIn(await localGet(address, LIMIT_MS))} is well`);
    context.exit(0);
  } catch (error) {
    context.log(`Cannot call it healthy: ${address}: ${(error as Error).message}`);
    context.exit(1);
  }
}

/** The server's file, for where it listens. A bad one is the server's business: it goes on with the one before. */
function fileOf({ environment }: Context): ConfigFile | undefined {
  try {
    const path = findConfigFile({}, environment);
    return path === undefined ? undefined : loadConfigFile(path, environment);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return undefined;
  }
}

/** "All addresses" can be listened on, but not be asked. */
function reachable(host: string): string {
  if (/^0+(\.0+){0,3}$/.test(host)) return "127.0.0.1";
  return /^[0:]+$/.test(host) ? "::1" : host;
}

/** The version that a healthy Callmend tells; any other server on that port is not what was asked for. */
function versionIn({ status, body }: { status: number; body: string }): string {
  if (status !== 200) throw new Error(`status ${status}`);
  try {
    const { ok, version } = JSON.parse(body) as { ok?: unknown; version?: unknown };
    if (ok === true && typeof version === "string") return version;
  } catch {
    // said below
  }
  throw new Error("what answers there is not Callmend");
}
