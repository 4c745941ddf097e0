/** The program's door: hands arguments and environment to the commands. */
import { run } from "./cli/mod.ts";
import { process } from "./process.ts";

await run(process.argv.slice(2), {
  environment: process.env,
  print: (line) => console.log(line),
  log(line) {
    try {
      console.error(line);
    } catch {
      // Deno throws once the terminal is closed: nobody is left to be told.
    }
  },
  exit: (code) => process.exit(code),
});
