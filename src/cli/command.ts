/** What each command of the program can rely on. */
import { Command } from "commander";
import type { Texts } from "../config.ts";

/** What a command gets from the process it runs in. */
export interface Context {
  readonly environment: Texts;
  /** One line for the user, on standard output. */
  readonly print: (line: string) => void;
  /** One line for the log, on standard error. */
  readonly log: (line: string) => void;
  /** Ends the process. */
  readonly exit: (code: number) => void;
}

/** Makes one command; each file of this folder that is a command exports one. */
export type MakeCommand = (context: Context) => Command;

/** Exit code for a bad flag, variable or argument: nothing has been started. */
export const BAD_USAGE = 2;

/** A new command with an example behind its `--help`. */
export function command(name: string, description: string, examples: readonly string[]): Command {
  const shown = examples.map((example) => `  ${example}`).join("\n");
  return new Command(name).description(description).addHelpText("after", `\nExamples:\n${shown}`);
}
