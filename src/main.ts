/** The program's door: hands arguments and environment to the commands. */
import { run } from "./cli/mod.ts";
import { process } from "./process.ts";

await run(process.argv.slice(2), {
  environment: process.env,
  print: (line) => console.log(line),
  log: (line) => console.error(line),
  exit: (code) => process.exit(code),
});
