/** Tells a text of events that needs no mending by its letters, without reading its JSON. */

/**
 * Whether nothing in a text of events can need mending, without tools: no end of the answer, no error, no call, no
 * list of choices that is null, no usage (its chunk may lack the list). A word that is said, not meant, only costs a
 * closer look.
 */
export function isPlain(text: string): boolean {
  return oddIn(text, 0) === text.length;
}

/** Where the events end that are plain, of a text of whole events, from `from` on. */
export function endOfPlain(text: string, from: number): number {
  const odd = oddIn(text, from);
  if (odd === text.length) return odd;
  const lineEnd = text.lastIndexOf("\n\n", odd - 2), marked = text.lastIndexOf("\n\r\n", odd - 3);
  return Math.max(from, lineEnd === -1 ? 0 : lineEnd + 2, marked === -1 ? 0 : marked + 3);
}

/** Each is looked for by its rarest letters: engines search for the first character. */
const WORDS: readonly string[] = ["[DONE]", "_call", "rror"];
const FIELDS: readonly RegExp[] = [
  /"finish_reason"(?!:\s?null)/g,
  /"usage"(?!:\s?null)/g,
  /"choices"(?!:\s?\[)/g,
];

/** Where the first thing stands that may need mending, from `from` on; the end of the text when there is none. */
function oddIn(text: string, from: number): number {
  let first = text.length;
  for (const word of WORDS) {
    const at = text.indexOf(word, from);
    if (at !== -1) first = Math.min(first, at);
  }
  for (const field of FIELDS) {
    field.lastIndex = from;
    if (field.test(text)) first = Math.min(first, field.lastIndex - 1);
  }
  return first;
}
