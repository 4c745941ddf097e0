/** Where a JSON object ends, in text that comes in pieces: braces in strings do not count; each piece is read once. */

/** All but white space, numbers, and what stands between values. */
const STRUCTURE = /[^\s\d:,.+-]/g;
const EXPONENT = /^\d[eE](?:$|[\d+-])/;
const WORDS: readonly string[] = ["true", "false", "null"];
const QUOTE = /["\\]/g;

export class JsonDepth {
  /** Open braces and brackets. */
  depth = 0;
  /** Inside a string. */
  quoted = false;
  /** Where, in the text looked at last, something begins that is no JSON; -1 when nothing does. */
  bent = -1;
  #escaped = false; // behind a backslash in a string
  #owed = ""; // the rest of a word that the last text ended in

  /** Behind the brace that closes the outermost object, or at the end of `text`. */
  close(text: string, from: number): number {
    let at = from;
    this.bent = -1;
    while (at < text.length && this.depth > 0) {
      if (this.quoted) {
        at = this.closeString(text, at);
        continue;
      }
      STRUCTURE.lastIndex = at;
      if (!STRUCTURE.test(text)) return text.length;
      at = STRUCTURE.lastIndex;
      const char = text.charAt(at - 1);
      if (char === '"') this.quoted = true;
      else if (char === "{" || char === "[") this.depth++;
      else if (char === "}" || char === "]") this.depth--;
      else at = this.#word(text, at - 1);
    }
    return at;
  }

  /** Behind what is no structure: a word of JSON, the sign of an exponent, or what is bent. */
  #word(text: string, from: number): number {
    const owed = this.#owed !== "" && from === 0 ? this.#owed : undefined;
    this.#owed = "";
    const behind = from === 0 ? "0" : text.charAt(from - 1); // a number may have begun in the last text
    if (owed === undefined && EXPONENT.test(behind + text.slice(from, from + 2))) return from + 1;
    for (const word of owed === undefined ? WORDS : [owed]) {
      if (text.startsWith(word, from)) return from + word.length;
      const end = text.slice(from);
      if (word.startsWith(end)) {
        this.#owed = word.slice(end.length);
        return text.length;
      }
    }
    if (this.bent < 0) this.bent = from;
    return from + 1;
  }

  /** Behind the quote that ends the string, or at the end of `text`. */
  closeString(text: string, from: number): number {
    let at = from;
    if (this.#escaped) {
      this.#escaped = false;
      at++;
    }
    for (;;) {
      QUOTE.lastIndex = at;
      if (!QUOTE.test(text)) return text.length;
      at = QUOTE.lastIndex;
      if (text.charAt(at - 1) === '"') {
        this.quoted = false;
        return at;
      }
      if (at === text.length) {
        this.#escaped = true;
        return at;
      }
      at++;
    }
  }
}
