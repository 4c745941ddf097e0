/** Reads a tool's JSON Schema: which parameters it declares, which it requires, which types they may have. */
import type { Schema } from "./dialect.ts";

export type JsonType = "array" | "boolean" | "integer" | "null" | "number" | "object" | "string";

/** What a schema says of one value. */
export interface ValueSchema {
  /** The types that it may have; undefined when the schema does not say. */
  readonly types: ReadonlySet<JsonType> | undefined;
  /** The values are listed one by one. */
  readonly enumerated: boolean;
  /** What an array's elements may be. */
  readonly items: () => ValueSchema;
  /** What a member of an object may be. */
  readonly property: (name: string) => ValueSchema;
  /** The members of an object that are declared. */
  readonly members: () => ReadonlySet<string>;
}

/** What a tool's schema says of its parameters. */
export interface ToolSchema {
  /** The declared parameters, in their order. */
  readonly properties: ReadonlyMap<string, ValueSchema>;
  readonly required: readonly string[];
  /** It says that there are none. */
  readonly none: boolean;
}

/** Nothing is known of the value. */
export const ANY_VALUE: ValueSchema = {
  types: undefined,
  enumerated: false,
  items: () => ANY_VALUE,
  property: () => ANY_VALUE,
  members: () => new Set(),
};

const known = new WeakMap<Schema, ToolSchema>(); // a request's tools are called again and again

/** Reads the schema of a tool's parameters; anything odd in it counts as not said. */
export function readToolSchema(root: Schema | undefined): ToolSchema {
  let read = isRecord(root) ? known.get(root) : undefined;
  if (read !== undefined) return read;
  const { properties, required } = readObject(root, root, new Set());
  read = {
    properties: new Map([...properties].map(([name, schema]) => [name, readValue(schema, root)])),
    required: [...required],
    none: properties.size === 0 && isRecord(root) && isRecord(root.properties),
  };
  if (isRecord(root)) known.set(root, read);
  return read;
}

function readValue(schema: unknown, root: unknown): ValueSchema {
  return {
    types: typesOf(schema, root, new Set()),
    enumerated: isEnumerated(schema, root, new Set()),
    items: () => readValue(itemsOf(schema, root, new Set()), root),
    property: (name) => readValue(readObject(schema, root, new Set()).properties.get(name), root),
    members: () => new Set(readObject(schema, root, new Set()).properties.keys()),
  };
}

/** Properties and required names of an object, through `$ref`, `allOf`, `oneOf` and `anyOf`. */
function readObject(schema: unknown, root: unknown, seen: ReadonlySet<unknown>): {
  properties: Map<string, unknown>;
  required: Set<string>;
} {
  const properties = new Map<string, unknown>();
  const required = new Set<string>();
  if (!isRecord(schema) || seen.has(schema)) return { properties, required };
  const within = new Set([...seen, schema]);
  const add = (keyword: string, name: string, property: unknown) => {
    const before = properties.get(name);
    properties.set(name, properties.has(name) ? { [keyword]: [before, property] } : property);
  };
  if (isRecord(schema.properties)) {
    for (const [name, property] of Object.entries(schema.properties)) properties.set(name, property);
  }
  for (const name of listOf(schema.required)) if (typeof name === "string") required.add(name);
  for (const part of [...refOf(schema, root), ...listOf(schema.allOf)]) {
    const read = readObject(part, root, within);
    for (const [name, property] of read.properties) add("allOf", name, property);
    for (const name of read.required) required.add(name);
  }
  for (const ways of [listOf(schema.oneOf), listOf(schema.anyOf)]) {
    const read = ways.map((way) => readObject(way, root, within));
    const own = new Set(properties.keys()); // what holds for all ways stands above what one of them says
    for (const way of read) {
      for (const [name, property] of way.properties) if (!own.has(name)) add("anyOf", name, property);
    }
    for (const name of read[0]?.required ?? []) {
      if (read.every((way) => way.required.has(name))) required.add(name);
    }
  }
  return { properties, required };
}

