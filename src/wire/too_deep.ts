/** JSON that is nested deeper than anything that is meant: whatever walks through it would run out of stack. */

/** No request, answer or schema comes near it; engines give up some thousands of levels later. */
const MOST_LEVELS = 1_000;

/** Whether the lists and objects of a JSON text stand in each other too deep; a text that is no JSON may be either. */
export function isTooDeep(text: string): boolean {
  if (text.length <= 2 * MOST_LEVELS) return false; // each level takes two characters
  let level = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = stringEnd(text, at);
    else if (code === LIST || code === OBJECT) {
      if (++level > MOST_LEVELS) return true;
    } else if (code === LIST_END || code === OBJECT_END) level--;
  }
  return false;
}

const [QUOTE, LIST, LIST_END, OBJECT, OBJECT_END] = [...'"[]{}'].map((sign) => sign.charCodeAt(0)) as [
  number,
  number,
  number,
  number,
  number,
];

/** Where the string that begins at `from` has its closing quote; the text's end when it has none. */
function stringEnd(text: string, from: number): number {
  for (let at = text.indexOf('"', from + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let escapes = 0;
    while (text[at - 1 - escapes] === "\\") escapes++;
    if (escapes % 2 === 0) return at;
  }
  return text.length;
}
