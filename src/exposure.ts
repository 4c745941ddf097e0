/** Whether strangers could use a server: where it listens, and for whom. */
import type { Config } from "./config.ts";
import { settings } from "./settings/settings.ts";

/** Whether a host, by name or by address, is this machine only. */
export function isLoopbackHost(host: string): boolean {
  return /^(?:localhost|(?:::ffff:)?127(?:\.\d{1,3}){3}|::1|(?:0+:){7}0*1)$/i.test(host);
}

/** Why a server with these settings must not start: strangers could use it; undefined when it may. */
export function exposure(
  { host, clientKeys, insecure }: Pick<Config, "host" | "clientKeys" | "insecure">,
): string | undefined {
  if (isLoopbackHost(host) || clientKeys.length > 0 || insecure) return undefined;
  const { clientKeys: keys } = settings;
  return `Cannot listen on ${host}: other machines could use it without a key. Set ${keys.variable} ` +
    `(${keys.flag}; auth.keys in the file), listen on 127.0.0.1, or allow it with ${settings.insecure.flag} ` +
    `(${settings.insecure.variable}=1; auth.insecure in the file).`;
}
