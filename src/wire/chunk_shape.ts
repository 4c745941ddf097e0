/** Knows chunks that differ from one before in nothing but one text, without reading their JSON. */
import { isObject } from "./call_piece.ts";
import type { Chunk, Delta } from "./openai.ts";

/** What may stand between the quotes of a JSON string: as it is meant, or escaped. */
const LITERAL = /^[^"\\\p{Cc}]+$/u;
const ESCAPED = /^(?:[^"\\\p{Cc}]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))+$/u;

/** A server that writes each chunk anew in another way is not learned from for ever. */
const MOST_LESSONS = 16;

/** Where the text stands. */
export type TextField = "content" | "reasoning" | "reasoning_content" | "arguments";

export class ChunkShape {
  #before: string | undefined; // what stands before the text, up to its quote
  #behind = ""; // what stands behind it, from its quote on
  #chunk: Chunk = {}; // one of them
  #field: TextField = "content";
  #passes = false; // one of them has gone through as it came
  #lessons = 0; // how often it was learned without coming to use since

  /** Where the text stands in the chunks that are known. */
  get field(): TextField {
    return this.#field;
  }

  /** One of the chunks that are known has gone through as it came. */
  get passes(): boolean {
    return this.#passes;
  }

  /** `chunk` was written as `data`: the next ones may look like it. Whether they can. */
  learn(data: string, chunk: Chunk): boolean {
    const { choices, usage } = chunk;
    if (this.#lessons >= MOST_LESSONS || !Array.isArray(choices) || choices.length !== 1 || usage != null) {
      return false;
    }
    const [choice] = choices;
    if (!isObject(choice) || choice.finish_reason != null || !isObject(choice.delta)) return false;
    const field = fieldOf(choice.delta);
    if (field === undefined) return false;
    const name = `"${field}"`;
    const at = data.indexOf(name);
    if (at === -1 || data.lastIndexOf(name) !== at) return false;
    const start = data.indexOf('"', at + name.length) + 1;
    const text = JSON.stringify(textIn(choice.delta, field)).slice(1, -1);
    const end = start + text.length;
    if (text === "" || !/^ ?: ?"$/.test(data.slice(at + name.length, start))) return false;
    if (data.slice(start, end) !== text || data[end] !== '"') return false;
    const [before, behind] = [data.slice(0, start), data.slice(end)];
    if (before !== this.#before || behind !== this.#behind) this.#passes = false;
    this.#before = before;
    this.#behind = behind;
    this.#chunk = chunk;
    this.#field = field;
    this.#lessons++;
    return true;
  }

  /** The chunk that was learned last has gone through as it came. */
  passed(): void {
    this.#passes = true;
  }

  /** The text of a chunk that is like the last one that was learned; undefined for all others. */
  textOf(data: string): string | undefined {
    const before = this.#before;
    if (before === undefined || data.length <= before.length + this.#behind.length) return undefined;
    if (!data.startsWith(before) || !data.endsWith(this.#behind)) return undefined;
    const text = data.slice(before.length, data.length - this.#behind.length);
    const literal = LITERAL.test(text);
    if (!literal && !ESCAPED.test(text)) return undefined;
    this.#lessons = 0;
    return literal ? text : JSON.parse(`"${text}"`);
  }

  /** A chunk like those that are known, with `text`. */
  chunkOf(text: string): Chunk {
    const choice = this.#chunk.choices![0]!;
    return { ...this.#chunk, choices: [{ ...choice, delta: withText(choice.delta!, this.#field, text) }] };
  }
}

/** The only field of a delta that says something, but for its role; undefined when it is none that is known here. */
function fieldOf({ role: _, ...delta }: Delta): TextField | undefined {
  const said = Object.entries(delta).filter(([, value]) => value != null);
  if (said.length !== 1) return undefined;
  const [name, value] = said[0]!;
  if (name === "content" || name === "reasoning" || name === "reasoning_content") {
    return typeof value === "string" ? name : undefined;
  }
  return name === "tool_calls" && isPiece(value) ? "arguments" : undefined;
}

/** Whether a list of calls holds nothing but more of the arguments of one. */
function isPiece(calls: unknown): boolean {
  if (!Array.isArray(calls) || calls.length !== 1 || !isObject(calls[0])) return false;
  const { index, type: _, function: called, ...others } = calls[0];
  if (typeof index !== "number" || !isObject(called) || typeof called.arguments !== "string") return false;
  const { arguments: __, ...inner } = called;
  return [...Object.values(others), ...Object.values(inner)].every((value) => value == null);
}

function textIn(delta: Delta, field: TextField): unknown {
  return field === "arguments" ? delta.tool_calls![0]!.function!.arguments : delta[field];
}

function withText(delta: Delta, field: TextField, text: string): Delta {
  if (field !== "arguments") return { ...delta, [field]: text };
  const call = delta.tool_calls![0]!;
  return { ...delta, tool_calls: [{ ...call, function: { ...call.function, arguments: text } }] };
}
