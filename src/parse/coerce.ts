/** Gives a value the type its schema wants, as JSON text: never through a double, never by guessing. */
import type { ParameterKind } from "./dialect.ts";
import type { ProblemCode } from "./event.ts";
import { type JsonOptions, type JsonRepair, parseLenient } from "./json.ts";
import type { JsonType, ValueSchema } from "./schema.ts";

/** Whether `schema` lets a value be a string; also when it does not say. */
export function allowsString({ types }: ValueSchema): boolean {
  return types === undefined || types.has("string");
}

/** Whether the bare word `null` is no string. */
export function isNullable({ types, enumerated }: ValueSchema): boolean {
  return types?.has("null") === true && !enumerated;
}

/** Whether `schema` rules out a value that is strict JSON text. */
export function rejects({ types }: ValueSchema, json: string): boolean {
  if (types === undefined) return false;
  const type = typeOfJson(json);
  if (type === "integer") return !types.has("integer") && !types.has("number");
  if (type === "number" && /^-?\d+\.0+$/.test(json)) return !types.has("integer") && !types.has("number");
  return !types.has(type);
}

/** The type of a value that is strict JSON text. */
export function typeOfJson(json: string): JsonType {
  const first = json.charAt(0);
  if (first === '"') return "string";
  if (first === "{") return "object";
  if (first === "[") return "array";
  if (first === "n") return "null";
  if (first === "t" || first === "f") return "boolean";
  return /^-?\d+$/.test(json) ? "integer" : "number";
}

/**
 * The text of a parameter whose schema allows no string, as JSON (dialects.md §9.1): null before booleans before
 * numbers before arrays and objects. Undefined when it fits no type that is allowed.
 */
function fitText(text: string, schema: ValueSchema, options: JsonOptions = {}): string | undefined {
  const types = schema.types ?? new Set<JsonType>();
  const trimmed = text.trim();
  const word = trimmed.toLowerCase();
  if (word === "null" || word === "none") return "null";
  if (types.has("boolean") && (word === "true" || word === "false")) return word;
  if (types.has("integer") || types.has("number")) {
    if (/^-?\d+$/.test(trimmed)) return trimmed.replace(/^(-?)0+(?=\d)/, "$1");
    if (types.has("number")) {
      if (NUMBER.test(trimmed) && Number.isFinite(Number(trimmed))) return trimmed;
    } else if (/^-?\d+\.0+$/.test(trimmed)) {
      return trimmed.slice(0, trimmed.indexOf(".")).replace(/^(-?)0+(?=\d)/, "$1");
    }
  }
  if (!/^[[{("'“”„\\/]/.test(trimmed)) return undefined;
  const json = parseLenient(trimmed, options);
  if (json === undefined) return undefined;
  if (!rejects(schema, json)) return json;
  return json.startsWith('"') ? fitString(json, schema, options) : undefined;
}

/** A JSON string whose schema allows none, as what it holds: it was encoded twice. */
function fitString(json: string, schema: ValueSchema, options: JsonOptions = {}): string | undefined {
  const text = JSON.parse(json) as string;
  const twice = /^\s*["'“”„]/.test(text); // three times is no more than noise
  const fitted = twice ? undefined : fitText(text, schema, options);
  return fitted === undefined || rejects(schema, fitted) ? undefined : fitted;
}

/** Types the values of one call, and names what had to be mended. */
export class Coercion {
  readonly #problem: (code: ProblemCode, detail: string) => void;
  readonly #repairs = new Set<JsonRepair>(); // named already

  constructor(problem: (code: ProblemCode, detail: string) => void) {
    this.#problem = problem;
  }

  /** The text of a parameter as JSON. */
  typed(name: string, text: string, schema: ValueSchema, kind?: ParameterKind): string {
    if (!allowsString(schema)) {
      const fitted = this.lenient((options) => fitText(text, schema, options));
      if (fitted === undefined) this.#problem("parameter-type", name);
      return fitted ?? quote(text);
    }
    if (kind === "json") {
      const json = this.lenient((options) => {
        const value = parseLenient(text, options);
        return value === undefined || rejects(schema, value) ? undefined : value;
      });
      if (json !== undefined) return json;
    } else if (kind === undefined && isNullable(schema) && NULL.test(text)) return "null";
    return quote(text);
  }

  /** An array out of its one text, or out of one text for each element. */
  array(name: string, texts: readonly string[], schema: ValueSchema): string {
    if (texts.length === 1) return this.typed(name, texts[0]!, schema);
    const items = schema.items();
    const elements = texts.map((text) => {
      const json = /^\s*\[/.test(text) ? this.lenient((options) => parseLenient(text, options)) : undefined;
      if (json !== undefined && (items.types === undefined || rejects(items, json))) return json.slice(1, -1);
      return this.typed(name, text, items);
    });
    return `[${elements.filter((element) => element !== "").join(",")}]`;
  }

  /** A value of a JSON object, of the type that its schema wants if it has another. */
  retyped(name: string, json: string, schema: ValueSchema): string {
    if (!rejects(schema, json)) return json;
    const type = typeOfJson(json);
    const fitted = type === "string"
      ? this.lenient((options) => fitString(json, schema, options))
      : allowsString(schema) && type !== "null"
      ? quote(json)
      : undefined;
    if (fitted !== undefined) this.#problem("arguments-repaired", `type of ${name}`);
    else if (type === "string") this.#problem("parameter-type", name);
    return fitted ?? json;
  }

  /** The JSON object that `text` is, or that the JSON string in it holds. */
  objectIn(text: string): string | undefined {
    const json = this.lenient((options) => parseLenient(text, options));
    if (json?.startsWith('"')) return this.objectIn(JSON.parse(json) as string);
    return json?.startsWith("{") ? json : undefined;
  }

  /** Reads leniently; what had to be mended is named if it came to something. */
  lenient<T>(read: (options: JsonOptions) => T | undefined): T | undefined {
    const repairs: JsonRepair[] = [];
    const result = read({ onRepair: (kind) => repairs.push(kind) });
    if (result !== undefined) repairs.forEach((kind) => this.repaired(kind));
    return result;
  }

  /** Names a repair, the first time. */
  repaired(kind: JsonRepair): void {
    if (!this.#repairs.has(kind)) this.#problem("arguments-repaired", kind);
    this.#repairs.add(kind);
  }
}

/** A string as JSON. */
export function quote(text: string): string {
  return JSON.stringify(text);
}

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const NULL = /^\s*null\s*$/i;
