/** One entry of a `tool_calls` list, read with tolerance for what vendors make of it. */
import type { Delta, Json, ToolCallDelta } from "./openai.ts";

/** Fields that Callmend does not know, of the entry and of its `function`; they go on. */
export interface Extra {
  readonly outer: Json;
  readonly inner: Json;
}

export const none: Extra = { outer: {}, inner: {} };

/** What one entry says. */
export interface CallPiece {
  readonly index: number | undefined;
  readonly id: string | undefined;
  readonly name: string | undefined;
  /** The arguments as text. */
  readonly text: string;
  /** The arguments as they came. */
  readonly given: unknown;
  readonly extra: Extra;
  /** An entry that is no function call (`type: "custom"`): it passes as it is. */
  readonly opaque?: Json;
}

/** Reads an entry; undefined when it is none. */
export function readPiece(entry: unknown): CallPiece | undefined {
  if (!isObject(entry)) return undefined;
  const { index, id, type: _, function: called, name, arguments: flat, ...outer } = entry;
  const { name: inside, arguments: given = flat, ...inner } = isObject(called) ? called : {} as Json;
  const piece = {
    index: typeof index === "string" && /^\d+$/.test(index) ? Number(index) : place(index),
    id: word(typeof id === "number" ? String(id) : id),
    name: word(inside) ?? word(name),
    text: argumentText(given),
    given,
    extra: Object.keys(outer).length + Object.keys(inner).length === 0 ? none : { outer, inner },
  };
  return called === undefined && piece.name === undefined && isObject(entry.custom)
    ? { ...piece, opaque: entry }
    : piece;
}

/** Both; what came later wins. */
export function merged(first: Extra, second: Extra): Extra {
  if (second === none) return first;
  if (first === none) return second;
  return { outer: { ...first.outer, ...second.outer }, inner: { ...first.inner, ...second.inner } };
}

/** Whether `out` says the same as the entry it was made from, field by field. */
export function sameDelta(out: ToolCallDelta, entry: unknown): boolean {
  if (!isObject(entry)) return false;
  return sameFields(out, entry, (key) => {
    const called = entry.function;
    return key === "function" && isObject(called) && sameFields(out.function ?? {}, called, () => false);
  });
}

/** The old `function_call` field as the call it stands for; a delta without one is handed back as it is. */
export function fromFunctionCall(delta: Delta): Delta {
  if (!isObject(delta.function_call)) return delta;
  const { function_call: called, ...rest } = delta;
  if ((rest.tool_calls?.length ?? 0) > 0) return delta;
  // Without an index: it is `NativeCalls` that finds its place.
  return { ...rest, tool_calls: [{ function: called } as unknown as ToolCallDelta] };
}

/** Any JSON value in words; `String()` throws on objects whose `toString` is not what it should be. */
export function inWords(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value) ?? "";
}

/** Whether `value` is a JSON object. */
export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function sameFields(a: Json, b: Json, same: (key: string) => boolean): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && (a[key] === b[key] || same(key)));
}

function place(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

function word(value: unknown): string | undefined {
  return typeof value === "string" && value.trim() !== "" ? value : undefined;
}

/** PHP servers encode an empty object as `[]`. */
function argumentText(value: unknown): string {
  if (typeof value === "string") return value;
  if (value === null || value === undefined || (Array.isArray(value) && value.length === 0)) return "";
  return JSON.stringify(value);
}
