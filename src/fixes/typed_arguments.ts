/** The arguments of native calls, each of the type that its schema wants; what has that type streams on. */
import { Coercion } from "../parse/coerce.ts";
import type { Tool } from "../parse/dialect.ts";
import { type JsonType, readToolSchema, type ToolSchema, type ValueSchema } from "../parse/schema.ts";
import { isObject } from "../wire/call_piece.ts";
import { JsonDepth } from "../wire/json_depth.ts";
import type { Delta, ToolCallDelta } from "../wire/openai.ts";
import type { Item, Stage } from "../wire/stage.ts";
import { textOr } from "./body.ts";
import { touchesCalls } from "./stages.ts";

/** A stage behind the wire's own: each call's arguments are one JSON object, in pieces. */
export function typedArguments(tools: readonly Tool[]): Stage {
  const schemas = new Map<string, ToolSchema | undefined>(); // of the tools that were called
  const schemaOf = (name: string): ToolSchema | undefined => {
    if (!schemas.has(name)) {
      const tool = tools.findLast((tool) => tool.name === name);
      schemas.set(name, tool && readToolSchema(tool.parameters));
    }
    return schemas.get(name);
  };
  const calls = new Map<string, TypedText>(); // by choice and index

  const change = (of: number, delta: Delta): Delta => {
    if (!Array.isArray(delta.tool_calls)) return delta;
    let same = true;
    const list = delta.tool_calls.map((call) => {
      if (!isObject(call) || !isObject(call.function)) return call;
      const schema = schemaOf(textOr(call.function.name, ""));
      const key = `${of} ${call.index}`;
      if (schema !== undefined) calls.set(key, new TypedText(schema));
      const given = textOr(call.function.arguments, "");
      const text = calls.get(key)?.feed(given) ?? given;
      same &&= text === given;
      return text === given
        ? call
        : { ...call, function: { ...call.function, arguments: text } } as ToolCallDelta;
    });
    return same ? delta : { ...delta, tool_calls: list };
  };

  /** What is still held when a choice is over: it was cut off, and goes out as it came. */
  const rest = (of: number): ToolCallDelta[] =>
    [...calls].flatMap(([key, text]) => {
      const [choice, index] = key.split(" ").map(Number);
      if (choice !== of) return [];
      calls.delete(key);
      const held = text.end();
      return held === "" ? [] : [{ index: index!, function: { arguments: held } }];
    });

  return {
    chunk(item) {
      const { choices } = item.chunk;
      if (item.typed || !Array.isArray(choices) || !touchesCalls(item.chunk)) return [item];
      const before: Item[] = [];
      let same = true;
      const changed = choices.map((choice, position) => {
        if (!isObject(choice)) return choice;
        const of = typeof choice.index === "number" ? choice.index : position;
        const delta = isObject(choice.delta) ? change(of, choice.delta) : choice.delta;
        const owed = typeof choice.finish_reason === "string" ? rest(of) : [];
        if (owed.length > 0) {
          const { usage: _, ...envelope } = item.chunk;
          before.push({
            chunk: {
              ...envelope,
              choices: [{ index: of, delta: { tool_calls: owed }, finish_reason: null }],
            },
          });
        }
        same &&= delta === choice.delta;
        return delta === choice.delta ? choice : { ...choice, delta: delta! };
      });
      return [...before, same ? item : { chunk: { ...item.chunk, choices: changed } }];
    },
    end: () => [],
  };
}

/** What the text is at. */
type Phase = "open" | "member" | "key" | "colon" | "value" | "string" | "container" | "word" | "past";

/** One call's arguments: the members of an object, of which each value is passed, or held until it is whole. */
export class TypedText {
  readonly #schema: ToolSchema;
  readonly #coercion = new Coercion(() => {});
  readonly #json = new JsonDepth();
  #phase: Phase = "open";
  #key = ""; // the member's name, as JSON
  #value: ValueSchema | undefined; // what the schema says of its value, where it is known
  #held: string | undefined; // a value whose type does not fit, as far as it has come

  constructor(schema: ToolSchema) {
    this.#schema = schema;
  }

  /** What goes on of `text`. */
  feed(text: string): string {
    let out = "";
    for (let at = 0; at < text.length;) {
      const from = at;
      const phase = this.#phase;
      at = this.#step(text, at);
      const piece = text.slice(from, at);
      if (this.#held === undefined) out += piece;
      else {
        this.#held += piece;
        const over = this.#phase === "member" && phase !== "member";
        if (over) out += this.#settle();
      }
    }
    return out;
  }

  /** The text is over. */
  end(): string {
    const held = this.#held ?? "";
    this.#held = undefined;
    return held;
  }

  #settle(): string {
    const json = this.end();
    try {
      JSON.parse(json);
    } catch {
      return json; // nothing can be said of it
    }
    return this.#coercion.retyped(this.#key, json, this.#value!);
  }

  #step(text: string, at: number): number {
    const char = text.charAt(at);
    const space = char === " " || char === "\n" || char === "\t" || char === "\r";
    switch (this.#phase) {
      case "open":
        return space ? at + 1 : this.#turn(char === "{" ? "member" : "past", at + 1);
      case "member":
        if (space || char === ",") return at + 1;
        if (char !== '"') return this.#turn("past", at + 1);
        this.#key = '"';
        return this.#open("key", at);
      case "key": {
        const end = this.#json.closeString(text, at);
        this.#key += text.slice(at, end);
        return this.#json.quoted ? end : this.#turn("colon", end);
      }
      case "colon":
        return space ? at + 1 : this.#turn(char === ":" ? "value" : "past", at + 1);
      case "value":
        return space ? at + 1 : this.#begin(char, at);
      case "string":
        at = this.#json.closeString(text, at);
        return this.#json.quoted ? at : this.#turn("member", at);
      case "container":
        at = this.#json.close(text, at);
        return this.#json.depth > 0 ? at : this.#turn("member", at);
      case "word": {
        const end = text.slice(at).search(/[\s,}\]]/);
        return end === -1 ? text.length : this.#turn("member", at + end);
      }
      case "past":
        return text.length;
    }
  }

  /** A value begins; it is held when it may have to be of another type. */
  #begin(char: string, at: number): number {
    this.#value = this.#schema.properties.get(nameOf(this.#key));
    const types = this.#value?.types;
    const type: JsonType | undefined = char === '"'
      ? "string"
      : char === "{"
      ? "object"
      : char === "["
      ? "array"
      : undefined;
    const fits = types === undefined || (type === undefined ? !types.has("string") : types.has(type));
    if (!fits) this.#held = "";
    if (type === undefined) return this.#turn("word", at);
    if (type === "string") return this.#open("string", at);
    this.#json.depth = 1;
    return this.#turn("container", at + 1);
  }

  #open(phase: Phase, at: number): number {
    this.#json.quoted = true;
    return this.#turn(phase, at + 1);
  }

  #turn(phase: Phase, at: number): number {
    this.#phase = phase;
    return at;
  }
}

function nameOf(key: string): string {
  try {
    return JSON.parse(key) as string;
  } catch {
    return ""; // broken: it is no parameter's name
  }
}
