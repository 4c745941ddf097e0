/** Lets chunks whose text turned out to be plain go on as the upstream wrote them, byte for byte (rule 2). */
import type { Field, TurnEvent } from "../parse/event.ts";
import type { Item } from "./stage.ts";

/** A chunk that holds nothing but text of one field, and waits until the parser has let all of that text pass. */
interface Waiting {
  readonly item: Item;
  readonly field: Field;
  readonly text: string;
}

/** Text of one field. */
export type Text = readonly [field: Field, text: string];

/** Whether what the parser said is just what it was given. */
export function says(events: readonly TurnEvent[], texts: readonly Text[]): boolean {
  if (texts.length === 0) return events.length === 0;
  const said: Text[] = [];
  for (const event of events) {
    if (event.type !== "content-delta" && event.type !== "reasoning-delta") return false;
    said.push([event.type === "content-delta" ? "content" : "reasoning", event.text]);
  }
  return joined(said) === joined(texts);
}

function joined(texts: readonly Text[]): string {
  return texts.map(([field, text], n) => (texts[n - 1]?.[0] === field ? "" : `\0${field}\0`) + text).join("");
}

/** What goes on: a chunk as it came; text that needs a chunk of its own; what a chunk held beside its text. */
export type Relayed =
  | { readonly kind: "item"; readonly item: Item }
  | { readonly kind: "text"; readonly field: Field; readonly text: string }
  | { readonly kind: "rest"; readonly item: Item };

/** What a chunk whose text goes its own way held beside it. */
export function restOf({ chunk }: Item): Item[] {
  const choice = chunk.choices?.[0];
  const { content: _content, reasoning: _reasoning, reasoning_content: _long, ...delta } = choice?.delta ??
    {};
  const empty = Object.keys(delta).length === 0 && choice?.logprobs == null && chunk["usage"] == null;
  return empty ? [] : [{ chunk: { ...chunk, choices: [{ ...choice, delta }] } }];
}

/** How much may wait: behind that, text goes out in chunks of its own. */
const MAX_TEXT = 256;
const MAX_CHUNKS = 64;

/**
 * A queue of chunks beside the parser. What goes into the parser is `push()`ed; what comes out of it as text is
 * `pass()`ed. As long as both are the same, chunks leave whole; the first difference ends that with `split()`,
 * and text travels alone until the parser holds nothing any more.
 */
export class Relay {
  #queue: Waiting[] = [];
  #passed = 0; // how much of the queue's text the parser has let pass
  #length = 0; // how much text is in the queue
  #whole = true; // text and chunks still agree

  /** Text travels alone, until the parser holds nothing any more. */
  get apart(): boolean {
    return !this.#whole;
  }

  /** Chunks wait. */
  get waiting(): boolean {
    return this.#queue.length > 0;
  }

  /**
   * A chunk goes into the parser; `idle` says that the parser holds nothing of what came before. False when
   * the chunk's text travels alone, and what it holds beside its text must be sent on now.
   */
  push(item: Item, field: Field, text: string, idle: boolean): boolean {
    this.#whole ||= idle;
    if (!this.#whole) return false;
    this.#queue.push({ item, field, text });
    this.#length += text.length;
    return true;
  }

  /** Text came out of the parser; returns what can go on. */
  pass(field: Field, text: string): Relayed[] {
    const head = this.#queue[0];
    if (this.#queue.length === 1 && this.#passed === 0 && head!.text === text && head!.field === field) {
      this.#queue = []; // the usual case: what came is what goes
      this.#length = 0;
      return [{ kind: "item", item: head!.item }];
    }
    if (!this.#whole || !this.#agrees(field, text)) return [...this.split(), { kind: "text", field, text }];
    this.#passed += text.length;
    return this.release();
  }

  /** The chunks all of whose text has passed. */
  release(): Relayed[] {
    let size = 0;
    for (const { text } of this.#queue) {
      if (text.length > this.#passed) break;
      this.#passed -= text.length;
      this.#length -= text.length;
      size++;
    }
    return this.#queue.splice(0, size).map(({ item }) => ({ kind: "item", item }));
  }

  /** So much waits that it has to be split: a chunk need not be whole to go on in time. */
  get overdue(): boolean {
    return this.#length > MAX_TEXT || this.#queue.length > MAX_CHUNKS;
  }

  /** Something other than plain text comes: what has passed goes out, the chunks of the rest are given up. */
  split(): Relayed[] {
    const out: Relayed[] = [];
    for (const { item, field, text } of this.#queue) {
      if (text.length <= this.#passed) out.push({ kind: "item", item });
      else {
        if (this.#passed > 0) out.push({ kind: "text", field, text: text.slice(0, this.#passed) });
        out.push({ kind: "rest", item });
      }
      this.#passed = Math.max(0, this.#passed - text.length);
    }
    this.#queue = [];
    this.#passed = this.#length = 0;
    this.#whole = false;
    return out;
  }

  /** Whether `text` is what stands next in the queue. */
  #agrees(field: Field, text: string): boolean {
    let skip = this.#passed, rest = text;
    for (const waiting of this.#queue) {
      if (rest === "") return true;
      const part = waiting.text.slice(skip, skip + rest.length);
      skip = 0;
      if (part !== "" && (waiting.field !== field || !rest.startsWith(part))) return false;
      rest = rest.slice(part.length);
    }
    return rest === "";
  }
}
