/** What was read and may be unread: the pieces since the outermost of the marks that are set. */

/** A place in the turn to which reading can go back. */
export interface Mark {
  readonly piece: number;
  readonly offset: number;
}

export class Trail {
  #pieces: string[] = [];
  #marks = 0; // how many marks are set

  /** A mark is set: what is read has to be kept. */
  get marked(): boolean {
    return this.#marks > 0;
  }

  /** Sets a mark at `offset`, before `eaten`, which was the last thing to be read. */
  mark(offset: number, eaten: string): Mark {
    if (eaten !== "" && this.#marks === 0) this.#pieces = [eaten];
    this.#marks++;
    return { piece: this.#pieces.length - (eaten === "" ? 0 : 1), offset: offset - eaten.length };
  }

  here(offset: number): Mark {
    return { piece: this.#pieces.length, offset };
  }

  add(text: string): void {
    this.#pieces.push(text);
  }

  /** What was read since `mark`, which is no longer kept. */
  cut(mark: Mark): string {
    return this.#pieces.splice(mark.piece).join("");
  }

  since(mark: Mark): string {
    return this.#pieces.slice(mark.piece).join("");
  }

  /** The innermost mark is no longer needed. True when no other is set. */
  release(): boolean {
    return this.#marks > 0 && --this.#marks === 0;
  }

  clear(): void {
    this.#marks = 0;
    this.#pieces = [];
  }
}
