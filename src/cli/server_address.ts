/** Where the server of this machine is, for commands that ask it. */
import { ConfigError, readConfig, type Texts } from "../config.ts";
import { type ConfigFile, loadConfigFile } from "../config/config_file.ts";
import { findConfigFile } from "../config/config_place.ts";
import { inUrl } from "../listen.ts";
import { settings } from "../settings/settings.ts";
import type { Context } from "./context.ts";
import { tried } from "./load_config.ts";

/**
 * The address that flags, variables and the configuration file make the server listen on, as it can be asked. Undefined
 * when one of them cannot be used: that has been told, and ends the process.
 */
export function serverAddress(flags: Texts, context: Context): string | undefined {
  const { [settings.host.variable]: PROXY_HOST, [settings.port.variable]: PROXY_PORT } = context.environment;
  // The other settings are the server's business.
  const config = tried(() => readConfig(flags, { PROXY_HOST, PROXY_PORT }, fileOf(context)), context);
  return config && `http://${inUrl(reachable(config.host))}:${config.port}`;
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
