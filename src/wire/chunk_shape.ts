/** Knows chunks that differ from one before in nothing but their text, without reading their JSON. */
import { isObject } from "./call_piece.ts";
import type { Chunk } from "./openai.ts";

/** What may stand between the quotes of a JSON string as it is meant. */
const LITERAL = /^[^"\\\p{Cc}]+$/u;

/** A server that writes each chunk anew in another way is not learned from for ever. */
const MOST_LESSONS = 16;

export class ChunkShape {
  #before: string | undefined; // what stands before the text, up to its quote
  #behind = ""; // what stands behind it, from its quote on
  #lessons = 0; // how often it was learned without coming to use since

  /** `chunk`, written as `data`, went through as it came: the next ones may look like it. */
  learn(data: string, { choices, usage }: Chunk): void {
    if (this.#lessons >= MOST_LESSONS || !Array.isArray(choices) || choices.length !== 1 || usage != null) {
      return;
    }
    const [choice] = choices;
    if (!isObject(choice) || choice.finish_reason != null || !isObject(choice.delta)) return;
    const { content, role: _, ...others } = choice.delta;
    if (typeof content !== "string" || !LITERAL.test(content) || Object.keys(others).length > 0) return;
    const at = data.indexOf(NAME);
    if (at === -1 || data.lastIndexOf(NAME) !== at) return;
    const start = data.indexOf('"', at + NAME.length) + 1;
    const end = start + content.length;
    if (!/^ ?: ?"$/.test(data.slice(at + NAME.length, start))) return;
    if (data.slice(start, end) !== content || data[end] !== '"') return;
    this.#before = data.slice(0, start);
    this.#behind = data.slice(end);
    this.#lessons++;
  }

  /** The text of a chunk that is like the last one that was learned; undefined for all others. */
  textOf(data: string): string | undefined {
    const before = this.#before;
    if (before === undefined || data.length <= before.length + this.#behind.length) return undefined;
    if (!data.startsWith(before) || !data.endsWith(this.#behind)) return undefined;
    const text = data.slice(before.length, data.length - this.#behind.length);
    if (!LITERAL.test(text)) return undefined;
    this.#lessons = 0;
    return text;
  }
}

const NAME = '"content"';
