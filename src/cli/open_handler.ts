/** What answers the program's requests, with all that looks on at them: loaded with the first one. */
import type { Config } from "../config.ts";
import { userFolder } from "../config/user_folder.ts";
import { createHandler, type Handler } from "../handler.ts";
import { createDebugLog, type DebugLog } from "../observe/debug_log.ts";
import type { Log } from "../observe/log.ts";
import { createObservation } from "../observe/observation.ts";
import { createTraces } from "../observe/traces.ts";
import type { Watch } from "../wire/watcher.ts";
import type { Context } from "./context.ts";
import { startIsOver } from "./start.ts";

/** Makes the handler as the settings and the environment say. */
export async function openHandler(config: Config, log: Log, context: Context): Promise<Handler> {
  const traces = tracesWanted(context) ? await openTraces(log) : undefined;
  const observation = createObservation(config, { log, debug: debugLog(context), traces });
  startIsOver();
  return createHandler({ config, observation });
}

/** Whether the runtime sends traces: only Deno does, when this variable says so. */
function tracesWanted({ environment }: Context): boolean {
  return "Deno" in globalThis && /^(?:1|true)$/i.test(environment.OTEL_DENO ?? "");
}

async function openTraces(log: Log): Promise<((upstream: string) => Watch) | undefined> {
  try {
    return await createTraces();
  } catch (error) {
    log.error(`Cannot trace: ${error}`);
  }
}

/** The server's debug logs: not written unless a variable or the flag file says so. */
function debugLog({ environment, log: tell }: Context): DebugLog {
  const flagFolders = [".", userFolder()].filter((folder) => folder !== undefined);
  return createDebugLog({ door: "server", environment, flagFolders, tell });
}
