/** Where code stands in a turn: fences and inline code, in which markup is text (rule 8). */

/** An open code fence: its character and how many of them opened it. */
export interface Fence {
  readonly char: string;
  readonly size: number;
}

/** Follows plain text as it goes by, and knows whether the next character stands in code. */
export class Markdown {
  #fence: Fence | undefined;
  #opening: Fence | undefined; // a fence's first line; a fence once that line has ended
  #span = 0; // how many backticks opened the inline code that has not closed on this line; 0 outside
  #lineBlank = true; // only spaces and tabs so far on this line
  #prefix: string | undefined = ""; // the line so far, while it may be the start of a quotation
  #quotes = false; // markup is quoted on this line: the rest of the line belongs to it
  #escaped = false; // the last character was a backslash that escapes what follows

  /** The open fence. */
  get fence(): Fence | undefined {
    return this.#fence;
  }

  /**
   * How many backticks would close the inline code in which `text` stands, if it comes next; 0 when there is none. A
   * line break before it ends what was open on the line.
   */
  spanAt(text: string): number {
    return this.#opening === undefined && BREAKS.test(text) ? 0 : this.#span;
  }

  /** Nothing but spaces and tabs stands before on this line. */
  get lineBlank(): boolean {
    return this.#lineBlank;
  }

  /** Nothing but `> `, or quoted markup, stands before `text` on its line: it is quoted (`dialects.md` §9.7). */
  quotedAt(text: string): boolean {
    if (BREAKS.test(text)) return false;
    return this.#quotes || this.#prefix !== undefined && /^[ \t]*>[> \t]*[ \t]$/.test(this.#prefix);
  }

  /** What comes on this line is quoted, as markup was that stood before it. */
  quotes(): void {
    this.#quotes = true;
  }

  /** A marker that is none of the text went by: a line break before it has ended the line all the same. */
  dropped(marker: string): void {
    if (BREAKS.test(marker)) this.text("\n");
  }

  /** Plain text went by; runs of backticks and tildes come through `run()` instead. */
  text(text: string): void {
    const newline = text.lastIndexOf("\n");
    if (newline !== -1) {
      this.#span = 0;
      this.#fence ??= this.#opening;
      this.#opening = undefined;
      this.#lineBlank = true;
      this.#prefix = "";
      this.#quotes = false;
    }
    if (this.#prefix !== undefined) {
      const line = this.#prefix + text.slice(newline + 1);
      this.#prefix = line.length <= LONGEST_PREFIX && /^[ \t>]*$/.test(line) ? line : undefined;
    }
    if (this.#lineBlank) this.#lineBlank = !/[^ \t\r]/.test(text.slice(newline + 1));
    this.#escaped = this.#escapes(text);
  }

  /** Text went by that may hold runs of backticks, each of them whole, and none of them first on its line. */
  passage(text: string): void {
    let from = 0;
    for (let at = text.indexOf("`"); at !== -1; at = text.indexOf("`", from)) {
      if (at > from) this.text(text.slice(from, at));
      from = behindBackticks(text, at);
      this.run("`", from - at, false);
    }
    if (from < text.length) this.text(from === 0 ? text : text.slice(from));
  }

  /**
   * A run of backticks or tildes goes by. `closes` says that nothing else stands on the rest of its line: then
   * it ends a fence that its like opened (CommonMark 4.5); otherwise it is inline code or text.
   */
  run(char: string, size: number, closes: boolean): void {
    const { lineBlank } = this;
    this.#lineBlank = false;
    this.#prefix = undefined;
    if (this.#fence !== undefined) {
      const { fence } = this;
      if (closes && lineBlank && fence!.char === char && size >= fence!.size) this.#fence = undefined;
    } else if (this.#span > 0) {
      if (char === "`" && size === this.#span) this.#closeSpan();
    } else if (lineBlank && size >= 3) {
      this.#opening = { char, size };
      if (char === "`") this.#span = size; // until its line ends it may as well be inline code
    } else if (char === "`" && !this.#escaped) this.#span = size;
    this.#escaped = false;
  }

  /** Another field of the answer begins. */
  reset(): void {
    this.#fence = this.#opening = undefined;
    this.#span = 0;
    this.#lineBlank = true;
    this.#prefix = "";
    this.#quotes = this.#escaped = false;
  }

  /** Whether a text, behind what went by before, ends with a backslash that is not escaped itself. */
  #escapes(text: string): boolean {
    let start = text.length;
    while (text.charAt(start - 1) === "\\") start--;
    const before = start === 0 && this.#escaped ? 1 : 0;
    return (text.length - start + before) % 2 === 1;
  }

  #closeSpan(): void {
    this.#span = 0;
    this.#opening = undefined;
  }
}

/** More than this before the first word is no quotation that anyone writes. */
const LONGEST_PREFIX = 64;

const BREAKS = /^\r?\n/;

/** Where a run of backticks ends. */
export function behindBackticks(text: string, at: number): number {
  while (text.charAt(at) === "`") at++;
  return at;
}
