/** Lenient JSON: valid JSON is never changed, what is not valid is mended, and cuts never show. */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  AFTER_ELEMENT,
  AFTER_MEMBER,
  type JsonEnd,
  jsonMembers,
  type JsonOptions,
  type JsonRepair,
  jsonString,
  jsonText,
  jsonValue,
  parseLenient,
} from "../src/parse/json.ts";
import { Scanner, type Sink, type Step } from "../src/parse/scanner.ts";
import { test } from "./_test.ts";

type Reader<T> = (scan: Scanner, sink: Sink) => Step<T>;

/** Reads what comes in pieces; `end: false` leaves the turn open. */
function drive<T>(pieces: readonly string[], reader: Reader<T>): { text: string; result: T; rest: string } {
  const scan = new Scanner();
  let text = "";
  const reading = reader(scan, (piece) => text += piece);
  let step = reading.next();
  for (const piece of pieces) {
    scan.push(piece);
    if (!step.done) step = reading.next();
  }
  scan.end();
  if (!step.done) step = reading.next();
  assert.ok(step.done, "the turn is over, nothing more to wait for");
  let rest = "";
  scan.run(/(?!)/g, (piece) => rest += piece).next();
  return { text, result: step.value, rest };
}

const value = (options: JsonOptions = {}): Reader<JsonEnd> => (scan, sink) => jsonValue(scan, sink, options);

