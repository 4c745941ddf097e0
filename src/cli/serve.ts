/** `callmend serve`, the default command: runs the proxy until it is told to stop. */
import { command, type MakeCommand } from "./command.ts";
import { runServer } from "./run_server.ts";
import { addSettings, type GivenFlags } from "./setting_options.ts";

export const makeServe: MakeCommand = (context) => {
  const made = command("serve", "run the proxy (the default command)", [
    "callmend serve --upstream https://openrouter.ai/api/v1 --port 9000",
    "UPSTREAM_URL=http://127.0.0.1:8000 callmend",
  ]);
  const flagsOf = addSettings(made);
  return made.action((given: GivenFlags) => runServer(flagsOf(given), context));
};
