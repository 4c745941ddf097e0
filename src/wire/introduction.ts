/** The role of a choice goes out with what goes out first of it, whatever becomes of the chunk that it came in. */
import { isObject } from "./call_piece.ts";
import type { Delta } from "./openai.ts";
import type { Item } from "./stage.ts";

export class Introduction {
  #role: string | undefined; // what the first chunk says
  #begun = false; // the first chunk has come
  #moved = false; // the role went out with another chunk than its own
  #over = false;

  /** Nothing is left to do. */
  get over(): boolean {
    return this.#over;
  }

  /** What goes out for a chunk with `delta`, or for none, with the role where it belongs. */
  pass(out: Item[], delta?: unknown): Item[] {
    if (this.#over) return out;
    if (!this.#begun && isObject(delta)) {
      this.#begun = true;
      this.#role = typeof delta.role === "string" ? delta.role : undefined;
    }
    const [first] = out;
    if (first === undefined) return out;
    if (this.#moved) return out.flatMap(withoutRole);
    this.#moved = this.#role !== undefined && !bearsRole(first);
    this.#over = !this.#moved;
    if (this.#over) return out;
    return [withDelta(first, { role: this.#role!, ...deltaOf(first) }), ...out.slice(1).flatMap(withoutRole)];
  }
}

function deltaOf({ chunk }: Item): Delta {
  return chunk.choices?.[0]?.delta ?? {};
}

function bearsRole(item: Item): boolean {
  return deltaOf(item).role !== undefined;
}

/** What is left of an item without the role: clients that join strings must not get it twice. */
function withoutRole(item: Item): Item[] {
  if (!bearsRole(item)) return [item];
  const { role: _, ...delta } = deltaOf(item);
  const left = withDelta(item, delta);
  return saysAnything(left) ? [left] : [];
}

/** The item with another delta: no longer as it came. */
function withDelta({ raw: _, ...item }: Item, delta: Delta): Item {
  return { ...item, chunk: { ...item.chunk, choices: [{ ...item.chunk.choices?.[0], delta }] } };
}

function saysAnything(item: Item): boolean {
  const [choice] = item.chunk.choices ?? [];
  return Object.keys(deltaOf(item)).length > 0 || choice?.finish_reason != null || choice?.logprobs != null ||
    item.chunk["usage"] != null;
}
