/** `callmend healthcheck`: asks the running server whether it is well; for containers, which have no shell or curl. */
import { Option } from "commander";
import type { Texts } from "../config.ts";
import { settings } from "../settings/settings.ts";
import { localGet } from "./local_get.ts";
import { command, type MakeCommand } from "./command.ts";
import type { Context } from "./context.ts";
import { serverAddress } from "./server_address.ts";

/** Docker gives a check 30 seconds, Kubernetes one; a server on the same machine answers in a few milliseconds. */
const LIMIT_MS = 2_000;

export const makeHealthcheck: MakeCommand = (context) => {
  const made = command(
    "healthcheck",
    "ask the running server's /health; exit code 0 if it is well, 1 if not",
    [
      "callmend healthcheck",
      "callmend healthcheck --port 9000",
    ],
  );
  for (const { flag, placeholder, variable, default: usual } of [settings.host, settings.port]) {
    made.addOption(new Option(`${flag} ${placeholder}`, `as for serve (${variable}; default: ${usual})`));
  }
  return made.action((given: Texts) => healthcheck(given, context));
};

async function healthcheck(given: Texts, context: Context): Promise<void> {
  const server = serverAddress(given, context);
  if (server === undefined) return;
  const address = `${server}/health`;
  try {
    context.print(`${address}: callmend ${versionIn(await localGet(address, LIMIT_MS))} is well`);
    context.exit(0);
  } catch (error) {
    context.log(`Cannot call it healthy: ${address}: ${(error as Error).message}`);
    context.exit(1);
  }
}

/** The version that a healthy Callmend tells; any other server on that port is not what was asked for. */
function versionIn({ status, body }: { status: number; body: string }): string {
  if (status !== 200) throw new Error(`status ${status}`);
  try {
    const { ok, version } = JSON.parse(body) as { ok?: unknown; version?: unknown };
    if (ok === true && typeof version === "string") return version;
  } catch {
    // said below
  }
  throw new Error("what answers there is not Callmend");
}
