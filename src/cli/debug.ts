/** `callmend debug on|off|status`: the flag file that switches debug logs on, in the server and in the plugin. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
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
      const done = what === "status" || (what === "on" ? switchOn(context) : switchOff(context));
      if (!done) return context.exit(1);
      for (const line of status(context)) context.print(line);
    });

/** Where the server looks, and where the plugin does. */
function flagFolders(): readonly string[] {
  return [resolve("."), userFolder()].filter((folder) => folder !== undefined);
}

/** The folders that have a flag, as the user's own flag file lists them: one is there for each folder it was done in. */
function flagged(): readonly string[] {
  try {
    return readFileSync(join(userFolder() ?? ".", FLAG), "utf8").split("\n").filter((line) =>
      isAbsolute(line)
    );
  } catch {
    return [];
  }
}

function switchOn(context: Context): boolean {
  const folders = [...new Set([...flagged(), ...flagFolders()])];
  const text = ["callmend debug off removes this file, here and in", ...folders, ""].join("\n");
  const written = flagFolders().map((folder) =>
    tried("write", join(folder, FLAG), context, (path) => {
      mkdirSync(folder, { recursive: true });
      writeFileSync(path, text);
    })
  );
  return written.includes(true); // the user's own folder is enough for all that runs under this account
}

function switchOff(context: Context): boolean {
  const own = userFolder() ?? ".";
  const others = [...flagged(), ...flagFolders()].filter((folder) => folder !== own);
  // The user's own goes too when another cannot, or its plugins would go on writing; which one that is has been told.
  const removed = [...new Set(others), own].map((folder) =>
    tried("remove", join(folder, FLAG), context, (path) => rmSync(path, { force: true }))
  );
  return !removed.includes(false);
}

/** Does something with a file; false when that failed, which is told. */
function tried(what: string, path: string, context: Context, work: (path: string) => void): boolean {
  try {
    work(path);
    return true;
  } catch (error) {
    context.log(`Cannot ${what} ${path}: ${(error as Error).message}`);
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
