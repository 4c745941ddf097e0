/** What the program gets from the process that it runs in. */
import type { Texts } from "../settings/setting.ts";

/** What each command can rely on. */
export interface Context {
  readonly environment: Texts;
  /** One line for the user, on standard output. */
  readonly print: (line: string) => void;
  /** One line for the log, on standard error. */
  readonly log: (line: string) => void;
  /** Ends the process. */
  readonly exit: (code: number) => void;
}

/** Exit code for a bad flag, variable or argument: nothing has been started. */
export const BAD_USAGE = 2;
