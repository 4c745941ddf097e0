/** Writes the `arguments` text of one call: parameters typed by the tool's schema, or JSON made strict. */
import { allowsString, Coercion } from "./coerce.ts";
import type { ParameterKind, Schema, Tree } from "./dialect.ts";
import type { ProblemCode } from "./event.ts";
import {
  AFTER_MEMBER,
  type JsonEnd,
  jsonGap,
  jsonMembers,
  type JsonOptions,
  type JsonRepair,
  jsonValue,
  parseLenient,
} from "./json.ts";
import { opensString } from "./json_string.ts";
import { Members } from "./members.ts";
import { declaredName } from "./names.ts";
import { ANY_VALUE, type JsonType, readToolSchema, type ToolSchema, type ValueSchema } from "./schema.ts";
import { Scanner, type Sink, type Step } from "./scanner.ts";
import { escapingSink, type Way, wayOf } from "./string_value.ts";
import { treeJson } from "./tree.ts";

/** What one call's arguments are written with. */
export interface ArgumentsOptions {
  /** Takes the fragments; together they are one JSON object. */
  readonly emit: Sink;
  /** The tool's `parameters`. */
  readonly schema: Schema | undefined;
  readonly problem: (code: ProblemCode, detail: string) => void;
}

/** Writes the arguments of one call. */
export class ArgumentsWriter {
  readonly #options: ArgumentsOptions;
  readonly #schema: ToolSchema;
  readonly #names = new Set<string>(); // what the call has
  readonly #aliases = new Map<string, string>(); // a misspelled name, and the declared one that it means
  readonly #members: Members;
  readonly #coercion: Coercion;
  readonly #texts = new Map<string, string[]>(); // what came for each array
  #close: (() => void) | undefined; // closes the parameter that is open
  #wrapper: { name: string; text: string; settle: () => void } | undefined; // may hold all the others

  constructor(options: ArgumentsOptions) {
    this.#options = options;
    this.#schema = readToolSchema(options.schema);
    this.#members = new Members(options.emit);
    this.#coercion = new Coercion(options.problem);
  }

