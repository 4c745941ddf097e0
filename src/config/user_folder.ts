/** Where a user's own settings are. */
import { join } from "node:path";
import process from "node:process";

/** The folder of a user's own settings; undefined when it is not known or not to be known. */
export function userFolder(): string | undefined {
  const [own, app, ...homes] = ["XDG_CONFIG_HOME", "APPDATA", "HOME", "USERPROFILE"].map(readVariable);
  if (own) return join(own, "callmend");
  if (process.platform === "win32" && app) return join(app, "callmend");
  const home = homes.find(Boolean);
  return home && join(home, ".config", "callmend");
}

/** A variable; undefined as well when this process may not read it. */
export function readVariable(name: string): string | undefined {
  try {
    return process.env[name];
  } catch {
    return undefined;
  }
}
