/** How the text of a parameter goes out: as it comes, or when it is whole. */
import { allowsString, isNullable } from "./coerce.ts";
import type { ParameterKind } from "./dialect.ts";
import type { ValueSchema } from "./schema.ts";
import type { Sink } from "./scanner.ts";

/** `stream`: a string, as it comes. `whole`: once all of it is there. Undefined: more must be seen to tell. */
export type Way = "stream" | "whole" | undefined;

/** How a parameter of which `text` has come so far goes out. */
export function wayOf(text: string, schema: ValueSchema, kind: ParameterKind): Way {
  if (!allowsString(schema)) return "whole";
  if (kind === "json") {
    if (schema.types?.size !== 1) return "whole";
    // Only a string is allowed: what is no JSON string is meant as it stands.
    return /^\s*$/.test(text) ? undefined : /^\s*"/.test(text) ? "whole" : "stream";
  }
  const nullable = kind === undefined && isNullable(schema);
  return nullable && text.length <= 64 && MAY_BE_NULL.test(text) ? undefined : "stream";
}

const MAY_BE_NULL = /^\s*(?:n(?:u(?:l(?:l\s*)?)?)?)?$/i;

/** Writes text as the inside of a JSON string; half of a surrogate pair waits for the other half. */
export function escapingSink(sink: Sink): { write: Sink; end: () => void } {
  let half = "";
  const write: Sink = (text) => {
    text = half + text;
    half = /[\ud800-\udbff]$/.test(text) ? text.slice(-1) : "";
    sink(JSON.stringify(half === "" ? text : text.slice(0, -1)).slice(1, -1));
  };
  return {
    write,
    end: () => sink(JSON.stringify(half).slice(1, -1)),
  };
}
