/** Knows chunks that differ from one before in nothing but one text, without reading their JSON. */
import { isObject } from "./call_piece.ts";
import type { Chunk, Delta } from "./openai.ts";
import type { SseEvent } from "./sse_event.ts";

/** A server that writes each chunk anew in another way is not learned from for ever. */
const MOST_LESSONS = 16;

/** Where the text stands. */
export type TextField = "content" | "reasoning" | "reasoning_content" | "arguments";

/** Events of one shape, one behind the other. */
export interface Run {
  /** What each of them says. */
  readonly texts: readonly string[];
  /** Where each of them ends. */
  readonly ends: readonly number[];
}

export class ChunkShape {
  #before: string | undefined; // what stands before the text in an event, up to its quote
  #behind = ""; // what stands behind it, from its quote on
  #between = ""; // what stands between the texts of two of them
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

  /** `chunk` came as `event`: the next ones may look like it. Whether they can. */
  learn({ raw, name }: SseEvent, chunk: Chunk): boolean {
    const { choices, usage } = chunk;
    if (this.#lessons >= MOST_LESSONS || !Array.isArray(choices) || choices.length !== 1 || usage != null) {
      return false;
    }
    const [choice] = choices;
    if (!isObject(choice) || choice.finish_reason != null || !isObject(choice.delta)) return false;
    const field = fieldOf(choice.delta);
    if (field === undefined || name !== undefined) return false;
    const key = `"${field}"`;
    const at = raw.indexOf(key);
    if (at === -1 || raw.lastIndexOf(key) !== at) return false;
    const start = raw.indexOf('"', at + key.length) + 1;
    const text = JSON.stringify(textIn(choice.delta, field)).slice(1, -1);
    const end = start + text.length;
    if (text === "" || !/^ ?: ?"$/.test(raw.slice(at + key.length, start))) return false;
    if (raw.slice(start, end) !== text || raw[end] !== '"') return false;
    const [before, behind] = [raw.slice(0, start), raw.slice(end)];
    if (before !== this.#before || behind !== this.#behind) this.#passes = false;
    this.#before = before;
    this.#behind = behind;
    this.#between = behind + before;
    this.#chunk = chunk;
    this.#field = field;
    this.#lessons++;
    return true;
  }

  /** The chunk that was learned last has gone through as it came. */
  passed(): void {
    this.#passes = true;
  }

  /** The events of a text, from `at` on, that are like the one that was learned last; undefined when the first is not. */
  run(text: string, at: number): Run | undefined {
    const before = this.#before, behind = this.#behind, between = this.#between;
    if (before === undefined || !text.startsWith(before, at)) return undefined;
    const texts: string[] = [], ends: number[] = [];
    for (let start = at + before.length, more = true; more;) {
      const end = endOfString(text, start);
      more = text.startsWith(between, end); // one comparison for both is the usual case
      if (end <= start || !(more || text.startsWith(behind, end))) break;
      const said = saidBy(text.slice(start, end));
      if (said === undefined) break;
      texts.push(said);
      ends.push(end + behind.length);
      start = end + between.length;
    }
    if (texts.length === 0) return undefined;
    this.#lessons = 0;
    return { texts, ends };
  }

  /** A chunk like those that are known, with `text`. */
  chunkOf(text: string): Chunk {
    const choice = this.#chunk.choices![0]!;
    return { ...this.#chunk, choices: [{ ...choice, delta: withText(choice.delta!, this.#field, text) }] };
  }
}

/** Where the quote is that ends a JSON string; -1 where a character may not stand in one. */
function endOfString(text: string, start: number): number {
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at;
    if (code === BACKSLASH) at++;
    else if (code < BLANK) return -1;
  }
  return -1;
}

const [QUOTE, BACKSLASH, BLANK] = [0x22, 0x5c, 0x20];

/** What stands in a JSON string; undefined where it is none. */
function saidBy(text: string): string | undefined {
  if (!text.includes("\\")) return text;
  try {
    return JSON.parse(`"${text}"`);
  } catch {
    return undefined;
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
