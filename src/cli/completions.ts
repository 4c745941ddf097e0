/** `callmend completions`: what the shell needs to complete commands, flags and values; made from the program itself. */
import { Argument } from "commander";
import { command, type MakeCommand } from "./command.ts";
import { placesOf } from "./completion_model.ts";
import { completionScript, installation, type Shell } from "./completion_scripts.ts";

export const makeCompletions: MakeCommand = (context) => {
  const made = command("completions", "print what makes the shell complete commands, flags and values", [
    "callmend completions bash",
    ...Object.values(installation),
  ]);
  return made
    .addArgument(new Argument("<shell>", "which shell").choices(Object.keys(installation)))
    .action((shell: Shell) => {
      context.print(completionScript(shell, placesOf(made.parent!, "serve")).trimEnd());
    });
};
