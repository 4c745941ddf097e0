/** Tells a text of events that needs no mending by its letters, without reading its JSON. */

/**
 * Whether nothing in a text of events can need mending, without tools: no end of the answer, no error, no call, no
 * list of choices that is null, no usage (its chunk may lack the list). A word that is said, not meant, only costs a
 * closer look. Each is looked for by its rarest letters: engines search for the first character.
 */
export function isPlain(text: string): boolean {
  return !text.includes("[DONE]") && !text.includes("_call") && !FINISH.test(text) && !USAGE.test(text) &&
    !CHOICES.test(text) && !text.includes("rror");
}

const FINISH = /"finish_reason"(?!:\s?null)/;
const USAGE = /"usage"(?!:\s?null)/;
const CHOICES = /"choices"(?!:\s?\[)/;
