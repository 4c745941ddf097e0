/** One call's arguments: what goes out is one JSON object, typed by the schema, and no sooner than it may. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { ArgumentsWriter } from "../src/parse/arguments.ts";
import type { ParameterKind, Schema } from "../src/parse/dialect.ts";
import { readToolSchema } from "../src/parse/schema.ts";
import { Scanner } from "../src/parse/scanner.ts";
import { test } from "./_test.ts";

interface Written {
  readonly json: string;
  readonly pieces: readonly string[];
  readonly problems: readonly string[];
  readonly missing: readonly string[];
  readonly result: boolean;
}

function write(schema: Schema | undefined, body: (writer: ArgumentsWriter) => boolean | void): Written {
  const pieces: string[] = [], problems: string[] = [];
  const writer = new ArgumentsWriter({
    emit: (text) => pieces.push(text),
    schema,
    problem: (code, detail) => problems.push(`${code}: ${detail}`),
  });
  const result = body(writer) !== false;
  if (result) writer.end();
  return { json: pieces.join(""), pieces, problems, missing: writer.missing(), result };
}

type Parameter = readonly [name: string, text: string, kind?: ParameterKind];

function parameters(schema: Schema | undefined, list: readonly Parameter[], size = Infinity): Written {
  return write(schema, (writer) => {
    for (const [name, text, kind] of list) {
      const sink = writer.parameter(name, kind);
      for (let at = 0; at < text.length; at += size) sink(text.slice(at, at + size));
    }
  });
}

function json(schema: Schema | undefined, pieces: readonly string[]): Written {
  return write(schema, (writer) => {
    const scan = new Scanner();
    const reading = writer.json(scan);
    let step = reading.next();
    for (const piece of pieces) {
      scan.push(piece);
      if (!step.done) step = reading.next();
    }
    scan.end();
    if (!step.done) step = reading.next();
    return step.value === true;
  });
}

const object = (properties: Record<string, unknown>, more: Schema = {}): Schema => ({
  type: "object",
  properties,
  ...more,
});
const types = (type: unknown): Schema => object({ x: { type } });

// deno-fmt-ignore
const COERCIONS: readonly (readonly [schema: Schema | undefined, text: string, value: string, problem?: string, kind?: ParameterKind])[] = [
  [types("string"), "Paris", `"Paris"`],
  [types("string"), "42", `"42"`],
  [types("string"), "null", `"null"`],
  [types("string"), `{"a": 1}`, `"{\\"a\\": 1}"`],
  [types("string"), ` "a"\n&lt; \\n\u0001`, `" \\"a\\"\\n&lt; \\\\n\\u0001"`],
  [types("string"), "", `""`],
  [types(["string", "null"]), " NULL\n", `null`],
  [types(["string", "null"]), "nullable", `"nullable"`],
  [types(["string", "null"]), "nul", `"nul"`],
  [types(["string", "null"]), "", `""`],
  [types(["string", "null"]), "null", `"null"`, , "string"],
  [types(["string", "null"]), "None", `"None"`],
  [object({ x: { type: "string", nullable: true } }), "null", "null"],
  [object({ x: { type: ["string", "null"], enum: ["null", "a", null] } }), "null", `"null"`],
  [object({ x: { anyOf: [{ type: "string" }, { type: "null" }] } }), "null", "null"],
  [types(["string", "integer", "object"]), "42", `"42"`],
  [types("integer"), " 42\n", "42"],
  [types("integer"), "-123456789012345678901234567890", "-123456789012345678901234567890"],
  [types("integer"), "007", "7"],
  [types("integer"), "3.0", "3"],
  [types("integer"), "3.5", `"3.5"`, "parameter-type"],
  [types("integer"), "three", `"three"`, "parameter-type"],
  [types("integer"), "1e3", `"1e3"`, "parameter-type"],
  [types("integer"), "null", "null"],
  [types("integer"), "None", "null"],
  [types("integer"), `"5"`, "5"],
  [types("number"), "3.0", "3.0"],
  [types("number"), "0.10000000000000000000001", "0.10000000000000000000001"],
  [types("number"), "1e5", "1e5"],
  [types("number"), "1e999", `"1e999"`, "parameter-type"],
  [types("number"), "NaN", `"NaN"`, "parameter-type"],
  [types("number"), "Infinity", `"Infinity"`, "parameter-type"],
  [types(["integer", "number"]), "3.0", "3.0"],
  [types("boolean"), "True", "true"],
  [types("boolean"), " FALSE ", "false"],
  [types("boolean"), "1", `"1"`, "parameter-type"],
  [types("boolean"), "yes", `"yes"`, "parameter-type"],
  [types("array"), `[1, 2.0, "a"]`, `[1,2.0,"a"]`],
  [types("array"), `[1, 'a', None,]`, `[1,"a",null]`, "arguments-repaired"],
  [types("array"), `"[1, 2]"`, `[1,2]`],
  [types("array"), `a, b`, `"a, b"`, "parameter-type"],
  [types("array"), `{"a": 1}`, `"{\\"a\\": 1}"`, "parameter-type"],
  [types("object"), `{'a': True}`, `{"a":true}`, "arguments-repaired"],
  [types("object"), `{"__proto__": 12345678901234567890}`, `{"__proto__":12345678901234567890}`],
  [types("object"), `{"a": 1`, `"{\\"a\\": 1"`, "parameter-type"],
  [types("object"), `"{\\"a\\": 1}"`, `{"a":1}`],
  [object({ x: { enum: [1, 2] } }), "2", "2"],
  [object({ x: { enum: ["1", "2"] } }), "2", `"2"`],
  [object({ x: { const: true } }), "True", "true"],
  [types("INTEGER"), "5", "5"],
  [types("whatever"), "5", `"5"`],
  [object({ x: {} }), "5", `"5"`],
  [object({ x: true }), "5", `"5"`],
  [object({}), "5", `"5"`],
  [undefined, "5", `"5"`],
  [undefined, "5", "5", , "json"],
  [undefined, " [1, {}] ", "[1,{}]", , "json"],
  [undefined, "hello", `"hello"`, , "json"],
  [undefined, "[5", `"[5"`, , "json"],
  [undefined, "5", `"5"`, , "string"],
  [types("string"), `"a\\nb"`, `"a\\nb"`, , "json"],
  [types("string"), "42", `"42"`, , "json"],
  [types("string"), ` [1]`, `" [1]"`, , "json"],
  [types("string"), `"a" + "b"`, `"\\"a\\" + \\"b\\""`, , "json"],
  [types(["string", "null"]), "null", "null", , "json"],
  [types(["string", "integer"]), "5", "5", , "json"],
  [types(["string", "integer"]), "[5]", `"[5]"`, , "json"],
  [types("integer"), "5", "5", , "string"],
  [types("integer"), "five", `"five"`, "parameter-type", "string"],
  [types("integer"), "5", "5", , "json"],
  [{ $defs: { n: { type: "integer" } }, ...object({ x: { $ref: "#/$defs/n" } }) }, "5", "5"],
  [{ definitions: { "a/b": { type: "integer" } }, ...object({ x: { $ref: "#/definitions/a~1b" } }) }, "5", "5"],
  [{ $defs: { n: { $ref: "#/$defs/n" } }, ...object({ x: { $ref: "#/$defs/n" } }) }, "5", `"5"`],
  [{ $defs: { n: { anyOf: [{ type: "array", items: { $ref: "#/$defs/n" } }, { type: "integer" }] } }, ...object({ x: { $ref: "#/$defs/n" } }) }, "[[5]]", "[[5]]"],
  [{ allOf: [object({ y: {} }), object({ x: { type: "integer" } })] }, "5", "5"],
  [{ oneOf: [object({ x: { type: "integer" } }), object({ x: { type: "boolean" } })] }, "true", "true"],
  [{ anyOf: [object({ x: { type: "integer" } }), object({ x: { type: "string" } })] }, "5", `"5"`],
  [object({ x: { allOf: [{ type: "number" }, { type: "integer" }] } }), "5.0", "5"],
  [object({ y: { type: "object", properties: { x: { type: "integer" } } } }), "5", `"5"`],
];

for (const [schema, text, value, problem, kind] of COERCIONS) {
  test(`arguments: ${JSON.stringify(text)} as ${kind ?? "anything"} by ${JSON.stringify(schema)}`, () => {
    const whole = parameters(schema, [["x", text, kind]]);
    assert.equal(whole.json, `{"x":${value}}`);
    assert.deepEqual(
      [...new Set(whole.problems.map((line) => line.split(":")[0]))],
      problem ? [problem] : [],
    );
    for (const size of [1, 2, 3]) {
      const cut = parameters(schema, [["x", text, kind]], size);
      assert.deepEqual([cut.json, cut.problems], [whole.json, whole.problems]);
    }
  });
}

const weather = object({
  city: { type: "string" },
  days: { type: "integer" },
  tags: { type: "array", items: { type: "string" } },
  options: { type: "object" },
  any: {},
}, { required: ["city"] });

// deno-fmt-ignore
const RAW: readonly (readonly [why: string, input: string, output: string, ...problems: string[]])[] = [
  ["clean", `{"city": "Paris", "days": 3, "tags": ["a"], "options": {"a": "b"}, "any": [1.0, "x"]}`, `{"city":"Paris","days":3,"tags":["a"],"options":{"a":"b"},"any":[1.0,"x"]}`],
  ["nothing", `{}`, `{}`],
  ["null", `null`, `{}`],
  ["an empty string", `""`, `{}`],
  ["a string that holds an object", `"{\\"city\\": \\"Paris\\", \\"days\\": 3}"`, `{"city":"Paris","days":3}`, "arguments-repaired: they were encoded twice"],
  ["lenient", `{'city': 'Paris', days: 007,}`, `{"city":"Paris","days":7}`, "arguments-repaired: comma", "arguments-repaired: key", "arguments-repaired: number", "arguments-repaired: quotes"],
  ["an object for a string", `{"city": {"a": [1.0, 'b']}}`, `{"city":"{\\"a\\":[1.0,\\"b\\"]}"}`, "arguments-repaired: quotes", "arguments-repaired: type of city"],
  ["a number for a string", `{"city": 12345678901234567890}`, `{"city":"12345678901234567890"}`, "arguments-repaired: type of city"],
  ["a string stays a string", `{"city": "42", "any": "[1]"}`, `{"city":"42","any":"[1]"}`],
  ["escapes stay as they are", `{"city": "\\u00e9\\/", "\\u0061ny": 1}`, `{"city":"\\u00e9\\/","any":1}`],
  ["strings for other types", `{"days": "3", "tags": "[\\"a\\"]", "options": "{\\"a\\": 1}"}`, `{"days":3,"tags":["a"],"options":{"a":1}}`, "arguments-repaired: type of days", "arguments-repaired: type of options", "arguments-repaired: type of tags"],
  ["strings that fit no type", `{"days": "three", "tags": "{}"}`, `{"days":"three","tags":"{}"}`, "parameter-type: days", "parameter-type: tags"],
  ["values of another type", `{"days": [1], "options": 5, "tags": null}`, `{"days":[1],"options":5,"tags":null}`],
  ["a key twice", `{"days": 1, "days": 2}`, `{"days":1,"days":2}`],
  ["another spelling", `{"City": "Paris", "DAYS": 3}`, `{"city":"Paris","days":3}`, "arguments-repaired: parameter City is city", "arguments-repaired: parameter DAYS is days"],
  ["all in one", `{"arguments": {"city": "Paris", "days": "3"}}`, `{"city":"Paris","days":3}`, "arguments-repaired: all of them were inside arguments", "arguments-repaired: type of days"],
  ["all in one string", `{"input": "{\\"city\\": \\"Paris\\"}"}`, `{"city":"Paris"}`, "arguments-repaired: all of them were inside input"],
  ["not all in one", `{"arguments": {"city": "Paris"}, "days": 1}`, `{"arguments":{"city":"Paris"},"days":1}`],
  ["one that only looks like all", `{"input": "Paris"}`, `{"input":"Paris"}`],
  ["no pollution", `{"__proto__": {"a": 1}, "constructor": "b"}`, `{"__proto__":{"a":1},"constructor":"b"}`],
];

for (const [why, input, output, ...problems] of RAW) {
  test(`arguments from JSON: ${why}`, () => {
    const whole = json(weather, [input]);
    assert.equal(whole.json, output);
    assert.deepEqual([...whole.problems].sort(), problems);
    for (let at = 0; at <= input.length; at++) {
      const cut = json(weather, [input.slice(0, at), input.slice(at)]);
      assert.deepEqual([cut.json, cut.problems], [whole.json, whole.problems]);
    }
    assert.equal(json(weather, input.split("")).json, output);
    assert.equal(write(weather, (writer) => writer.jsonText(input)).json, output);
  });

  test(`arguments are never closed when cut off: ${why}`, () => {
    for (let length = 0; length < input.length; length++) {
      const { result, json: written } = json(weather, [input.slice(0, length)]);
      assert.equal(result, false, input.slice(0, length));
      assert.ok(!written.endsWith("}") || written.split("{").length > written.split("}").length, written);
    }
  });
}

test("arguments that are no object are refused, with nothing written", () => {
  for (
    const input of [
      "[1]",
      "5",
      "true",
      `"Paris"`,
      "Paris",
      `{"city": `,
      `{"city": "Par`,
      "{]",
      `{"city": "a"} x`,
    ]
  ) {
    const { result, json: written } = write(weather, (writer) => writer.jsonText(input));
    assert.deepEqual([result, written], [false, ""], input);
  }
  assert.equal(write(weather, (writer) => writer.jsonText("")).json, "{}");
  assert.equal(write(weather, () => {}).json, "{}");
});

test("a bare array is the one required parameter, if that is an array", () => {
  const todos = object({ todos: { type: "array" }, other: {} }, { required: ["todos"] });
  assert.equal(json(todos, [`["a"]`]).json, `{"todos":["a"]}`);
  assert.equal(json(weather, [`["a"]`]).result, false);
});

test("nothing goes out before the first character of a string, and then all of it at once", () => {
  const pieces: string[] = [];
  const writer = new ArgumentsWriter({
    emit: (text) => pieces.push(text),
    schema: weather,
    problem: () => {},
  });
  writer.parameter("days")("3");
  writer.parameter("any", "json")("[1]");
  const sink = writer.parameter("city");
  assert.deepEqual([pieces, writer.started], [[], false]);
  sink("");
  assert.equal(pieces.length, 0);
  sink("P\n");
  assert.deepEqual([pieces.join(""), writer.started], [`{"days":3,"any":[1],"city":"P\\n`, true]);
  sink("\ud83d");
  assert.equal(pieces.join("").endsWith("\\n"), true);
  sink("\ude00x");
  assert.ok(pieces.join("").endsWith("😀x"));
  writer.parameter("tags")(`["a"]`);
  writer.end();
  assert.equal(pieces.join(""), `{"days":3,"any":[1],"city":"P\\n😀x","tags":["a"]}`);
});

test("arguments from JSON go out from the first character of a string on", () => {
  const pieces: string[] = [];
  const writer = new ArgumentsWriter({
    emit: (text) => pieces.push(text),
    schema: weather,
    problem: () => {},
  });
  const scan = new Scanner(), reading = writer.json(scan);
  const send = (text: string) => {
    scan.push(text);
    reading.next();
    return pieces.join("");
  };
  assert.equal(send(`{"days": 3, "options": {"a": [1, {"b": "`), "");
  assert.equal(send("x"), `{"days":3,"options":{"a":[1,{"b":"x`);
  assert.equal(send("y"), `{"days":3,"options":{"a":[1,{"b":"xy`);
  assert.equal(send(`"}, 2`), `{"days":3,"options":{"a":[1,{"b":"xy"},`);
  assert.equal(send(`]}, "city": "P`), `{"days":3,"options":{"a":[1,{"b":"xy"},2]},"city":"P`);
  assert.equal(reading.next().done, false);
});

test("a parameter that comes twice: the last one wins, arrays collect", () => {
  const once = parameters(weather, [["days", "1"], ["days", "2"]]);
  assert.deepEqual([once.json, once.problems], [`{"days":2}`, ["parameter-repeated: days"]]);
  const streamed = parameters(weather, [["city", "a"], ["days", "1"], ["city", "b"], ["days", "2"]]);
  assert.deepEqual(JSON.parse(streamed.json), { city: "b", days: 2 });
  assert.equal(streamed.problems.length, 2);
  const array = parameters(weather, [["tags", "a"], ["city", "x"], ["tags", "42"], ["tags", `["b", "c"]`]]);
  assert.deepEqual(JSON.parse(array.json), { city: "x", tags: ["a", "42", "b", "c"] });
  assert.deepEqual(parameters(weather, [["tags", "a"], ["tags", "b"]]).problems, []);
});

test("a name that is off is resolved, but never guessed", () => {
  const schema = object({ file_path: { type: "string" }, days: { type: "integer" }, ab: {}, a_b: {} });
  assert.equal(parameters(schema, [[" filePath\n", "x"], ["DAYS", "5"]]).json, `{"file_path":"x","days":5}`);
  assert.equal(
    parameters(schema, [["file_path", "x"], ["filePath", "y"]]).json,
    `{"file_path":"x","filePath":"y"}`,
  );
  assert.equal(parameters(schema, [["filePath", "x"], ["filePath", "y"]]).json.includes(`"filePath"`), false);
  assert.equal(parameters(schema, [["a-b", "x"], ["AB", "y"]]).json, `{"a-b":"x","ab":"y"}`);
});

test("all parameters inside one", () => {
  assert.equal(
    parameters(weather, [["arguments", ` {"city": "Paris", "days": "3"}`]]).json,
    `{"city":"Paris","days":3}`,
  );
  assert.deepEqual(parameters(weather, [["arguments", ` {"city": "Paris"}`]]).missing, []);
  assert.equal(parameters(weather, [["input", "Paris"]]).json, `{"input":"Paris"}`);
  assert.equal(parameters(weather, [["input", "{}"], ["days", "3"]]).json, `{"input":"{}","days":3}`);
  assert.equal(parameters(object({ input: { type: "string" } }), [["input", "{}"]]).json, `{"input":"{}"}`);
  assert.equal(parameters(undefined, [["input", "{}"]]).json, `{"input":"{}"}`);
  assert.equal(parameters(object({}), [["input", "{}"]]).json, "{}");
  assert.equal(json(object({}), [`{"arguments": {}}`]).json, "{}");
});

test("what is declared and what is missing", () => {
  const schema = {
    $defs: { base: object({ a: {} }, { required: ["a"] }) },
    allOf: [{ $ref: "#/$defs/base" }],
    anyOf: [object({ b: {}, c: {} }, { required: ["b", "c"] }), object({ c: {} }, { required: ["c"] })],
  };
  assert.deepEqual([...readToolSchema(schema).properties.keys()], ["a", "b", "c"]);
  assert.deepEqual(readToolSchema(schema).required, ["a", "c"]);
  assert.deepEqual(parameters(schema, [["c", "1"]]).missing, ["a"]);
  assert.deepEqual(json(schema, [`{"a": 1}`]).missing, ["c"]);
  for (const odd of [null, 5, [], { properties: 5, required: {}, allOf: 1 }]) {
    assert.deepEqual([...readToolSchema(odd as unknown as Schema).properties.keys()], []);
  }
});

test("string parameters come through, whatever they hold and however they are cut", () => {
  const text = fc.string({
    unit: fc.oneof(fc.constantFrom("\ud83d", "\ude00", '"', "\\", "\n", "null", " "), fc.string()),
  });
  fc.assert(
    fc.property(
      text,
      fc.integer({ min: 1, max: 5 }),
      fc.constantFrom("string", undefined),
      (value, size, kind) => {
        const { json: written, pieces } = parameters(
          types("string"),
          [["x", value, kind as ParameterKind]],
          size,
        );
        assert.deepEqual(JSON.parse(written), { x: value });
        for (const piece of pieces) assert.ok(!/[\ud800-\udbff]$|^[\udc00-\udfff]/.test(piece));
      },
    ),
  );
});

test("JSON arguments that are valid come through with the same value", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.integer({ min: 1, max: 9 }), (value, size) => {
      const text = JSON.stringify(value, null, size % 3);
      const pieces = Array.from(
        { length: Math.ceil(text.length / size) },
        (_, at) => text.slice(at * size, (at + 1) * size),
      );
      const written = json(undefined, pieces);
      assert.deepEqual([JSON.parse(written.json), written.problems], [JSON.parse(text), []]);
    }),
  );
});

test("JSON arguments of any kind: cuts never show", () => {
  const soup = fc.array(fc.constantFrom(
    ...[
      "{",
      "}",
      "[",
      "]",
      ":",
      ",",
      '"',
      "'",
      "\\",
      '\\"',
      "\n",
      " ",
      "a",
      "1",
      "null",
      '"city": "',
      '", "days": "3"',
    ],
    ...['"tags":', '"arguments":', '"city":', "5", '"{\\"city\\": 1}"', '"options": {"', "\ud83d", "\ude00"],
  ));
  fc.assert(
    fc.property(soup, fc.integer({ min: 1, max: 7 }), fc.boolean(), (parts, size, open) => {
      const text = (open ? "{" : "") + parts.join("") + (open ? "}" : "");
      const pieces = Array.from(
        { length: Math.ceil(text.length / size) },
        (_, at) => text.slice(at * size, (at + 1) * size),
      );
      const whole = json(weather, [text]), cut = json(weather, pieces);
      assert.deepEqual([cut.result, cut.json, cut.problems], [whole.result, whole.json, whole.problems]);
      if (whole.result) assert.equal(typeof JSON.parse(whole.json), "object");
    }),
    { numRuns: 2000 },
  );
});

test("a long string parameter goes out as it comes", () => {
  let size = 0, pieces = 0;
  const writer = new ArgumentsWriter({
    emit: (text) => {
      size += text.length;
      pieces++;
    },
    schema: types("string"),
    problem: () => {},
  });
  const sink = writer.parameter("x");
  for (let sent = 4; sent <= 1_000_000; sent += 4) {
    sink("ab\tc");
    assert.equal(size, 6 + sent / 4 * 5);
  }
  writer.end();
  assert.ok(pieces <= 250_003);
});
