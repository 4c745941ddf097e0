/** `callmend service`: prints the unit that keeps the proxy running, for systemd or for launchd. */
import { resolve } from "node:path";
import { Argument, Command } from "commander";
import { type Config, readConfig } from "../config.ts";
import { findConfigFile } from "../config/config_place.ts";
import { BAD_USAGE, command, type Context, type MakeCommand } from "./command.ts";
import { SETTINGS } from "./completion_model.ts";
import { ownPath } from "./own_path.ts";
import { launchdUnit, systemdUnit, type Unit } from "./service_units.ts";
import { tried } from "./load_config.ts";
import { addSettings } from "./setting_options.ts";

interface Options {
  readonly user?: boolean;
  readonly environmentFile?: string;
}

const examples = [
  "callmend service systemd -- --upstream http://127.0.0.1:8000/v1 | sudo tee /etc/systemd/system/callmend.service",
  "callmend service systemd --user > ~/.config/systemd/user/callmend.service",
  "callmend service launchd --user -- --port 9000 > ~/Library/LaunchAgents/callmend.plist",
];

export const makeService: MakeCommand = (context) =>
  command(
    "service",
    "print a unit that keeps the proxy running; settings of serve go behind --",
    examples,
  )
    .addArgument(new Argument("<manager>", "what runs it").choices(["systemd", "launchd"]))
    .argument(`[${SETTINGS}...]`, "settings of serve, behind --")
    .option("--user", "for your own account, without root")
    .option(
      "--environment-file <file>",
      "where its variables are read from, keys among them, when it is there",
    )
    .action((manager: "systemd" | "launchd", given: readonly string[], options: Options) => {
      const config = read(given, context);
      if (config === undefined) return;
      const unit = unitOf(manager, { ...config, options }, context);
      if (unit === undefined) return;
      context.print((manager === "systemd" ? systemdUnit(unit) : launchdUnit(unit)).trimEnd());
    });

/**
 * The settings, tried as `serve` would read them: a unit that cannot start is of no use. What comes from the file and
 * from the environment file is not known here.
 */
function read(
  given: readonly string[],
  context: Context,
):
  | { readonly settings: readonly string[]; readonly files: readonly string[]; readonly config: Config }
  | undefined {
  const serve = new Command("serve").exitOverride().allowExcessArguments(false)
    .configureOutput({ writeErr: (text) => context.log(text.trimEnd()) });
  const flagsOf = addSettings(serve);
  serve.parse(given, { from: "user" });
  const { configFile, ...flags } = flagsOf(serve.opts());
  const named = configFile === undefined ? undefined : resolve(configFile);
  const config = tried(() => {
    if (named !== undefined) findConfigFile({ configFile: named }, {});
    return readConfig(flags, {});
  }, context);
  const paths = serve.options.filter(({ flags }) => /<(?:file|folder|path)>/.test(flags)).map(({ long }) =>
    long
  );
  const settings = given.map((word, n) => absolute(word, given[n - 1], paths));
  return config && { config, settings, files: named === undefined ? [] : [named] };
}

/** A service starts in another folder than its user does. */
function absolute(word: string, before: string | undefined, files: readonly (string | undefined)[]): string {
  if (before !== undefined && files.includes(before)) return resolve(word);
  const [, flag, value] = /^(--[\w-]+)=([^]+)$/.exec(word) ?? [];
  return flag !== undefined && files.includes(flag) ? `${flag}=${resolve(value!)}` : word;
}

function unitOf(
  manager: "systemd" | "launchd",
  { settings, files, config, options }: {
    readonly settings: readonly string[];
    readonly files: readonly string[];
    readonly config: Config;
    readonly options: Options;
  },
  context: Context,
): Unit | undefined {
  const { user = false, environmentFile } = options;
  const home = context.environment["HOME"] || undefined;
  if (manager === "launchd" && user && home === undefined) {
    context.log("Cannot tell where the log of an agent goes: HOME is not set; set it to your home folder.");
    context.exit(BAD_USAGE);
    return undefined;
  }
  if (settings.some((word) => /^--[\w-]*keys?\b/.test(word))) {
    context.log(
      "A key in a unit can be read by everybody on this machine: write it into the environment file.",
    );
  }
  const own = ownPath();
  return {
    own: { ...own, files: [...own.files, ...files] },
    settings,
    user,
    home: home ?? "/",
    drainSeconds: Math.ceil(config.drainTimeoutMs / 1000),
    ...(environmentFile !== undefined && { environmentFile: resolve(environmentFile) }),
  };
}
