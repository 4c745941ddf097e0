/** The settings as flags of a command, and as a table for `--help`. */
import { type Command, Option } from "commander";
import type { Texts } from "../config.ts";
import { settingRows } from "../settings/settings.ts";

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

/** The table of settings, for the program's `--help`. */
export function settingsHelp(): string {
  const rows = settingRows.map(([, { flag, placeholder, variable, means, example, ...setting }]) => [
    `  ${flag} ${placeholder}`.trimEnd(),
    `      ${means}`,
    `      ${variable}; default: ${setting.default ?? "none"}; example: ${
      placeholder === "" ? `${variable}=${example}` : `${flag} ${example}`
    }`,
  ]);
  return ["Settings of serve (a flag wins over its variable, and this over the file):", ...rows.flat()].join(
    "\n",
  );
}
