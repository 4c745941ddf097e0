/** The configuration that flags, the environment and the file make. */
import { exposure } from "../exposure.ts";
import { ConfigError, settle, type Settled, type Texts } from "../config.ts";
import { mayHaveFile } from "../config/usual_places.ts";
import { BAD_USAGE, type Context } from "./context.ts";

/** A configuration file's path and what stands in it. */
export interface FileText {
  readonly path: string;
  readonly text: string;
}

/** The settings in force, and the file that they come from, if there is one. */
export interface Loaded extends Settled {
  readonly file: FileText | undefined;
}

/**
 * Reads flags, environment and file, the one that counts when none is given. Rejects with a `ConfigError` that has all
 * that is wrong, also when strangers could use what is not protected.
 */
export async function loadConfig(
  flags: Texts,
  environment: Texts,
  given?: FileText,
): Promise<Loaded> {
  const file = given ?? await findText(flags, environment);
  const read = file &&
    (await import("../config/config_file.ts")).readConfigFile(file.path, file.text, environment);
  const settled = settle(flags, environment, read);
  const exposed = exposure(settled.config);
  if (exposed !== undefined) throw new ConfigError([exposed]);
  return { ...settled, file };
}

async function findText(flags: Texts, environment: Texts): Promise<FileText | undefined> {
  if (!await mayHaveFile(flags, environment)) return undefined;
  const { configText, findConfigFile } = await import("../config/config_place.ts");
  const path = findConfigFile(flags, environment);
  return path === undefined ? undefined : { path, text: configText(path) };
}

/** For a command: tells all that is wrong with the settings, and ends the process. What is no such fault is thrown on. */
export function refuse(error: unknown, { log, exit }: Context): undefined {
  if (!(error instanceof ConfigError)) throw error;
  error.problems.forEach(log);
  log("(callmend serve --help lists all settings)");
  exit(BAD_USAGE);
}

/** What is made of settings; undefined when they were refused. */
export function tried<Made>(make: () => Made, context: Context): Made | undefined {
  try {
    return make();
  } catch (error) {
    return refuse(error, context);
  }
}
