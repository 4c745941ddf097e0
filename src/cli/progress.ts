/** Progress of something long, on standard error: an updating line on a terminal, a line for each step elsewhere. */
import process from "node:process";
import { clearInterval, setInterval } from "node:timers";
import type { Context } from "./command.ts";

/** Shows how far something is. */
export interface Progress {
  /** Something has begun. */
  begin(what: string): void;
  /** It is done; where lines cannot be updated, this is what is printed. */
  done(line: string): void;
  /** Nothing more will be shown; the updating line goes away. */
  end(): void;
}

/** Makes the progress of one run. */
export function createProgress({ environment, log }: Pick<Context, "environment" | "log">): Progress {
  const { stderr } = process;
  if (!stderr.isTTY || environment["TERM"] === "dumb") return { begin: () => {}, done: log, end: () => {} };
  let shown = ""; // what is under way
  let since = Date.now();
  const draw = () => {
    const seconds = Math.floor((Date.now() - since) / 1000);
    const text = seconds > 0 ? `${shown} (${seconds} s)` : shown;
    stderr.write(`\r\x1b[2K${text.slice(0, (stderr.columns || 80) - 1)}`);
  };
  const timer = setInterval(draw, 1000);
  timer.unref(); // it must not keep a program alive that has ended
  return {
    begin(what) {
      shown = what.replace(/\s+/g, " ");
      since = Date.now();
      draw();
    },
    done: () => {},
    end() {
      clearInterval(timer);
      stderr.write("\r\x1b[2K");
    },
  };
}
