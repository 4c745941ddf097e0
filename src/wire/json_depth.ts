/** Where a JSON object ends, in text that comes in pieces: braces in strings do not count; each piece is read once. */

const STRUCTURE = /["{}[\]]/g;
const QUOTE = /["\\]/g;

export class JsonDepth {
  /** Open braces and brackets. */
  depth = 0;
  /** Inside a string. */
  quoted = false;
  #escaped = false; // behind a backslash in a string

  /** Behind the brace that closes the outermost object, or at the end of `text`. */
  close(text: string, from: number): number {
    let at = from;
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
      else this.depth += char === "{" || char === "[" ? 1 : -1;
    }
    return at;
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
