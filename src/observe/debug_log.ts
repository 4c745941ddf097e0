/** The debug logs: exchanges written to disk as they happen, while a variable or a file says so. */
import type { Texts } from "../config.ts";
import type { Watch } from "../wire/watcher.ts";
import { debugPlaces, debugSwitch, type Door } from "./debug_settings.ts";
import { PrivateFiles } from "./private_files.ts";
import { Recording } from "./recording.ts";

export interface DebugLogOptions {
  readonly door: Door;
  readonly environment: Texts;
  /** Where the flag file may be. */
  readonly flagFolders: readonly string[];
  /** Takes a line for the user: logs cannot be written. */
  readonly tell: (line: string) => void;
}

export interface DebugLog {
  /** Looks on at exchanges while logs are wanted; `secrets`: those that no header names. */
  watch(secrets?: () => readonly string[]): Watch;
  /** Adds a line to the event log, when there is one. */
  event(text: string): void;
  /** Resolves when all has been written. */
  settled(): Promise<void>;
}

export function createDebugLog({ door, environment, flagFolders, tell }: DebugLogOptions): DebugLog {
  const files = new PrivateFiles(tell);
  const { log, folder } = debugPlaces(door, environment);
  const wanted = debugSwitch(door, environment, flagFolders);
  const event = (text: string) => files.append(log, `${new Date().toISOString()} ${oneLine(text)}\n`);
  const watch = (secrets = (): readonly string[] => []): Watch => ({ id, request, body }) => {
    if (!wanted()) return undefined;
    const time = new Date().toISOString().replace(/\D/g, "").slice(0, 17);
    const options = { files, folder, id: `${time}-${id}`, event, secrets: secrets() };
    return new Recording(options, request, body);
  };
  return {
    watch,
    event: (text) => wanted() && event(text),
    settled: () => files.settled(),
  };
}

function oneLine(text: string): string {
  return text.replace(/\p{Cc}/gu, "?");
}
