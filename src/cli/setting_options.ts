/** The settings as flags of a command, and the configuration that they, the environment and the file make. */
import { type Command, Option } from "commander";
import { exposure } from "../access.ts";
import { ConfigError, settle, type Settled, type Texts } from "../config.ts";
import { readConfigFile } from "../config/config_file.ts";
import { configText, findConfigFile } from "../config/config_place.ts";
import { settingRows } from "../settings/settings.ts";
import { BAD_USAGE, type Context } from "./command.ts";

/** What a command was given, by the flag's name in Commander. */
export type GivenFlags = { readonly [flag: string]: string | boolean | undefined };

/** Gives a command all settings as flags; the function it returns has what was given by the setting's name. */
export function addSettings(made: Command): (given: GivenFlags) => Texts {
  const options = settingRows.map(([name, setting]) => {
    const { flag, placeholder, variable, means, example, repeatable } = setting;
    const shown = `${means} (${variable}; example: ${example})`;
    const option = new Option(placeholder === "" ? flag : `${flag} ${placeholder}`, shown);
    if (repeatable) {
      option.argParser((value, before?: string) => before === undefined ? value : `${before},${value}`);
    }
    made.addOption(option);
    return { name, key: option.attributeName() };
  });
  return (given) =>
    Object.fromEntries(options.map(({ name, key }) => {
      const value = given[key];
      return [name, typeof value === "boolean" ? String(value) : value];
    }));
}

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
 * Reads flags, environment and file, the one that counts when none is given. Throws a `ConfigError` with all that is
 * wrong, and when strangers could use what is not protected.
 */
export function loadConfig(
  flags: Texts,
  environment: Texts,
  file: FileText | undefined = findText(flags, environment),
): Loaded {
  const read = file && readConfigFile(file.path, file.text, environment);
  const settled = settle(flags, environment, read);
  const exposed = exposure(settled.config);
  if (exposed !== undefined) throw new ConfigError([exposed]);
  return { ...settled, file };
}

function findText(flags: Texts, environment: Texts): FileText | undefined {
  const path = findConfigFile(flags, environment);
  return path === undefined ? undefined : { path, text: configText(path) };
}

/** The same for a command: tells all that is wrong and ends the process when the settings cannot be used. */
export function tried<Made>(make: () => Made, context: Context): Made | undefined {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    error.problems.forEach(context.log);
    context.log("(callmend serve --help lists all settings)");
    context.exit(BAD_USAGE);
  }
}
