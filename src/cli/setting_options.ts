/** The settings as flags of a command, and the configuration that they, the environment and the file make. */
import { type Command, Option } from "commander";
import { exposure } from "../access.ts";
import { ConfigError, settle, type Settled, type Texts } from "../config.ts";
import { findConfigFile, loadConfigFile } from "../config_place.ts";
import { settingRows } from "../settings.ts";
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

/** The settings in force, and the path of the file that they come from, if there is one. */
export type Loaded = Settled & { readonly path: string | undefined };

/**
 * Reads flags, environment and file; `path` is the file, when it is known.
 * Throws a `ConfigError` with all that is wrong, and when strangers could use what is not protected.
 */
export function loadConfig(
  flags: Texts,
  environment: Texts,
  path = findConfigFile(flags, environment),
): Loaded {
  const file = path === undefined ? undefined : loadConfigFile(path, environment);
  const settled = settle(flags, environment, file);
  const exposed = exposure(settled.config);
  if (exposed !== undefined) throw new ConfigError([exposed]);
  return { ...settled, path };
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
