/** `callmend opencode`: sets up Callmend inside OpenCode, without a proxy, and takes it out again. */
import process from "node:process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { Argument, Option } from "commander";
import { readVariable } from "../config/user_folder.ts";
import { Refused } from "../settings/setting.ts";
import { settings } from "../settings/settings.ts";
import { bundleName, type Kind, readBundle } from "./bundles.ts";
import { BAD_USAGE, command, type Context, type MakeCommand } from "./command.ts";
import {
  type Addition,
  hasProvider,
  newProvider,
  OpencodeConfigError,
  withCallmend,
  withoutCallmend,
} from "./opencode_config.ts";

interface Options {
  readonly write?: boolean;
  readonly remove?: boolean;
  readonly config?: string;
  readonly id: string;
  readonly upstream?: string;
  readonly model?: readonly string[];
}

/** Something that the user has to change; told in one line. */
class Refusal extends Error {
  constructor(message: string, readonly exitCode = 1) {
    super(message);
  }
}

export const makeOpencode: MakeCommand = (context) =>
  command(
    "opencode",
    "run inside OpenCode, without a proxy: as its provider, or as a plugin for those it has",
    [
      "callmend opencode plugin --write",
      "callmend opencode provider --write --upstream http://127.0.0.1:8000/v1 --model qwen3-coder-30b",
      "callmend opencode plugin --remove",
    ],
  )
    .addArgument(new Argument("[what]", "what to set up").choices(["provider", "plugin"]).default("plugin"))
    .option("--write", "write the lines into OpenCode's configuration; a backup is kept beside it")
    .addOption(new Option("--remove", "take them out again").conflicts("write"))
    .option("--config <file>", "the configuration, instead of the user's own")
    .option(
      "--id <name>",
      "provider: its name in the configuration; one that is there keeps its settings",
      "callmend",
    )
    .option(
      "--upstream <url>",
      `provider: the model server's address (default: ${settings.upstream.default})`,
    )
    .option("--model <name...>", "provider: the models to offer")
    .action(async (kind: Kind, options: Options) => {
      try {
        await (options.remove ? remove(kind, options, context) : install(kind, options, context));
      } catch (error) {
        const { code, message } = error as { code?: string; message: string };
        if (!(error instanceof Refusal) && code === undefined) throw error;
        context.log(error instanceof Refusal ? message : `Cannot go on: ${message}`);
        context.exit(error instanceof Refusal ? error.exitCode : 1);
      }
    });

/** Writes the bundle, and the configuration or what to put there. */
async function install(kind: Kind, options: Options, context: Context): Promise<void> {
  const { upstream = settings.upstream.default, model: models = [] } = options;
  if (settings.upstream.read(upstream) instanceof Refused) {
    const given = JSON.stringify(upstream);
    throw new Refusal(`Cannot use --upstream ${given}: allowed: ${settings.upstream.allowed}.`, BAD_USAGE);
  }
  const text = await readBundle(kind);
  if (text === undefined) {
    throw new Refusal(`Cannot find ${bundleName(kind)}: run \`npx -y deno task bundle\` first.`);
  }
  const paths = pathsOf(kind, options);
  const addition: Addition = { kind, id: options.id, url: paths.url, upstream, models };
  const before = existsSync(paths.config) ? readFileSync(paths.config, "utf8") : undefined;
  const after = edited(paths.config, () => withCallmend(plain(before), addition));
  mkdirSync(paths.folder, { recursive: true });
  writeFileSync(paths.bundle, text);
  context.print(`Written: ${paths.bundle}`);
  if (!options.write) {
    context.print(`For ${paths.config} (--write puts it there):\n\n${shown(addition)}`);
  } else if (after === plain(before)) {
    context.print(`Nothing to do: ${paths.config} has it already`);
  } else {
    mkdirSync(resolve(paths.config, ".."), { recursive: true });
    const earlier = undoOf(paths.undo);
    // A backup holds what was there before the first time.
    if (before !== undefined && earlier === undefined) writeFileSync(paths.backup, before);
    const whole = markOf(before) + after;
    writeFileSync(paths.config, whole);
    const known = earlier === undefined || earlier.sha256 === hashOf(before ?? "");
    const undo: Undo = {
      created: earlier?.created ?? before === undefined,
      sha256: known ? hashOf(whole) : "",
    };
    writeUndo(paths.undo, undo);
    context.print(`Written: ${paths.config}${before === undefined ? "" : `, backup: ${paths.backup}`}`);
  }
  for (const line of unused(addition, options, before)) context.log(line);
  context.print(hint(kind));
}

/** What was asked for and is not in what was written. */
function unused(
  { kind, id }: Addition,
  { upstream, model, write }: Options,
  before: string | undefined,
): string[] {
  const flags = [upstream && "--upstream", model && "--model"].filter(Boolean).join(" and ");
  if (flags === "") return [];
  if (kind === "plugin") return [`Not used: ${flags}, which a provider has and a plugin has not.`];
  if (!write || !hasProvider(plain(before), id)) return [];
  return [`Not used: ${flags}, as provider.${id} is there and keeps its settings: change them in the file.`];
}

