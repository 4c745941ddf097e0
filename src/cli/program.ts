/** The program as Commander knows it: which command is meant, and what all commands have in common. */
import { Command, CommanderError } from "commander";
import { version } from "../version.ts";
import { BAD_USAGE, type Context, type MakeCommand } from "./command.ts";
import { commands } from "./commands.ts";
import { settingsHelp } from "./setting_options.ts";
import { startIsOver } from "./start.ts";

/** Runs the command that the words name; mistakes are told, and end the process. */
export async function runCommand(words: readonly string[], context: Context): Promise<void> {
  startIsOver();
  const program = makeProgram(context, commands);
  try {
    refuseUnknown(program, words[0] === "help" ? words[1] : words[0]);
    await program.parseAsync(words, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    context.exit(error.exitCode === 0 ? 0 : BAD_USAGE);
  }
}

/** The program with some commands, of which the first runs when none is named. */
export function makeProgram(context: Context, commands: readonly MakeCommand[]): Command {
  const program = new Command("callmend")
    .description("Makes tool calling work: mends what models and vendors really send into tool_calls.")
    .version(version, "-V, --version", "print the version")
    .usage("[command] [settings]")
    .addHelpText(
      "after",
      () => `\n${settingsHelp()}\n\nExample:\n  callmend --upstream http://127.0.0.1:8000/v1`,
    );
  commands.forEach((make, n) => program.addCommand(make(context), { isDefault: n === 0 }));
  dress(program, "callmend", context);
  return program;
}

/** What each command and its own commands have in common. */
function dress(made: Command, name: string, context: Context): void {
  made.exitOverride().showHelpAfterError(`(${name} --help says more)`).configureOutput({
    writeOut: (text) => context.print(text.trimEnd()),
    writeErr: (text) => context.log(text.trimEnd()),
    getOutHasColors: () => false, // Commander would read variables to find out
    getErrHasColors: () => false,
  });
  for (const inner of made.commands) dress(inner, `${name} ${inner.name()}`, context);
}

/** Behind a default command Commander takes an unknown name for one operand too many. */
function refuseUnknown(program: Command, name: string | undefined): void {
  const names = [...program.commands.map((each) => each.name()), "help"];
  if (name === undefined || name.startsWith("-") || names.includes(name)) return;
  program.error(`error: unknown command '${name}'; there are: ${names.join(", ")}`);
}
