/** Arguments that were encoded twice: a JSON string that holds the text of an object (symptoms E2). */

/** The object that is encoded in a JSON string, as text; `""` when the string says nothing. */
export function unwrap(text: string): string | undefined {
  let inner = text;
  for (let layers = 0; layers < 3; layers++) {
    try {
      const value: unknown = JSON.parse(inner);
      if (typeof value === "object" && value !== null && !Array.isArray(value)) return inner;
      if (value === null) return "";
      if (typeof value !== "string") return undefined;
      inner = value.trim();
      if (inner === "") return "";
    } catch {
      return undefined;
    }
  }
  return undefined;
}