function cut(text: string, at: readonly number[]): string[] {
  const places = [0, ...at.map((place) => place % (text.length + 1)).sort((a, b) => a - b), text.length];
  return places.slice(1).map((place, index) => text.slice(places[index], place));
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Every two-way split, and character by character. */
function cuts(text: string): string[][] {
  return [
    ...Array.from({ length: text.length + 1 }, (_, at) => [text.slice(0, at), text.slice(at)]),
    text.split(""),
  ];
}

const q = '\\"'; // a quote that was escaped once too often

// deno-fmt-ignore
const REPAIRS: readonly (readonly [why: string, input: string, output: string, ...kinds: JsonRepair[]])[] = [
  ["single quotes", `{'a': 'b "c"', 'd': ''}`, `{"a":"b \\"c\\"","d":""}`, "quotes"],
  ["an apostrophe in single quotes", `{'a': 'it's so', 'b': 1}`, `{"a":"it's so","b":1}`, "quotes", "inner-quote"],
  ["an escaped apostrophe", `{'a': 'it\\'s'}`, `{"a":"it's"}`, "quotes", "escape"],
  ["backticks", "{`a`: `b`}", `{"a":"b"}`, "quotes"],
  ["smart quotes", `{“a”: “b”, ‘c’: ‘d’}`, `{"a":"b","c":"d"}`, "quotes"],
  ["smart quotes with plain ones inside", `{“a”: “b "c" d”}`, `{"a":"b \\"c\\" d"}`, "quotes", "inner-quote"],
  ["smart quotes as data", `{"a": "“b”, he said"}`, `{"a":"“b”, he said"}`],
  ["Python literals", `[True, False, None]`, `[true,false,null]`, "literal"],
  ["loud literals", `[TRUE, NULL]`, `[true,null]`, "literal"],
  ["trailing commas", `{"a": [1, 2, ], }`, `{"a":[1,2]}`, "comma"],
  ["doubled commas", `{,"a": 1,, "b": 2}`, `{"a":1,"b":2}`, "comma"],
  ["missing comma after a string", `{"a": "x" "b": "y"}`, `{"a":"x","b":"y"}`, "comma"],
  ["missing comma over a line", `{"a": "x"\n"b": "y"\n}`, `{"a":"x","b":"y"}`, "comma"],
  ["missing comma after other values", `{"a": 1 "b": true "c": {} "d": [] "e": 1}`, `{"a":1,"b":true,"c":{},"d":[],"e":1}`, "comma"],
  ["missing comma between strings", `["a" "b"]`, `["a","b"]`, "comma"],
  ["missing comma between numbers", `[1 2\n3]`, `[1,2,3]`, "comma"],
  ["missing comma between objects", `[{"a":1} {"a":2}{"a":3}]`, `[{"a":1},{"a":2},{"a":3}]`, "comma"],
  ["raw control characters", `{"a": "1\n2\r\n\t3\u0001"}`, `{"a":"1\\n2\\r\\n\\t3\\u0001"}`, "control-character"],
  ["bad escapes", `["\\$x", "\\ ", "\\x41", "\\'", "\\d"]`, `["\\\\$x","\\\\ ","\\\\x41","'","\\\\d"]`, "escape"],
  ["a backslash before a raw newline", `["a \\\nb"]`, `["a \\\\\\nb"]`, "escape", "control-character"],
  ["a backslash before an emoji", `["\\😀"]`, `["\\\\😀"]`, "escape"],
  ["broken unicode escapes", `["\\u12", "\\user", "\\u12g4"]`, `["\\\\u12","\\\\user","\\\\u12g4"]`, "escape"],
  ["good escapes as written", `["\\u00e9\\/\\b\\f\\n\\r\\t\\\\\\"\\ud83d\\ude00\\ud83d"]`, `["\\u00e9\\/\\b\\f\\n\\r\\t\\\\\\"\\ud83d\\ude00\\ud83d"]`],
  ["inner quotes", `{"a": "say "hi" now"}`, `{"a":"say \\"hi\\" now"}`, "inner-quote"],
  ["an inner quote at the end", `{"a": "say "hi""}`, `{"a":"say \\"hi\\""}`, "inner-quote"],
  ["quotes all around", `{"a": ""hi""}`, `{"a":"\\"hi\\""}`, "inner-quote"],
  ["inner quotes before a comma", `{"a": "he said "no", and left", "b": 1}`, `{"a":"he said \\"no\\", and left","b":1}`, "inner-quote"],
  ["inner quotes in code", `{"a": "print("x", "y")", "b": 1}`, `{"a":"print(\\"x\\", \\"y\\")","b":1}`, "inner-quote"],
  ["inner quotes of an object", `{"a": "d = {"x": "y"}", "b": 1}`, `{"a":"d = {\\"x\\": \\"y\\"}","b":1}`, "inner-quote"],
  ["inner quotes that were escaped twice", `{"a": "print(\\\\"x\\\\")\\nb", "c": "d\\\\"}`, `{"a":"print(\\"x\\")\\nb","c":"d\\\\"}`, "inner-quote"],
  ["inner quotes of an index", `{"a": "d["x"] = d["y"]"}`, `{"a":"d[\\"x\\"] = d[\\"y\\"]"}`, "inner-quote"],
  ["inner quotes of a docstring", `{"a": "def f():\n  """x"""\n  return {"a": 1}\n", "b": 1}`, `{"a":"def f():\\n  \\"\\"\\"x\\"\\"\\"\\n  return {\\"a\\": 1}\\n","b":1}`, "inner-quote", "control-character"],
  ["inner quotes in an array", `["he said "no", then "yes" again", "b"]`, `["he said \\"no\\", then \\"yes\\" again","b"]`, "inner-quote"],
  ["inner quotes in attributes", `{"a": "<a href="x">y</a>"}`, `{"a":"<a href=\\"x\\">y</a>"}`, "inner-quote"],
  ["comments", `/*0*/{//1\n"a"/*2*/:/*3*/1/*4*/,"b":"x"// 5\n,"c":true // 6\n}`, `{"a":1,"b":"x","c":true}`, "comment"],
  ["a comment's marker in a string", `{"a": "http://x/*y*/"}`, `{"a":"http://x/*y*/"}`],
  ["# is no comment", `{"a": #fff}`, `{"a":"#fff"}`, "bare-word"],
  ["bare keys", `{a: 1, b_c-d: 2, $e: 3, é: 4, 5: 6}`, `{"a":1,"b_c-d":2,"$e":3,"é":4,"5":6}`, "key"],
  ["bare words", `{"a": hello big world, "b": /tmp/x, "c": https://x.y//z, "d": 2024-01-02}`, `{"a":"hello big world","b":"/tmp/x","c":"https://x.y//z","d":"2024-01-02"}`, "bare-word"],
  ["a quote lost", `{"action": windows", b": 1}`, `{"action":"windows","b":1}`, "bare-word", "key"],
  ["quotes escaped once too often", `{${q}a${q}: ${q}b${q}, ${q}c${q}: [${q}${q}]}`, `{"a":"b","c":[""]}`, "escaped-quotes"],
  ["everything escaped once too often", JSON.stringify(`{\n\t"a": "b\n\\"c\\"\\\\d\\\\n\\té\\u00e9\\/"\n}`).slice(1, -1), `{"a":"b\\n\\"c\\"\\\\d\\\\n\\té\\u00e9\\/"}`, "escaped-quotes"],
  ["quotes with two backslashes", `{\\\\"a\\\\": \\\\"b\\\\"}`, `{"a":"b"}`, "escaped-quotes"],
  ["numbers keep their digits", `[123456789012345678901234567890, 1.10, -0, 1E5, 0.1e-7, 1e-999]`, `[123456789012345678901234567890,1.10,-0,1E5,0.1e-7,1e-999]`],
  ["numbers that JSON writes otherwise", `[007, +5, .5, 5., -007.50e3, -.5]`, `[7,5,0.5,5,-7.50e3,-0.5]`, "number"],
  ["numbers that are none", `[1e999, NaN, -Infinity, 0x1F]`, `["1e999","NaN","-Infinity","0x1F"]`, "number"],
  ["tuples", `(1, ('a',))`, `[1,["a"]]`, "tuple", "quotes", "comma"],
  ["no pollution", `{"__proto__": {"a": 1}, 'constructor': 2, toString: 3}`, `{"__proto__":{"a":1},"constructor":2,"toString":3}`, "quotes", "key"],
  ["empty", ` { "a" : [ ] , "b" : { } } `, `{"a":[],"b":{}}`],
];

for (const [why, input, output, ...kinds] of REPAIRS) {
  test(`json mends: ${why}`, () => {
    const repairs: JsonRepair[] = [];
    assert.equal(parseLenient(input, { onRepair: (kind) => repairs.push(kind) }), output);
    assert.deepEqual(repairs.sort(), kinds.sort());
    JSON.parse(output);
    for (const pieces of cuts(input)) {
      const { text, result, rest } = drive(pieces, value());
      assert.deepEqual([text, result, rest.trim()], [output, "complete", ""], JSON.stringify(pieces));
    }
    assert.equal(parseLenient(output), output, "what is mended needs no mending");
  });

  // {"a": "d = {"x": "y"} looks whole to anyone.
  if (why !== "inner quotes of an object") {
    test(`json never closes what is cut off: ${why}`, () => {
      const whole = input.trim();
      for (let length = 0; length < whole.length; length++) {
        const head = whole.slice(0, length);
        const { text, result } = drive([head], value());
        assert.notEqual(result, "complete", head);
        assert.ok(!isJson(text), head);
        assert.deepEqual(drive(head.split(""), value()), drive([head], value()), head);
      }
    });
  }
}

for (
  const text of [
    "",
    " ",
    "hello",
    "12 3",
    `{"a" 1}`,
    `{"a": }`,
    `{"a": 1]`,
    `[1}`,
    `"a" b`,
    "{]",
    `{"a"}`,
    "<b>",
    ":",
    "{a}",
  ]
) {
  test(`json: ${JSON.stringify(text)} is no JSON`, () => assert.equal(parseLenient(text), undefined));
}

test("json that is valid keeps its value and the bytes of its strings", () => {
  const key = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("__proto__", "constructor", "", '"', "\\", ",", "a:"),
  );
  const string = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string({
      unit: fc.constantFrom(
        '"',
        "\\",
        ",",
        ":",
        "}",
        "]",
        "{",
        " ",
        "\n",
        "'",
        "a",
        "\ud83d",
        "\ude00",
        "/",
        "*",
        "“",
      ),
    }),
  );
  const tree = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: "medium" },
      string,
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie("value")),
      fc.array(fc.tuple(key, tie("value"))).map((entries) => Object.fromEntries(entries) as unknown),
    ),
  })).value;
  fc.assert(
    fc.property(
      tree,
      fc.array(fc.nat()),
      fc.constantFrom(0, 1, 4),
      fc.boolean(),
      (wanted, at, indent, ascii) => {
        const plain = (text: string) =>
          ascii
            ? text.replace(/[^\0-\x7f]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`)
            : text;
        const text = plain(JSON.stringify(wanted, null, indent));
        const repairs: JsonRepair[] = [];
        const read = drive(cut(text, at), value({ onRepair: (kind) => repairs.push(kind) }));
        assert.deepEqual([read.result, read.rest, repairs], ["complete", "", []]);
        // As text: the JSON.parse of Deno 2.9 takes one key for another where keys like "\\"" and "\\\\" come together.
        assert.equal(read.text, plain(JSON.stringify(wanted)));
      },
    ),
    { numRuns: 500 },
  );
});

test("json keeps long integers as they are", () => {
  fc.assert(fc.property(fc.bigInt(), fc.array(fc.nat()), (number, at) => {
    assert.equal(drive(cut(`[${number}]`, at), value()).text, `[${number}]`);
  }));
});

test("json of any kind: cuts never show, and what comes out whole is strict", () => {
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
      "“",
      "”",
      "\\",
      '\\"',
      "\\n",
      "\n",
      " ",
      "a",
      "b: ",
      "1",
      "-",
      "1e999",
      "true",
    ],
    ...["None", "//", "/*", "*/", "\\u00", "\ud83d", "\ude00", '"a":', '"b", ', "(", ")", "</x>"],
  ));
  fc.assert(
    fc.property(
      soup,
      fc.array(fc.nat()),
      fc.constantFrom(undefined, AFTER_MEMBER, AFTER_ELEMENT, ",)"),
      (parts, at, after) => {
        const text = parts.join("");
        for (const input of [text, `{"a": "${text}", "b": [${text}]}`]) {
          const options = { after, closers: ["</x>"] };
          const whole = drive([input], value(options));
          assert.deepEqual(drive(cut(input, at), value(options)), whole);
          assert.deepEqual(drive(input.split(""), value(options)), whole);
          // In a list, two numbers without a comma are two elements.
          if (whole.result === "complete") {
            JSON.parse(after === AFTER_ELEMENT ? `[${whole.text}]` : whole.text);
          } else assert.ok(!isJson(whole.text));
        }
      },
    ),
    { numRuns: 2000 },
  );
});

test("json is bounded in depth and size", () => {
  assert.equal(parseLenient("[".repeat(200) + "]".repeat(200))?.length, 400);
  assert.equal(parseLenient("[".repeat(100_000)), undefined);
  assert.equal(drive(["[".repeat(100_000)], value()).result, "broken");
  assert.equal(drive([`["${"a".repeat(100)}"]`], value({ limit: 50 })).result, "broken");
  assert.equal(drive([`["${"a".repeat(100)}"]`], value({ limit: 104 })).result, "complete");
  assert.equal(drive([`{${"a".repeat(100_000)}: 1}`], value()).result, "broken");
  assert.equal(drive([`[${"a".repeat(100_000)}`], value()).result, "broken");
});

test("json: a long string streams as it comes", () => {
  const scan = new Scanner();
  let size = 0, pieces = 0;
  const reading = jsonValue(scan, (text) => {
    size += text.length;
    pieces++;
  });
  scan.push('{"a": "');
  reading.next();
  for (let sent = 4; sent <= 1_000_000; sent += 4) {
    scan.push("ab\tc");
    reading.next();
    assert.equal(size, 6 + sent / 4 * 5);
    assert.equal(scan.held, 0);
  }
  assert.ok(pieces < 800_000);
  scan.push('"}');
  scan.end();
  assert.deepEqual(reading.next(), { done: true, value: "complete" });
});

test("json: what is held inside a string is bounded", () => {
  for (const filler of ['"', "\\", '" ', '",', '", "a', "\\\\", '"}', "'"]) {
    const scan = new Scanner();
    let size = 0;
    const reading = jsonValue(scan, (text) => size += text.length);
    scan.push('{"a": "x');
    reading.next();
    for (let sent = 0; sent < 4000 && !reading.next().done; sent++) scan.push(filler);
    assert.ok(scan.held < 1200, `${filler}: ${scan.held}`);
  }
});

test("jsonString streams the inside; jsonText decodes", () => {
  const inside = drive([` 'a"`, `b' rest`], (scan, sink) => jsonString(scan, sink));
  assert.deepEqual(inside, { text: 'a\\"b', result: "complete", rest: " rest" });
  assert.deepEqual(drive(["1"], (scan, sink) => jsonString(scan, sink)).result, "broken");
  assert.deepEqual(drive(["'a"], (scan, sink) => jsonString(scan, sink)).result, "cut");
  assert.equal(drive([` "a\\u00`, `e9", 1`], (scan) => jsonText(scan)).result, "aé");
  assert.equal(
    drive([`get_weather, 1}`], (scan) => jsonText(scan, { after: AFTER_MEMBER })).result,
    "get_weather",
  );
  for (const none of ["", "1", "{}", '"a', "word"]) {
    assert.equal(drive([none], (scan) => jsonText(scan)).result, undefined);
  }
  assert.equal(drive([`"${"a".repeat(300)}"`], (scan) => jsonText(scan, { limit: 256 })).result, undefined);
});

test("json: a closer of the dialect ends a string that would go on", () => {
  const text = `{"a": "b" \n</call> more "x"`;
  assert.deepEqual(drive([text], value()).result, "cut");
  const read = drive([text], value({ closers: ["</call>"] }));
  assert.deepEqual(read, { text: `{"a":"b"`, result: "broken", rest: `</call> more "x"` });
});

test("jsonMembers walks the members of an object", () => {
  const walk = (text: string) => {
    const seen: string[] = [];
    for (const pieces of cuts(text)) {
      seen.length = 0;
      const { result } = drive(pieces, (scan) =>
        jsonMembers(scan, function* (key) {
          let json = "";
          const end = yield* jsonValue(scan, (piece) => json += piece, { after: AFTER_MEMBER });
          seen.push(`${key}=${json}`);
          return end;
        }));
      seen.push(result);
    }
    return seen.join(" ");
  };
  assert.equal(walk(` {'name': 5, b<: 1}`), "name=5 broken");
  assert.equal(walk(`{"na\\u006de": f, arguments: {"a": [1,]},}`), `name="f" arguments={"a":[1]} complete`);
  assert.equal(walk(`{}`), "complete");
  assert.equal(walk(`{"a": "b`), `a="b cut`);
  assert.equal(walk(`[]`), "broken");
});
