/** Native arguments that are no strict JSON: read as leniently as those that are written as text (symptoms E5). */
import { parseLenient } from "../parse/json.ts";
import { isJson } from "./json_text.ts";

/** The object that `text` means, as strict JSON; undefined when it is strict already, or none can be made out. */
export function leniently(text: string): string | undefined {
  const trimmed = text.trim();
  if (!trimmed.startsWith("{") || !trimmed.endsWith("}") || isJson(trimmed)) return undefined;
  const json = parseLenient(trimmed);
  return json !== undefined && isJson(json) ? json : undefined;
}

/** What has to follow `sent`, the strict beginning of `text`, so that it all is the object that `text` means. */
export function lenientRest(text: string, sent: string): string | undefined {
  const json = leniently(text);
  const beginning = sent.replace(STRING_OR_SPACE, (found) => found.startsWith('"') ? found : "");
  return json?.startsWith(beginning) ? json.slice(beginning.length) : undefined;
}

const STRING_OR_SPACE = /"(?:[^"\\]|\\[^])*"|\s+/g;
