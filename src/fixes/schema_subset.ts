/** JSON Schema brought down to the part of it that Google's models take: references inlined, keywords taken out. */
import { isObject } from "../wire/call_piece.ts";
import type { Json } from "../wire/openai.ts";
import { textOr } from "./body.ts";

/** Keywords that Vertex refuses the whole request for; so it does every other one with a `$` in front. */
const REFUSED = new Set([
  "definitions",
  "patternProperties",
  "if",
  "then",
  "else",
  "not",
  "contentMediaType",
  "contentEncoding",
  "propertyNames",
  "uniqueItems",
  "exclusiveMinimum",
  "exclusiveMaximum",
]);

/** Keywords whose value is a schema or a list of schemas, and those whose value has schemas by name. */
const SCHEMAS = new Set([
  "items",
  "additionalItems",
  "additionalProperties",
  "unevaluatedItems",
  "unevaluatedProperties",
  "prefixItems",
  "contains",
  "anyOf",
  "oneOf",
  "allOf",
]);
const NAMED_SCHEMAS = new Set(["properties", "dependentSchemas"]);

/** Beyond so many schemas, references are cut: inlining can double the size with each level. */
const MOST = 5_000;

/** The schema without what is refused; the same object when there is nothing of it. */
export function schemaSubset(schema: Json): Json {
  const reduced = new Reduction(schema).schema(schema, []);
  return isObject(reduced) && JSON.stringify(reduced) !== JSON.stringify(schema) ? reduced : schema;
}

class Reduction {
  readonly #root: Json;
  #left = MOST;

  constructor(root: Json) {
    this.#root = root;
  }

  /** `within`: the references that are being inlined. */
  schema(value: unknown, within: readonly string[]): unknown {
    if (Array.isArray(value)) return value.map((each: unknown) => this.schema(each, within));
    if (!isObject(value)) return value;
    this.#left--;
    const reference = this.#referenceOf(value);
    if (reference === undefined) return this.#keywords(value, within);
    const { $ref: _, ref: __, ...beside } = value;
    const own = this.#keywords(beside, within);
    const target = this.#find(reference);
    if (!isObject(target)) return own;
    if (within.includes(reference) || this.#left < 0) return { ...outline(target), ...own };
    const inlined = this.schema(target, [...within, reference]);
    return isObject(inlined) ? { ...inlined, ...own } : own;
  }

  #keywords(schema: Json, within: readonly string[]): Json {
    const out: Json = {};
    for (const [key, value] of Object.entries(schema)) {
      if (REFUSED.has(key) || key.startsWith("$") || (key === "ref" && typeof value === "string")) continue;
      put(out, key, this.#keyword(key, value, within));
    }
    const { exclusiveMinimum: above, exclusiveMaximum: below } = schema;
    if (numberOf(above) !== undefined) out.minimum = bound(Math.max, out.minimum, above);
    if (numberOf(below) !== undefined) out.maximum = bound(Math.min, out.maximum, below);
    return out;
  }

  #keyword(key: string, value: unknown, within: readonly string[]): unknown {
    if (SCHEMAS.has(key)) return this.schema(value, within);
    if (!NAMED_SCHEMAS.has(key) || !isObject(value)) return value; // of enum, const and default every word is data
    const named: Json = {};
    for (const [name, each] of Object.entries(value)) put(named, name, this.schema(each, within));
    return named;
  }

  /** What a schema refers to. OpenCode writes a name under `ref`, which means something only where it is defined. */
  #referenceOf({ $ref, ref }: Json): string | undefined {
    if (typeof $ref === "string") return $ref;
    return typeof ref === "string" && this.#find(ref) !== undefined ? ref : undefined;
  }

  #find(reference: string): unknown {
    if (!reference.startsWith("#")) {
      const name = reference.replace(/^\//, "");
      const all = [this.#root.$defs, this.#root.definitions].filter(isObject);
      return all.find((definitions) => Object.hasOwn(definitions, name))?.[name];
    }
    let at: unknown = this.#root;
    for (const step of reference.slice(1).split("/").slice(1)) {
      const key = decode(step).replaceAll("~1", "/").replaceAll("~0", "~");
      if (typeof at !== "object" || at === null || !Object.hasOwn(at, key)) return undefined;
      at = (at as Json)[key];
    }
    return at;
  }
}

/** What stands for a schema that contains itself. */
function outline({ type, description, title }: Json): Json {
  return {
    type: textOr(type, "object"),
    ...(description === undefined ? {} : { description }),
    ...(title === undefined ? {} : { title }),
  };
}

/** The stricter of two bounds, with the digits that it came with. */
function bound(strictest: (...values: number[]) => number, value: unknown, exclusive: unknown): unknown {
  const own = numberOf(value);
  return own !== undefined && strictest(own, numberOf(exclusive)!) === own ? value : exclusive;
}

/** A number, also one that `parseExact()` has kept as it was written. */
function numberOf(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  return isObject(value) && typeof value.rawJSON === "string" ? Number(value.rawJSON) : undefined;
}

function put(into: Json, key: string, value: unknown): void {
  Object.defineProperty(into, key, { value, enumerable: true, configurable: true, writable: true });
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a lone % is meant as it stands
  }
}
