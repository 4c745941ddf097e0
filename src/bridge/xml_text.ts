/** Writes a call as an element that is named after its tool. */
import { allowsString, isNullable, typeOfJson } from "../parse/coerce.ts";
import { ANY_VALUE, readToolSchema, type ValueSchema } from "../parse/schema.ts";
import type { PastCall, SchemaOf } from "./bridge.ts";
import { membersOf } from "./past_call.ts";

/** The call as text; what the schema does not tell of a value stands in its tag. */
export function elementText({ name, json }: PastCall, schemaOf: SchemaOf): string {
  const members = membersOf(json);
  const { properties } = readToolSchema(schemaOf(name));
  if (!members.every(([key]) => PLAIN_NAME.test(key))) return `<${name}>\n${json}\n</${name}>`;
  const children = members.map(([key, value]) => childText(key, value, properties.get(key) ?? ANY_VALUE));
  return [`<${name}>`, ...children, `</${name}>`].join("\n");
}

function childText(name: string, json: string, schema: ValueSchema): string {
  const isString = typeOfJson(json) === "string";
  const text = isString ? JSON.parse(json) as string : json;
  const mistaken = isString
    ? isNullable(schema) && /^\s*null\s*$/i.test(text) // would be read as null
    : allowsString(schema); // would be read as a string
  const tag = mistaken ? `${name} type="${isString ? "string" : "json"}"` : name;
  return `<${tag}>${NEEDS_CDATA.test(text) ? cdataText(text) : text}</${name}>`;
}

function cdataText(text: string): string {
  return `<![CDATA[${text.replaceAll("]]>", "]]]]><![CDATA[>")}]]>`;
}

const PLAIN_NAME = /^[\w.:-]+$/;
const NEEDS_CDATA = /<|^\r?\n|^\r/;
