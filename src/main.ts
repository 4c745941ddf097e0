/** The program's door: hands arguments and environment to the commands. */
import process from "node:process";
import { run } from "./cli/mod.ts";
import { debugVariables } from "./observe/debug_settings.ts";
import { settingRows } from "./settings.ts";

// Only the variables that are settings are read, so that the process may be forbidden all others.
const variables = [...settingRows.map(([, setting]) => setting), ...debugVariables];
const environment = Object.fromEntries(variables.map(({ variable }) => [variable, process.env[variable]]));

await run(process.argv.slice(2), {
  environment,
  print: (line) => console.log(line),
  log: (line) => console.error(line),
  exit: (code) => process.exit(code),
});