  /** Names of the declared parameters. */
  get parameters(): readonly string[] {
    return [...this.#schema.properties.keys()];
  }

  /** Whether anything has gone out. */
  get started(): boolean {
    return this.#members.started;
  }

  /** Required parameters that the call does not have; to be asked after `end()`. */
  missing(): string[] {
    return this.#schema.required.filter((name) => !this.#names.has(name));
  }

  /** Starts one parameter; the sink takes its text. The next `parameter()` or `end()` closes it. */
  parameter(name: string, kind?: ParameterKind): Sink {
    this.#settle();
    const resolved = this.#resolve(name.trim());
    if (!this.#mayWrap(resolved)) return this.#open(resolved, kind);
    let text = "";
    this.#names.add(resolved);
    this.#close = () => {
      const settle = () => {
        this.#names.delete(resolved);
        this.#open(resolved, kind)(text);
        this.#closeOpen();
      };
      this.#wrapper = { name: resolved, text, settle };
    };
    return (piece) => text += piece;
  }

  /** One parameter that was written as nested elements. */
  tree(name: string, tree: Tree): void {
    const schema = this.#valueSchema(this.#resolve(name.trim()));
    const text = typeof tree === "string" ? tree : treeJson(name, tree, schema, this.#coercion);
    this.parameter(name, typeof tree === "string" ? undefined : "json")(text);
  }

  /** Reads the arguments as one JSON object, leniently. False when it is cut off, or no object. */
  *json(scan: Scanner, options: Pick<JsonOptions, "after" | "closers"> = {}): Step<boolean> {
    this.#settle();
    const repairs = new Set<JsonRepair>();
    const within: JsonOptions = { ...options, onRepair: (kind) => repairs.add(kind) };
    const first = yield* jsonGap(scan, within);
    const whole = first === "{"
      ? (yield* jsonMembers(scan, (key) => this.#member(scan, key, within), within)) === "complete"
      : yield* this.#otherJson(scan, within);
    if (whole) repairs.forEach((kind) => this.#coercion.repaired(kind));
    return whole;
  }

  /** Takes the whole arguments as JSON text. False, with nothing written, when it is no object. */
  jsonText(text: string): boolean {
    if (text.trim() === "") return true;
    const json = this.#coercion.lenient((options) => parseLenient(text, options));
    if (json === undefined) return false;
    const scan = new Scanner();
    scan.push(json);
    scan.end();
    return this.json(scan).next().value === true; // all is there: it never pauses
  }

  /** The call is whole. */
  end(): void {
    this.#closeOpen();
    while (this.#wrapper !== undefined) {
      const { name, text } = this.#wrapper;
      const json = /^\s*[{"']/.test(text) ? this.#coercion.objectIn(text) : undefined;
      if (json === undefined) this.#settle();
      else {
        this.#wrapper = undefined;
        this.#names.delete(name);
        this.#options.problem("arguments-repaired", `all of them were inside ${name}`);
        this.jsonText(json);
      }
    }
    this.#members.end();
  }

  #closeOpen(): void {
    const close = this.#close;
    this.#close = undefined;
    close?.();
  }

  /** What is to come is not inside the parameter that came before. */
  #settle(): void {
    this.#closeOpen();
    const wrapper = this.#wrapper;
    this.#wrapper = undefined;
    wrapper?.settle();
  }

  #mayWrap(name: string): boolean {
    const { properties, none } = this.#schema;
    return (none || properties.size > 0) && !properties.has(name) && this.#names.size === 0 &&
      (name === "arguments" || name === "input");
  }

  /** The declared name that is meant, when there is but one. */
  #resolve(name: string): string {
    const alias = this.#aliases.get(name);
    if (alias !== undefined || this.#schema.properties.has(name)) return alias ?? name;
    const meant = declaredName(name, this.parameters);
    if (meant === undefined || this.#names.has(meant)) return name;
    this.#aliases.set(name, meant);
    this.#options.problem("arguments-repaired", `parameter ${name} is ${meant}`);
    return meant;
  }

  #valueSchema(name: string): ValueSchema {
    return this.#schema.properties.get(name) ?? ANY_VALUE;
  }

  #open(name: string, kind: ParameterKind): Sink {
    const schema = this.#valueSchema(name);
    const isArray = schema.types?.has("array") === true && !allowsString(schema);
    if (this.#names.has(name)) {
      if (!isArray) this.#options.problem("parameter-repeated", name);
      this.#members.drop(name);
    }
    this.#names.add(name);
    const string = this.#members.stream(name), escaping = escapingSink(string.flow);
    let way: Way, held = ""; // held while it is open how the value will go out, or until it is whole
    this.#close = () => {
      if (way === "stream") {
        escaping.end();
        string.write('"');
        string.close();
      } else if (isArray) {
        const texts = [...this.#texts.get(name) ?? [], held];
        this.#texts.set(name, texts);
        this.#members.add(name, () => this.#coercion.array(name, texts, schema)); // more may come
      } else this.#members.add(name, this.#coercion.typed(name, held, schema, kind));
    };
    return (text) => {
      if (way !== "stream") {
        held += text;
        way ??= wayOf(held, schema, kind);
        if (way !== "stream") return;
        string.write('"');
        text = held;
        held = "";
      }
      escaping.write(text);
    };
  }

  *#member(scan: Scanner, key: string, options: JsonOptions): Step<JsonEnd> {
    this.#settle();
    const name = this.#resolve(key);
    const schema = this.#valueSchema(name);
    const mayWrap = this.#mayWrap(name);
    const first = yield* jsonGap(scan, options);
    const type = opensString(first) ? "string" : STREAMED.get(first);
    this.#names.add(name);
    if (!mayWrap && type !== undefined && (schema.types?.has(type) ?? true)) {
      const stream = this.#members.stream(name);
      const streaming = { ...options, after: AFTER_MEMBER, text: stream.flow };
      const end = yield* jsonValue(scan, stream.write, streaming);
      if (end === "complete") stream.close();
      return end;
    }
    let json = "";
    const collect: Sink = (text) => json += text;
    const end = yield* jsonValue(scan, collect, { ...options, after: AFTER_MEMBER, text: collect });
    if (end !== "complete") return end;
    const settle = () => this.#members.add(name, this.#coercion.retyped(name, json, schema));
    if (mayWrap) this.#wrapper = { name, text: json, settle };
    else settle();
    return end;
  }

  /** Arguments that are no object: a string that holds one, nothing, or the one array that is required. */
  *#otherJson(scan: Scanner, options: JsonOptions): Step<boolean> {
    let json = "";
    const collect: Sink = (text) => json += text;
    if ((yield* jsonValue(scan, collect, { ...options, text: collect })) !== "complete") return false;
    if (json === "null") return true;
    if (json.startsWith('"')) {
      if (/^\s*(?:null\s*)?$/.test(JSON.parse(json) as string)) return true;
      const object = this.#coercion.objectIn(json);
      if (object === undefined) return false;
      this.#options.problem("arguments-repaired", "they were encoded twice");
      return this.jsonText(object);
    }
    const [name, ...others] = this.#schema.required;
    const takesArray = name !== undefined && this.#valueSchema(name).types?.has("array") === true;
    if (json === "[]" && !takesArray) {
      this.#options.problem("arguments-repaired", "an empty list for no arguments");
      return true;
    }
    if (!json.startsWith("[") || !takesArray || others.length > 0) return false;
    this.#options.problem("arguments-repaired", `the array is ${name}`);
    this.#names.add(name);
    this.#members.add(name, json);
    return true;
  }
}

/** What begins so may go out as it comes. */
const STREAMED = new Map<string, JsonType>([["{", "object"], ["[", "array"]]);
