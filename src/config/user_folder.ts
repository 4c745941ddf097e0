/** Where a user's own settings are. */
import { process } from "../process.ts";

/** The folder of a user's own settings; undefined when it is not known or not to be known. */
export function userFolder(): string | undefined {
  const [own, app, ...homes] = ["XDG_CONFIG_HOME", "APPDATA", "HOME", "USERPROFILE"].map(readVariable);
  if (own) return within(own, "callmend");
  if (process.platform === "win32" && app) return within(app, "callmend");
  const home = homes.find(Boolean);
  return home && within(home, ".config", "callmend");
}

/** A path below a folder. node:path is not worth its loading here. */
export function within(folder: string, ...names: readonly string[]): string {
  const separator = process.platform === "win32" ? "\\" : "/";
  return [folder.replace(/[/\\]$/, ""), ...names].join(separator);
}

/** A variable; undefined as well when this process may not read it. */
export function readVariable(name: string): string | undefined {
  try {
    return process.env[name];
  } catch {
    return undefined;
  }
}
