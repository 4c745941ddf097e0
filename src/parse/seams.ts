/** Where a turn goes on in another field: its text is read as one, but comes in the content and in the reasoning. */
import type { Field } from "./event.ts";
import type { Stretch } from "./step.ts";

export class Seams {
  #list: { offset: number; field: Field }[] = [{ offset: 0, field: "content" }];

  /** Text that begins at `offset` came in `field`. */
  add(offset: number, field: Field): void {
    const last = this.#list[this.#list.length - 1]!;
    if (last.field === field) return;
    if (last.offset === offset) last.field = field;
    else this.#list.push({ offset, field });
  }

  /** The field of the character at `offset`. */
  fieldAt(offset: number): Field {
    let { field } = this.#list[0]!;
    for (const seam of this.#list) if (seam.offset <= offset) field = seam.field;
    return field;
  }

  /** `text`, which begins at `offset`, by the fields in which it came. */
  stretches(offset: number, text: string): Stretch[] {
    const stretches: Stretch[] = [];
    for (let from = 0; from < text.length;) {
      const to = Math.min(text.length, this.ahead(offset + from + 1, 0) - offset);
      stretches.push({ field: this.fieldAt(offset + from), text: text.slice(from, to) });
      from = to;
    }
    return stretches;
  }

  /** The next place, from `offset` on, where the field changes, of those behind `told`. */
  ahead(offset: number, told: number): number {
    if (this.#list.length === 1) return Infinity;
    return this.#list.find((seam) => seam.offset >= offset && seam.offset > told)?.offset ?? Infinity;
  }

  /** Nothing before `offset` will be asked for, but for the character right before it. */
  forget(offset: number): void {
    while (this.#list.length > 1 && this.#list[1]!.offset < offset) this.#list.shift();
  }
}
