/** Calls that were found in the text: some servers deliver the same ones as native calls (symptoms B2). */
import { parse } from "./json_text.ts";
import { isObject } from "./call_piece.ts";

/** Longer arguments are not compared. */
const LIMIT = 65_536;

export class WrittenCalls {
  /** By their index; those that a native call has repeated are gone. */
  readonly #calls = new Map<number, { readonly name: string; text: string }>();

  start(index: number, name: string): void {
    this.#calls.set(index, { name, text: "" });
  }

  add(index: number, text: string): void {
    const call = this.#calls.get(index);
    if (call !== undefined && call.text.length <= LIMIT) call.text += text;
  }

  /** Whether there is one of this name that has not been repeated. */
  has(name: string): boolean {
    for (const call of this.#calls.values()) if (call.name === name) return true;
    return false;
  }

  /** Whether a native call repeats one of them; asked once for each. */
  repeated(name: string, text: string): boolean {
    if (text.length > LIMIT) return false;
    const args = sorted(parse(text));
    for (const [index, call] of this.#calls) {
      if (call.name !== name || call.text.length > LIMIT || sorted(parse(call.text)) !== args) continue;
      return this.#calls.delete(index);
    }
    return false;
  }
}

/** A value as JSON that does not depend on the order of members. */
function sorted(value: unknown): string | undefined {
  return JSON.stringify(
    value,
    (_, each: unknown) =>
      isObject(each) ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => a < b ? -1 : 1)) : each,
  );
}
