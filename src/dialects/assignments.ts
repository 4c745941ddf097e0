/** Arguments written as assignments: `city=Paris days=3`, `(city="Paris", days=3)`. */
import { parseLenient } from "../parse/json.ts";

const NAME = /[\s,]*([A-Za-z_][\w.-]*)\s*=\s*/y;
const QUOTED = /("(?:[^"\\]|\\[^])*"|'(?:[^'\\]|\\[^])*')(?=[\s,]|$)/y;

/**
 * The values by name, as text. A value without quotes reaches up to the next name that `declared` holds.
 * Undefined when `text` is anything else; with `bracket`, a `)` has to end it.
 */
export function assigned(
  text: string,
  bracket: boolean,
  declared: readonly string[],
): readonly (readonly [name: string, value: string])[] | undefined {
  const end = bracket ? text.trimEnd().length - 1 : text.trimEnd().length;
  if (bracket && text.charAt(end) !== ")") return undefined;
  const inside = text.slice(0, end).trimEnd();
  const values: [string, string][] = [];
  for (let at = 0; at < inside.length;) {
    NAME.lastIndex = at;
    const name = NAME.exec(inside)?.[1];
    if (name === undefined) return undefined;
    QUOTED.lastIndex = at = NAME.lastIndex;
    const quoted = QUOTED.exec(inside)?.[1];
    const to = quoted === undefined ? nextName(inside, at, declared) : at + quoted.length;
    values.push([name, quoted === undefined ? inside.slice(at, to).trim() : unquoted(quoted)]);
    at = /^[\s,]*$/.test(inside.slice(to)) ? inside.length : to;
  }
  return bracket || values.length > 0 ? values : undefined;
}

/** Where the value that begins at `from` ends. */
function nextName(text: string, from: number, declared: readonly string[]): number {
  for (const found of text.slice(from).matchAll(/,?\s+,?([A-Za-z_][\w.-]*)\s*=|,([A-Za-z_][\w.-]*)\s*=/g)) {
    if (declared.includes(found[1] ?? found[2]!)) return from + found.index;
  }
  return text.length;
}

function unquoted(text: string): string {
  const json = parseLenient(text);
  return json?.startsWith('"') ? JSON.parse(json) as string : text.slice(1, -1);
}
