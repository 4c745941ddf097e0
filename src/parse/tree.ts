/** Values that were written as nested elements, as JSON: each text typed by its own part of the schema. */
import { allowsString, type Coercion, quote } from "./coerce.ts";
import type { Tree } from "./dialect.ts";
import type { ValueSchema } from "./schema.ts";

/** The value of `name`. Elements called `item`, and those of an array, are its elements; others are members. */
export function treeJson(name: string, tree: Tree, schema: ValueSchema, coercion: Coercion): string {
  if (typeof tree === "string") return coercion.typed(name, tree, schema);
  const isArray = schema.types?.has("array") === true && !allowsString(schema);
  const listed = tree.length > 0 && tree.every(([tag]) => tag === "item") &&
    (isArray || schema.types?.has("object") !== true);
  if (listed || (isArray && areElements(tree, schema.items()))) {
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

/** `<tags><tag>a</tag><tag>b</tag></tags>`: elements of one name, which says nothing that an element could have. */
function areElements(tree: Exclude<Tree, string>, items: ValueSchema): boolean {
  const tag = tree[0]?.[0];
  if (tag === undefined || items.types === undefined || tree.some(([other]) => other !== tag)) return false;
  if (!items.types.has("object")) return true;
  const members = items.members();
  return members.size > 0 && !members.has(tag) && tree.every(([, value]) => typeof value !== "string");
}
