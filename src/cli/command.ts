/** How a command of the program is made. */
import { Command } from "commander";
import { BAD_USAGE, type Context } from "./context.ts";

export { BAD_USAGE, type Context };

/** Makes one command; each file of this folder that is a command exports one. */
export type MakeCommand = (context: Context) => Command;

/** A new command with an example behind its `--help`. */
export function command(name: string, description: string, examples: readonly string[]): Command {
  const shown = examples.map((example) => `  ${example}`).join("\n");
  return new Command(name).description(description).addHelpText("after", `\nExamples:\n${shown}`);
}
