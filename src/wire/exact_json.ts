/** JSON whose whole numbers keep their digits, also those that no double holds. */

/** What newer engines offer, and TypeScript's library does not know yet. */
interface RawJson {
  rawJSON?(text: string): unknown;
  parse(text: string, revive: (key: string, value: unknown, at?: { source?: string }) => unknown): unknown;
}

const json = JSON as RawJson;

/**
 * Like `JSON.parse()`; a whole number that would lose digits becomes an object that `JSON.stringify()` writes as it was.
 * Servers refuse a limit like 9223372036854775807 once it has been rounded up.
 */
export function parseExact(text: string): unknown {
  if (json.rawJSON === undefined || !/\d{16}/.test(text)) return JSON.parse(text);
  return json.parse(text, (_key, value, at) => {
    const exact = typeof value !== "number" || Number.isSafeInteger(value) ||
      !/^-?\d+$/.test(at?.source ?? "");
    return exact ? value : json.rawJSON!(at!.source!);
  });
}
