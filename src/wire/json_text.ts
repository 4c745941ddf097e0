/** Text that may be JSON. */
import { isTooDeep } from "./too_deep.ts";

/** The value of a JSON text; undefined when it is none, or none that could be worked on. */
export function parse(text: string): unknown {
  try {
    return isTooDeep(text) ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether a text is JSON, however deep. */
export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