/** Takes out what `install` has put there. A configuration that nobody has touched since is as it was, to the byte. */
function remove(kind: Kind, options: Options, context: Context): void {
  const paths = pathsOf(kind, options);
  const text = existsSync(paths.config) ? readFileSync(paths.config, "utf8") : undefined;
  const backup = existsSync(paths.backup) ? readFileSync(paths.backup, "utf8") : undefined;
  const undo = undoOf(paths.undo);
  if (text !== undefined) {
    const untouched = undo?.sha256 === hashOf(text) && (undo.created || backup !== undefined);
    const after = untouched ? backup : markOf(text) +
      edited(paths.config, () => withoutCallmend(plain(text), { kind, url: paths.url }, plain(backup)));
    if (untouched && undo.created) rmSync(paths.config);
    else if (after !== undefined && after !== text) writeFileSync(paths.config, after);
    if (undo !== undefined && !untouched) handDown(pathsOf(other(kind), options), undo, backup, text, after!);
    context.print(after === text ? `Nothing to do in ${paths.config}` : `Taken out of ${paths.config}`);
  }
  for (const path of [paths.backup, paths.undo]) rmSync(path, { force: true });
  if (usedElsewhere(kind, paths.folder)) {
    context.print(`Kept: ${paths.bundle}, as other configurations name it`);
  } else {
    const there = existsSync(paths.bundle);
    rmSync(paths.bundle, { force: true });
    context.print(there ? `Removed: ${paths.bundle}` : `Nothing to remove: there is no ${paths.bundle}`);
  }
}

/** Whether a bundle has been put into other configurations, and not been taken out. */
function usedElsewhere(kind: Kind, folder: string): boolean {
  return existsSync(folder) && readdirSync(folder).some((name) => name.startsWith(`undo-${kind}-`));
}

/**
 * The other kind may have been put in on top of this one, and nobody has touched the configuration since: what was there
 * before this one is then what the other goes back to.
 */
function handDown(
  { backup: path, undo }: ReturnType<typeof pathsOf>,
  below: Undo,
  backup: string | undefined,
  text: string,
  after: string,
): void {
  if (undoOf(undo)?.sha256 !== hashOf(text) || !existsSync(path)) return;
  if (hashOf(readFileSync(path, "utf8")) !== below.sha256) return;
  if (backup === undefined) rmSync(path);
  else writeFileSync(path, backup);
  writeUndo(undo, { created: below.created, sha256: hashOf(after) });
}

const other = (kind: Kind): Kind => kind === "plugin" ? "provider" : "plugin";

/** What has to be known to undo it. */
interface Undo {
  /** There was no configuration before. */
  readonly created: boolean;
  /** What the configuration was like after it had been written; empty when a user has changed it in between. */
  readonly sha256: string;
}

function undoOf(path: string): Undo | undefined {
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) as Undo : undefined;
}

function writeUndo(path: string, undo: Undo): void {
  writeFileSync(path, JSON.stringify(undo) + "\n");
}

function pathsOf(kind: Kind, { config: given }: Options) {
  const folder = opencodeFolder();
  // A task runs in the repository, whatever folder it was started in.
  const config = given
    ? resolve(readVariable("INIT_CWD") || ".", given)
    : readVariable("OPENCODE_CONFIG") || userConfig(folder);
  const own = join(folder, "callmend");
  const bundle = join(own, bundleName(kind));
  return {
    config,
    folder: own,
    bundle,
    url: pathToFileURL(bundle).href,
    backup: `${config}.before-callmend-${kind}`,
    undo: join(own, `undo-${kind}-${hashOf(config).slice(0, 12)}.json`),
  };
}

/** Where OpenCode keeps a user's settings, on every system. */
function opencodeFolder(): string {
  const base = readVariable("XDG_CONFIG_HOME");
  if (base) return join(base, "opencode");
  const home = readVariable("HOME") || readVariable("USERPROFILE");
  if (!home) throw new Refusal("Cannot find OpenCode's folder: HOME is not set.");
  return join(home, ".config", "opencode");
}

function userConfig(folder: string): string {
  const names = ["opencode.jsonc", "opencode.json", "config.json"].map((name) => join(folder, name));
  return names.find((path) => existsSync(path)) ?? names[1]!;
}

function edited(path: string, edit: () => string): string {
  try {
    return edit();
  } catch (error) {
    if (!(error instanceof OpencodeConfigError)) throw error;
    throw new Refusal(`Cannot edit ${path}: ${error.message}`);
  }
}

/** The lines, as they stand in a configuration. */
function shown(addition: Addition): string {
  const { kind, url, id } = addition;
  const lines = kind === "plugin" ? { plugin: [url] } : { provider: { [id]: newProvider(addition) } };
  return JSON.stringify(lines, null, 2);
}

function hint(kind: Kind): string {
  return kind === "plugin"
    ? "Then restart OpenCode. Answers from nano-gpt.com are mended; CALLMEND_HOSTS names other hosts, by comma."
    : "Then put your key in CALLMEND_API_KEY, check the models, and restart OpenCode.";
}

/** Editors on Windows may have put a mark at the beginning. */
function markOf(text = ""): string {
  return text.startsWith("\ufeff") ? "\ufeff" : "";
}

function plain(text = "{}\n"): string {
  return text.replace(/^\ufeff/, "");
}

function hashOf(text: string): string {
  return process.getBuiltinModule("node:crypto").createHash("sha256").update(text).digest("hex");
}
