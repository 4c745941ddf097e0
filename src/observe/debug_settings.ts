/** Whether debug logs are written, and where: variables, and a flag file that switches them on until it goes. */
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Texts } from "../config.ts";

/** Which part of Callmend writes. */
export type Door = "plugin" | "server";

/** The variables, as a user meets them. */
export const debugVariables: readonly { readonly variable: string; readonly means: string }[] = [
  { variable: "CALLMEND_DEBUG", means: "1: write debug logs, in the server and in the plugin; 0: never" },
  { variable: "NANO_PROXY_DEBUG", means: "1: write debug logs in the server" },
  { variable: "NANOPROXY_DEBUG", means: "1: write debug logs in the plugin" },
  { variable: "NANOPROXY_LOG", means: "the file of events, instead of the default" },
  { variable: "NANOPROXY_LOG_DIR", means: "the folder of requests and answers, instead of the default" },
];

const OWN = { plugin: "NANOPROXY_DEBUG", server: "NANO_PROXY_DEBUG" };

/** The name of the flag file, in each folder where it is looked for. */
export const FLAG = ".debug-logging";

/** Where logs go. */
export interface DebugPlaces {
  /** The file of events. */
  readonly log: string;
  /** The folder of requests and answers. */
  readonly folder: string;
}

export function debugPlaces(door: Door, environment: Texts): DebugPlaces {
  const { NANOPROXY_LOG: log, NANOPROXY_LOG_DIR: folder } = environment;
  if (door === "plugin") {
    return {
      log: log || join(tmpdir(), "nanoproxy-plugin.log"),
      folder: folder || join(tmpdir(), "nanoproxy-plugin-logs"),
    };
  }
  return { log: log || join(folder || "Logs", "callmend.log"), folder: folder || "Logs" };
}

/** What the variables say; undefined when they leave it to the flag file. */
export function debugByVariable(door: Door, environment: Texts): boolean | undefined {
  const said = [environment.CALLMEND_DEBUG, environment[OWN[door]]].map(readSwitch);
  return said.includes(false) ? false : said.includes(true) ? true : undefined;
}

function readSwitch(text: string | undefined): boolean | undefined {
  const word = text?.trim().toLowerCase();
  return word === undefined || word === "" ? undefined : !["0", "false", "no", "off"].includes(word);
}

/** How long the file system's answer to "is the flag there?" counts, in milliseconds. */
const FLAG_AGE = 1000;

/** A function that tells whether logs are wanted now. */
export function debugSwitch(door: Door, environment: Texts, folders: readonly string[]): () => boolean {
  const fixed = debugByVariable(door, environment);
  if (fixed !== undefined) return () => fixed;
  let [looked, there] = [0, false]; // when the files were looked for last, and whether one was there
  return () => {
    if (Date.now() - looked >= FLAG_AGE) {
      looked = Date.now();
      there = folders.some((folder) => isFlagged(folder));
    }
    return there;
  };
}

/** Whether a folder holds the flag file; not, when this process may not look. */
export function isFlagged(folder: string): boolean {
  try {
    return existsSync(join(folder, FLAG));
  } catch {
    return false;
  }
}
