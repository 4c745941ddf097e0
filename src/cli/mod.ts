/** The program: starts the proxy at once when that is all that is wanted, and hands everything else to Commander. */
import type { Context } from "./context.ts";
import { plainFlags } from "./plain_flags.ts";
import { runServer } from "./run_server.ts";

/** Runs the program with the arguments that follow its name. */
export async function run(given: readonly string[], context: Context): Promise<void> {
  const words = withoutSeparator(given);
  const flags = plainFlags(words);
  if (flags !== undefined) return await runServer(flags, context);
  const { runCommand } = await import("./program.ts");
  await runCommand(words, context);
}

/** `deno task demo -- --once` hands the `--` on to the program, where it would turn flags into operands. */
function withoutSeparator(given: readonly string[]): string[] {
  const at = given.indexOf("--");
  return at === 0 || at === 1 ? given.toSpliced(at, 1) : [...given];
}
