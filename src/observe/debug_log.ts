/** The debug logs: a fetch that wraps a fetch, around the pipeline, and writes down what goes in and out of it. */
import { AsyncLocalStorage } from "node:async_hooks";
import process from "node:process";
import type { Texts } from "../config.ts";
import type { Fetch } from "../repair.ts";
import { isChatCompletion } from "../wire/chat_request.ts";
import type { ExchangeReport, Observe } from "../wire/exchange.ts";
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
  /** Puts the logs around what `make` builds. */
  around(next: Fetch, make: (next: Fetch, observe: Observe) => Fetch): Fetch;
  /** Adds a line to the event log, when there is one. */
  event(text: string): void;
  /** Resolves when all has been written. */
  settled(): Promise<void>;
}

export function createDebugLog({ door, environment, flagFolders, tell }: DebugLogOptions): DebugLog {
  const files = new PrivateFiles(tell);
  const { log, folder } = debugPlaces(door, environment);
  const wanted = debugSwitch(door, environment, flagFolders);
  let count = 0;
  const event = (text: string) => files.append(log, `${new Date().toISOString()} ${oneLine(text)}\n`);

  const around: DebugLog["around"] = (next, make) => {
    const current = new AsyncLocalStorage<Recording>();
    const mended = make(
      (request) => current.getStore()?.upstream(request, next) ?? next(request),
      (report) => {
        if (wanted()) event(outcomeOf(report));
      },
    );
    return async (request) => {
      if (!isChatCompletion(request) || !wanted()) return await mended(request);
      const time = new Date().toISOString().replace(/\D/g, "").slice(0, 17);
      const id = `${time}-${process.pid}-${String(++count).padStart(4, "0")}`;
      const recording = new Recording({ files, folder, id, event });
      const copy = request.clone() as Request;
      const asked = recording.request(copy).catch((error) => event(`${id} cannot be written down: ${error}`));
      return await current.run(recording, async () => {
        await asked; // the upstream's request is compared with it
        return recording.answer(await mended(request));
      });
    };
  };
  return {
    around,
    event: (text) => wanted() && event(text),
    settled: () => files.settled(),
  };
}

/** What the pipeline says of an exchange when it is over. */
function outcomeOf(
  { model, status, outcome, finish, calls, dialects, fixes, problems }: ExchangeReport,
): string {
  const told = problems.map(({ code }) => code);
  return `mended: model ${JSON.stringify(model)}, status ${status}, ${outcome}, finish ${
    finish ?? "none"
  }, ` +
    `${calls} calls, dialects ${dialects.join(" ") || "none"}, fixes ${fixes.join(" ") || "none"}, problems ${
      told.join(" ") || "none"
    }`;
}

function oneLine(text: string): string {
  return text.replace(/\p{Cc}/gu, "?");
}
