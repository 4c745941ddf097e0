/** `callmend config schema|check|show`: the configuration file for editors, before it is used, and as it is used. */
import { Command } from "commander";
import { exposure } from "../exposure.ts";
import { ConfigError, settle, type Told } from "../config.ts";
import { loadConfigFile } from "../config/config_file.ts";
import { findConfigFile } from "../config/config_place.ts";
import { jsonSchema } from "../config/config_schema.ts";
import { usualPlaces } from "../config/usual_places.ts";
import { BAD_USAGE, command, type Context, type MakeCommand } from "./command.ts";
import { loadConfig, refuse } from "./load_config.ts";
import { addSettings, type GivenFlags } from "./setting_options.ts";

export const makeConfig: MakeCommand = (context) =>
  command("config", "the configuration file callmend.jsonc: its schema, a check, and what is in force", [
    "callmend config check callmend.jsonc",
    "callmend config show --json",
  ])
    .addCommand(makeSchema(context)).addCommand(makeCheck(context)).addCommand(makeShow(context));

function makeSchema(context: Context): Command {
  return command("schema", "print the file's JSON schema: editors complete and check by it", [
    "callmend config schema > callmend.schema.json",
  ]).action(() => context.print(JSON.stringify(jsonSchema(), null, 2)));
}

function makeCheck(context: Context): Command {
  return command("check", "tell all that is wrong with a file: line and column; exit code 2 if anything is", [
    "callmend config check",
    "callmend config check /etc/callmend.jsonc",
  ])
    .argument("[file]", "the file; the one that serve would use when not said")
    .action((given: string | undefined) => check(given, context));
}

function check(given: string | undefined, context: Context): void {
  const { environment } = context;
  try {
    const path = given ?? findConfigFile({}, environment);
    if (path === undefined) {
      throw new ConfigError([`Cannot check: there is no file at ${usualPlaces().join(" or ")}.`]);
    }
    const file = loadConfigFile(path, environment);
    const { config } = settle({}, environment, file);
    const exposed = exposure(config);
    if (exposed !== undefined) throw new ConfigError([`${path}: ${exposed}`]);
    const { upstreams = [] } = file;
    const names = upstreams.map(({ name }) => name).join(", ");
    context.print(`${path}: good${names && `; upstreams: ${names}`}`);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    error.problems.forEach(context.log);
    context.exit(BAD_USAGE);
  }
}

function makeShow(context: Context): Command {
  const made = command("show", "print what is in force with these flags, and where each value comes from", [
    "callmend config show",
    "callmend config show --config callmend.jsonc --port 9000 --json",
  ]).option("--json", "print an object: file, and settings with place, value and source");
  const flagsOf = addSettings(made);
  return made.action(async (given: GivenFlags) => {
    const loaded = await loadConfig(flagsOf(given), context.environment)
      .catch((error) => refuse(error, context));
    if (loaded === undefined) return;
    const { file, told } = loaded;
    const path = file?.path ?? null;
    if (given.json) return context.print(JSON.stringify({ file: path, settings: told() }, null, 2));
    context.print(`file: ${path ?? `none (looked for ${usualPlaces().join(" and ")})`}`);
    rows(told()).forEach(context.print);
  });
}

/** A line for each value. */
function rows(told: readonly Told[]): string[] {
  const cells = told.map(({ place, value, source }) => [place, shown(value), source] as const);
  const widths = [0, 1].map((n) => Math.min(48, Math.max(...cells.map((row) => row[n]!.length))));
  return cells.map(([place, value, source]) =>
    `${place.padEnd(widths[0]!)}  ${value.padEnd(widths[1]!)}  ${source}`
  );
}

function shown(value: unknown): string {
  if (value === null) return "-";
  if (Array.isArray(value)) return value.map(shown).join(", ") || "none";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
