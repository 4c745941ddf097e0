/** Where the configuration file is, and what it says. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { readVariable, userFolder } from "./user_folder.ts";
import { ConfigError, type Texts } from "../settings/setting.ts";
import { settings } from "../settings/settings.ts";

/** What the file is called where nobody has named one. */
export const CONFIG_NAME = "callmend.jsonc";

/** Where a file is looked for when none is named. */
export function usualPlaces(): string[] {
  const folder = userFolder();
  return [CONFIG_NAME, ...(folder === undefined ? [] : [join(folder, CONFIG_NAME)])];
}

/**
 * The path of the file that counts: the one that a flag or a variable names, else the first of the usual places that
 * has one; undefined when there is none. Throws a `ConfigError` when the one that is named is not there.
 */
export function findConfigFile(flags: Texts, environment: Texts): string | undefined {
  const { flag, variable } = settings.configFile;
  const named = flags.configFile ?? (environment[variable]?.trim() || undefined);
  if (named === undefined) return usualPlaces().find(isFile);
  // A task runs in the repository, whatever folder it was started in.
  const started = relative(".", resolve(readVariable("INIT_CWD") || ".", named));
  const found = [named, started].find(isFile);
  if (found !== undefined) return found;
  const from = flags.configFile === undefined ? variable : flag;
  throw new ConfigError([`Cannot use ${from} ${JSON.stringify(named)}: there is no such file.`]);
}

/** What stands in the file at `path`. Throws a `ConfigError` when it cannot be read. */
export function configText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new ConfigError([`Cannot read ${path}: ${(error as Error).message}.`]);
  }
}

/** Whether there is a file, as far as this process may look. */
function isFile(path: string): boolean {
  try {
    return existsSync(path) && !statSync(path).isDirectory();
  } catch {
    return false;
  }
}