/** The types that all of a schema's keywords allow together; undefined when any type is. */
function typesOf(schema: unknown, root: unknown, seen: ReadonlySet<unknown>): Set<JsonType> | undefined {
  if (!isRecord(schema) || seen.has(schema)) return undefined;
  const within = new Set([...seen, schema]);
  const limits: (Set<JsonType> | undefined)[] = [];
  if (schema.type !== undefined) {
    const named = (Array.isArray(schema.type) ? schema.type : [schema.type]).map(typeNamed);
    limits.push(named.includes(undefined) ? undefined : new Set(named as JsonType[]));
  }
  if (Array.isArray(schema.enum)) limits.push(new Set(schema.enum.map(typeOf)));
  if ("const" in schema) limits.push(new Set([typeOf(schema.const)]));
  for (const part of [...refOf(schema, root), ...listOf(schema.allOf)]) {
    limits.push(typesOf(part, root, within));
  }
  for (const ways of [listOf(schema.oneOf), listOf(schema.anyOf)]) {
    const types = ways.map((way) => typesOf(way, root, within));
    if (types.length > 0 && !types.includes(undefined)) {
      limits.push(new Set(types.flatMap((way) => [...way!])));
    }
  }
  const said = limits.filter((limit) => limit !== undefined);
  if (said.length === 0) return implied(schema);
  const types = said.reduce(both);
  if (types.size === 0) return undefined; // it contradicts itself
  if (schema.nullable === true) types.add("null");
  return types;
}

/** What a schema without a type is meant to be. */
function implied(schema: Schema): Set<JsonType> | undefined {
  const type = isRecord(schema.properties)
    ? "object"
    : schema.items !== undefined || schema.prefixItems !== undefined
    ? "array"
    : undefined;
  return type && new Set<JsonType>(schema.nullable === true ? [type, "null"] : [type]);
}

function both(one: ReadonlySet<JsonType>, other: ReadonlySet<JsonType>): Set<JsonType> {
  const integer = (one.has("integer") && other.has("number")) || (one.has("number") && other.has("integer"));
  const types = new Set([...one].filter((type) => other.has(type)));
  return integer ? types.add("integer") : types;
}

function isEnumerated(schema: unknown, root: unknown, seen: ReadonlySet<unknown>): boolean {
  if (!isRecord(schema) || seen.has(schema)) return false;
  if (Array.isArray(schema.enum) || "const" in schema) return true;
  const parts = [
    ...refOf(schema, root),
    ...listOf(schema.allOf),
    ...listOf(schema.oneOf),
    ...listOf(schema.anyOf),
  ];
  return parts.some((part) => isEnumerated(part, root, new Set([...seen, schema])));
}

function itemsOf(schema: unknown, root: unknown, seen: ReadonlySet<unknown>): unknown {
  if (!isRecord(schema) || seen.has(schema)) return undefined;
  if (isRecord(schema.items)) return schema.items;
  const parts = [
    ...refOf(schema, root),
    ...listOf(schema.allOf),
    ...listOf(schema.oneOf),
    ...listOf(schema.anyOf),
  ];
  for (const part of parts) {
    const items = itemsOf(part, root, new Set([...seen, schema]));
    if (items !== undefined) return items;
  }
  return undefined;
}

/** What `$ref` points at, when it is in the same schema. */
function refOf(schema: Schema, root: unknown): unknown[] {
  if (typeof schema.$ref !== "string" || !schema.$ref.startsWith("#")) return [];
  let at: unknown = root;
  for (const step of schema.$ref.slice(1).split("/").slice(1)) {
    const key = decode(step).replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, key)) return [];
    at = (at as Schema)[key];
  }
  return [at];
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a lone % is meant as it stands
  }
}

/** Type names as JSON Schema has them, and as Python and Gemini write them. */
const TYPES = new Map<string, JsonType>([
  ...(["array", "boolean", "integer", "null", "number", "object", "string"] as const).map((type) =>
    [type, type] as const
  ),
  ["str", "string"],
  ["int", "integer"],
  ["float", "number"],
  ["bool", "boolean"],
  ["list", "array"],
  ["dict", "object"],
]);

function typeNamed(name: unknown): JsonType | undefined {
  return typeof name === "string" ? TYPES.get(name.toLowerCase()) : undefined;
}

function typeOf(value: unknown): JsonType {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeNamed(typeof value) ?? "string";
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function isRecord(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
