/** `callmend debug on|off|status`: the flag file that switches debug logs on, in the server and in the plugin. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Argument } from "commander";
import { debugByVariable, debugPlaces, type Door, FLAG, isFlagged } from "../observe/debug_settings.ts";
import { userFolder } from "../config/user_folder.ts";
import { command, type Context, type MakeCommand } from "./command.ts";

export const makeDebug: MakeCommand = (context) =>
  command(
    "debug",
    "switch debug logs on or off, for the server and the OpenCode plugin, until further notice",
    [
      "callmend debug on",
      "callmend debug status",
    ],
  )
    .addArgument(new Argument("<what>", "what to do").choices(["on", "off", "status"]))
    .action((what: "on" | "off" | "status") => {
      if (what !== "status" && !flagFolders().every((folder) => flag(folder, what === "on", context))) {
        context.exit(1);
        return;
      }
      for (const line of status(context)) context.print(line);
    });

/** Where the server looks, and where the plugin does. */
function flagFolders(): readonly string[] {
  return [resolve("."), userFolder()].filter((folder) => folder !== undefined);
}

function flag(folder: string, on: boolean, context: Context): boolean {
  const path = join(folder, FLAG);
  try {
    if (on) {
      mkdirSync(folder, { recursive: true });
      writeFileSync(path, "callmend debug off removes this file\n");
    } else rmSync(path, { force: true });
    return true;
  } catch (error) {
    context.log(`Cannot ${on ? "write" : "remove"} ${path}: ${(error as Error).message}`);
    return false;
  }
}

function status({ environment }: Context): string[] {
  const flags = flagFolders().filter(isFlagged);
  const line = (door: Door) => {
    const fixed = debugByVariable(door, environment);
    const why = fixed !== undefined
      ? "a variable says so"
      : flags.map((folder) => join(folder, FLAG)).join(", ");
    const on = fixed ?? flags.length > 0;
    const { log, folder } = debugPlaces(door, environment);
    return `${door}: debug logs are ${on ? "on" : "off"}${why ? ` (${why})` : ""}` +
      (on ? `\n    events in ${log}, requests and answers in ${folder}` : "");
  };
  return [line("server"), line("plugin")];
}
