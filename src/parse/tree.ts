/** Values that were written as nested elements, as JSON: each text typed by its own part of the schema. */
import { allowsString, type Coercion, quote } from "./coerce.ts";
import type { Tree } from "./dialect.ts";
import type { ValueSchema } from "./schema.ts";

/** The value of `name`. Elements called `item`, and those of an array, are its elements; others are members. */
export function treeJson(name: string, tree: Tree, schema: ValueSchema, coercion: Coercion): string {
  if (typeof tree === "string") return coercion.typed(name, tree, schema);
  const isArray = schema.types?.has("array") === true && !allowsString(schema);
  if (
    tree.length > 0 && tree.every(([tag]) => tag === "item") &&
    (isArray || schema.types?.has("object") !== true)
  ) {
    return `[${tree.map(([, value]) => treeJson(name, value, schema.items(), coercion)).join(",")}]`;
  }
  if (isArray && !schema.types.has("object")) return `[${treeJson(name, tree, schema.items(), coercion)}]`;
  const members = new Map<string, Tree[]>();
  for (const [tag, value] of tree) members.set(tag, [...members.get(tag) ?? [], value]);
  const json = [...members].map(([tag, values]) => {
    const inner = schema.property(tag);
    if (values.length === 1) {
      return `${quote(tag)}:${treeJson(`${name}.${tag}`, values[0]!, inner, coercion)}`;
    }
    const elements = inner.types?.has("array") === true ? inner.items() : inner;
    return `${quote(tag)}:[${
      values.map((value) => treeJson(`${name}.${tag}`, value, elements, coercion)).join(",")
    }]`;
  });
  return `{${json.join(",")}}`;
}
