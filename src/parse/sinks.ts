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
 * Drops a line break at the start and at the end, but only where both are there. The end is not known before
 * the value is: `end()` says so.
 */
export function unwrapPairedLineBreaks(sink: Sink): Wrapped {
  let start: string | undefined = ""; // the beginning, until it is clear whether it is a line break
  let first = ""; // the line break at the start
  let body = ""; // with a line break at the start, all that came: the end decides over its start
  const write: Sink = (text) => {
    if (start !== undefined) {
      text = start + text;
      if (text === "\r" || text === "") {
        start = text;
        return;
      }
      start = undefined;
      first = /^\r?\n/.exec(text)?.[0] ?? "";
      text = text.slice(first.length);
    }
    if (first === "") sink(text);
    else body += text;
  };
  return {
    write,
    end() {
      if (start) sink(start);
      if (first === "") return;
      const unwrapped = body.replace(/\r?\n$/, "");
      sink(unwrapped === body ? first + body : unwrapped);
    },
  };
}
