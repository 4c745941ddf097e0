/** Arguments of native calls, typed by the schema, however they are cut. */
import assert from "node:assert/strict";
import { TypedText } from "../src/fixes/typed_arguments.ts";
import { readToolSchema } from "../src/parse/schema.ts";
import { test } from "./_test.ts";

const schema = readToolSchema({
  type: "object",
  properties: {
    text: { type: "string" },
    list: { type: "array", items: { type: "string" } },
    map: { type: "object" },
    flag: { type: "boolean" },
    count: { type: "integer" },
    maybe: { type: ["string", "null"] },
    either: { anyOf: [{ type: "string" }, { type: "array" }] },
    free: {},
  },
});

const cases: readonly (readonly [given: string, wanted: string])[] = [
  ['{"list":"[\\"a\\", \\"}\\"]"}', '{"list":["a","}"]}'],
  ['{ "map" : "{\\"a\\": 1}" , "text": "x" }', '{ "map" : {"a":1} , "text": "x" }'],
  ['{"flag":"True","count":"12345678901234567890"}', '{"flag":true,"count":12345678901234567890}'],
  ['{"text":{"name": "x", "n": [1]}}', '{"text":"{\\"name\\": \\"x\\", \\"n\\": [1]}"}'],
  ['{"text":12}', '{"text":"12"}'],
  ['{"text":[1]\n}', '{"text":"[1]"\n}'],
  ['{"either":"[1]"}', '{"either":"[1]"}'],
  ['{"free":"[1]","unknown":"{}"}', '{"free":"[1]","unknown":"{}"}'],
  ['{"maybe":null}', '{"maybe":null}'],
  ['{"text":null}', '{"text":null}'],
  ['{"list":"no list","count":"many"}', '{"list":"no list","count":"many"}'],
  ['{"text":"[1]","list":["a"],"count":1.0}', '{"text":"[1]","list":["a"],"count":1.0}'],
  ['{"te\\u0078t":1}', '{"te\\u0078t":"1"}'],
  ["{}", "{}"],
  ["[1]", "[1]"],
  ['{"text" 1}', '{"text" 1}'],
  ['{"count":}', '{"count":}'],
];

test("any/typed-arguments: a value gets its schema's type, all else stays to the last character, at every cut", () => {
  for (const [given, wanted] of cases) {
    for (let size = 1; size <= given.length; size++) {
      const typed = new TypedText(schema);
      let out = "";
      for (let at = 0; at < given.length; at += size) out += typed.feed(given.slice(at, at + size));
      assert.equal(out + typed.end(), wanted, `${given} in pieces of ${size}`);
    }
  }
});

test("any/typed-arguments: what fits streams at once, and a value that was cut off goes out as it came", () => {
  const typed = new TypedText(schema);
  assert.equal(typed.feed('{"text":"abc'), '{"text":"abc');
  assert.equal(typed.feed('d","list":"[1'), 'd","list":');
  assert.equal(typed.end(), '"[1');
});
