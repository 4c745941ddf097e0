/** Where the configuration file is, and what it says. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { relative, resolve } from "node:path";
import { ConfigError, type Texts } from "../settings/setting.ts";
import { settings } from "../settings/settings.ts";
import { readVariable } from "./user_folder.ts";
import { namedFile, usualPlaces } from "./usual_places.ts";

/**
 * The path of the file that counts: the one that a flag or a variable names, else the first of the usual places that
 * has one; undefined when there is none. Throws a `ConfigError` when the one that is named is not there.
 */
export function findConfigFile(flags: Texts, environment: Texts): string | undefined {
  const named = namedFile(flags, environment);
  if (named === undefined) return usualPlaces().find(isFile);
  // A task runs in the repository, whatever folder it was started in.
  const started = relative(".", resolve(readVariable("INIT_CWD") || ".", named));
  const found = [named, started].find(isFile);
  if (found !== undefined) return found;
  const { flag, variable } = settings.configFile;
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
