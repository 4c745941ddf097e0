/** Small wrappers of a sink. */
import type { Sink } from "./scanner.ts";

/** A sink that wants to know when its text is over. */
export interface Wrapped {
  readonly write: Sink;
  end(): void;
}

/** A value as it stands. */
export function verbatim(sink: Sink): Wrapped {
  return { write: sink, end: () => {} };
}

/**
 * Drops at most one line break at either end of a value, as chat templates put them there; everything else is
 * the value's own. The break at the end is held until more text comes.
 */
export function unwrapLineBreaks(sink: Sink): Wrapped {
  let start: string | undefined = ""; // the beginning, until it is clear whether it is a line break
  let held = ""; // a line break that may be the last thing
  return {
    write(text) {
      if (start !== undefined) {
        text = start + text;
        if (text === "\r" || text === "") {
          start = text;
          return;
        }
        start = undefined;
        text = text.replace(/^\r?\n/, "");
      }
      text = held + text;
      held = /\r?\n$|\r$/.exec(text)?.[0] ?? "";
      const rest = held === "" ? text : text.slice(0, -held.length);
      if (rest !== "") sink(rest);
    },
    end() {
      if (start || held === "\r") sink(start || held);
    },
  };
}

/**
 * Drops a line break at the start and one at the end, but only where both are there. The end is not known before
 * the value is: a short value waits for it, a long one that begins with a line break is taken to end with one.
 */
export function unwrapPairedLineBreaks(sink: Sink): Wrapped {
  const both = unwrapLineBreaks(sink);
  let start: string | undefined = ""; // the beginning, until it is clear whether it is a line break and whether it goes
  let write: Sink | undefined; // where text goes once that is decided
  return {
    write(text) {
      if (write !== undefined) return write(text);
      start += text;
      const wraps = /^\r?\n/.test(start!) || start === "\r";
      if (wraps && start!.length < LONG) return;
      write = wraps ? both.write : sink;
      write(start!);
      start = undefined;
    },
    end() {
      if (start) sink(start.replace(/^\r?\n([^]*?)\r?\n$/, "$1"));
      both.end();
    },
  };
}

/** From this length on, a value does not wait for its end. */
const LONG = 256;
