/** What a bridge writes, the parser reads back: for any calls, at any cut, with all other dialects live. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { bridges } from "../src/bridge/mod.ts";
import type { Bridge } from "../src/bridge/bridge.ts";
import { dialects } from "../src/dialects/mod.ts";
import type { Schema, Tool } from "../src/parse/dialect.ts";
import { createParser } from "../src/parse/parser.ts";
import { test } from "./_test.ts";
import { fold, merge, parse, splits, type Turn } from "./_turn.ts";

/** Text made to be mistaken: the protocols' own markers, quotes, line breaks, half of what closes something. */
const nasty = fc.array(
  fc.oneof(
    fc.constantFrom(
      ..."[[CALL]]|[[/CALL]]|[[OPENCODE_TOOL]]|[[/OPENCODE_TOOL]]|[[OPENCODE_FINAL]]|[[/OPENCODE_FINAL]]"
        .split("|"),
      '{"v":1,"mode":"final","message":"x"}',
      '"}]}',
      "<open>",
      "</open>",
      "</text>",
      "<text>",
      "</write>",
      "<write>",
      "<![CDATA[",
      "]]>",
      "]]",
      "]",
      "<tool_call>",
      "</tool_call>",
      "<think>",
      "```",
      "`",
      "\n",
      "\r\n",
      "\t",
      "\\",
      '"',
      "'",
      "😀",
      "\u2028",
      "null",
      "{",
      "}",
      "&lt;",
    ),
    fc.string({ unit: "grapheme", maxLength: 12 }),
  ),
  { maxLength: 12 },
).map((parts) => parts.join(""));

const names = fc.stringMatching(/^[a-zA-Z_][\w-]{0,24}$/);

/** A value with the schema that it fits. */
const typed: fc.Arbitrary<[unknown, Schema]> = fc.oneof(
  nasty.map((text): [unknown, Schema] => [text, { type: "string" }]),
  nasty.map((text): [unknown, Schema] => [text, {}]),
  nasty.map((text): [unknown, Schema] => [text, { type: ["string", "null"] }]),
  fc.integer().map((number): [unknown, Schema] => [number, { type: "integer" }]),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((
    number,
  ): [unknown, Schema] => [Object.is(number, -0) ? 0 : number, { type: "number" }]),
  fc.boolean().map((value): [unknown, Schema] => [value, { type: "boolean" }]),
  fc.boolean().map((value): [unknown, Schema] => [value, {}]),
  fc.array(nasty, { maxLength: 3 }).map((list): [unknown, Schema] => [list, {
    type: "array",
    items: { type: "string" },
  }]),
  fc.dictionary(names, nasty, { maxKeys: 3, noNullPrototype: true }).map((
    value,
  ): [unknown, Schema] => [value, { type: "object" }]),
  fc.constant([null, {}] as [unknown, Schema]),
);

interface Fuzzed {
  readonly tool: Tool;
  readonly arguments: Record<string, unknown>;
}

const call: fc.Arbitrary<Fuzzed> = fc.tuple(
  fc.oneof(
    names,
    fc.constantFrom("write", "read", "mcp__files__read", "think", "tool_call", "fs.read", "open", "input"),
  ),
  fc.uniqueArray(
    fc.tuple(
      fc.oneof(names, fc.constantFrom("text", "name", "mode", "message", "arguments", "input")),
      typed,
    ),
    {
      selector: ([name]) => name.toLowerCase().replace(/[-_]/g, ""),
      maxLength: 4,
    },
  ),
  fc.boolean(),
).map(([name, members, declared]) => ({
  tool: {
    name,
    ...(declared
      ? {
        parameters: {
          type: "object",
          properties: Object.fromEntries(members.map(([key, [, schema]]) => [key, schema])),
        },
      }
      : {}),
  },
  arguments: Object.fromEntries(members.map(([key, [value]]) => [key, value])),
}));

const calls = fc.uniqueArray(call, {
  selector: ({ tool }) => tool.name.toLowerCase().replace(/[-_.]/g, ""),
  minLength: 1,
  maxLength: 4,
}).filter((all) => {
  // An argument that its tool does not declare cannot be told from a call if it is named as one.
  const tools = new Set(all.map(({ tool }) => tool.name));
  return all.every(({ tool, arguments: given }) =>
    tool.parameters !== undefined ||
    Object.keys(given).every((name) => name === tool.name || !tools.has(name))
  );
});

function written(
  bridge: Bridge,
  text: string,
  all: readonly Fuzzed[],
): { text: string; live: readonly Tool[] } {
  const live = all.map(({ tool }) => tool);
  const past = all.map(({ tool, arguments: given }) => ({ name: tool.name, json: JSON.stringify(given) }));
  return {
    text: bridge.turn(text, past, (name) => live.find((tool) => tool.name === name)?.parameters),
    live,
  };
}

const cutsOf = (text: string) =>
  fc.array(fc.nat(text.length), { maxLength: 12 }).map((at) => {
    const points = [0, ...at.sort((a, b) => a - b), text.length];
    return points.slice(1).map((to, n) => text.slice(points[n], to));
  });

for (const bridge of bridges) {
  const read = (pieces: readonly string[], tools: readonly Tool[]) =>
    parse(pieces, tools, { dialects: [bridge.dialect(tools), ...dialects] });

  test(`${bridge.id}: what the encoder writes for any calls, the parser reads back, at any cut`, () => {
    const cut = calls.chain((all) => {
      const { text, live } = written(bridge, "", all);
      return fc.tuple(fc.constant(all), fc.constant(text), fc.constant(live), cutsOf(text));
    });
    fc.assert(
      fc.property(cut, ([all, text, live, pieces]) => {
        const whole = merge(read([text], live));
        const turn = fold(whole);
        assert.deepEqual(
          turn.calls,
          all.map(({ tool, arguments: given }) => ({ name: tool.name, arguments: given })),
          text,
        );
        assert.equal(turn.content.trim(), "");
        assert.deepEqual(turn.problems, [], "clean text triggers no recovery");
        assert.deepEqual(merge(read(pieces, live)), whole);
      }),
      { numRuns: 600 },
    );
  });

  test(`${bridge.id}: one character at a time says the same`, () => {
    fc.assert(
      fc.property(calls, (all) => {
        const { text, live } = written(bridge, "Let me see.", all);
        assert.deepEqual(merge(read(text.split(""), live)), merge(read([text], live)));
      }),
      { numRuns: 60 },
    );
  });

  test(`${bridge.id}: strings of 100 KB`, () => {
    const line = `if (a < b && "c" !== '\\n') { x = [1, [2]]; } // ]]> </text> [[/CALL]] 😀\n`;
    const text = line.repeat(Math.ceil(100_000 / line.length));
    const one = {
      tool: { name: "write", parameters: { properties: { text: { type: "string" } } } },
      arguments: { text },
    };
    const made = written(bridge, "", [one]);
    const begin = Date.now();
    for (const size of [1, 7, 4096]) {
      const pieces = Array.from(
        { length: Math.ceil(made.text.length / size) },
        (_, n) => made.text.slice(n * size, (n + 1) * size),
      );
      assert.deepEqual(fold(read(pieces, made.live)).calls, [{ name: "write", arguments: { text } }]);
    }
    assert.ok(Date.now() - begin < 10_000);
  });

  test(`${bridge.id}: text beside calls is kept`, () => {
    const { text, live } = written(bridge, "Let me see.", [{ tool: { name: "write" }, arguments: { a: 1 } }]);
    const { content, calls } = fold(read([text], live));
    assert.equal(content.trim(), "Let me see.");
    assert.equal(calls.length, 1);
  });
}

interface Vector {
  readonly id: string;
  readonly why: string;
  readonly input: string;
  readonly expect: Omit<Turn, "cut"> & { readonly finish?: "length" };
}

interface VectorFile {
  readonly tools: { readonly [name: string]: { readonly parameters: Schema } };
  readonly cases: readonly Vector[];
}

for (const bridge of bridges) {
  const path = new URL(`../fixtures/bridges/${bridge.id}.json`, import.meta.url);
  const file = JSON.parse(readFileSync(path, "utf8")) as VectorFile;
  const tools = Object.entries(file.tools).map(([name, { parameters }]) => ({ name, parameters }));
  const live = [bridge.dialect(tools), ...dialects];

  for (const { id, why, input, expect } of file.cases) {
    test(`${bridge.id} ${id}: ${why}`, () => {
      const run = (pieces: readonly string[]) => merge(parse(pieces, tools, { dialects: live }));
      const whole = run([input]);
      const { cut, ...turn } = fold(whole);
      assert.deepEqual({ ...turn, finish: cut ? "length" : undefined }, { finish: undefined, ...expect });
      for (const pieces of splits(input)) assert.deepEqual(run(pieces), whole, JSON.stringify(pieces));
      assert.deepEqual(run(input.split("")), whole, "one character at a time");
    });
  }
}

for (const bridge of bridges) {
  test(`${bridge.id}: how the text is cut never shows, whatever a model makes of the protocol`, () => {
    const path = new URL(`../fixtures/bridges/${bridge.id}.json`, import.meta.url);
    const file = JSON.parse(readFileSync(path, "utf8")) as VectorFile;
    const tools = Object.entries(file.tools).map(([name, { parameters }]) => ({ name, parameters }));
    const live = [bridge.dialect(tools), ...dialects];
    const texts = file.cases.map(({ input }) => input);
    const bits = [...new Set(texts.flatMap((text) => text.split(/(?<=[>\n "|\]:,])|(?=[<[{])/)))].filter((
      bit,
    ) => bit !== "");
    const soup = fc.array(fc.constantFrom(...bits, "😀", "`", "```", "<think>", "</think>", "\\"), {
      maxLength: 28,
    });
    const part = fc.constantFrom(...texts).chain((text) =>
      fc.tuple(fc.nat(text.length), fc.nat(text.length)).map(([from, to]) => text.slice(Math.min(from, to)))
    );
    const text = fc.oneof(soup, fc.array(part, { maxLength: 4 })).map((parts) => parts.join(""));
    const cut = text.chain((whole) => fc.tuple(fc.constant(whole), cutsOf(whole)));
    fc.assert(
      fc.property(cut, ([text, pieces]) => {
        const whole = merge(parse([text], tools, { dialects: live }));
        assert.deepEqual(merge(parse(pieces, tools, { dialects: live })), whole);
        assert.ok(!fold(whole).problems.includes("dialect-failed"));
      }),
      { numRuns: 400 },
    );
  });
}

test("every protocol has vectors, and every file of vectors its protocol", () => {
  const files = readdirSync(new URL("../fixtures/bridges/", import.meta.url)).map((name) =>
    name.replace(".json", "")
  );
  assert.deepEqual(files.toSorted(), bridges.map(({ id }) => id).toSorted());
});

test("xml: a tool that is named as the frame is called, and the frame still frames", () => {
  const tools = [{ name: "open", parameters: { properties: { url: { type: "string" } } } }, {
    name: "input",
  }];
  const live = [bridges.find(({ id }) => id === "xml")!.dialect(tools), ...dialects];
  const run = (text: string) => {
    const { content, calls, cut } = fold(parse([text], tools, { dialects: live }));
    return [content.trim(), calls.map((call) => [call.name, call.arguments]), cut];
  };
  const open = "<open>\n<url>https://a.test</url>\n</open>";
  const called = ["open", { url: "https://a.test" }];
  assert.deepEqual(run(open), ["", [called], false]);
  assert.deepEqual(run('<open>\n{"url": "https://a.test"}\n</open>'), ["", [called], false]);
  assert.deepEqual(run(`<open>\nI look.\n</open>\n${open}\n<input>\n</input>`), ["I look.", [called, [
    "input",
    {},
  ]], false]);
  for (const text of ["<b>Done.</b> All of it.", "<tool_result> is how it begins.", '{ "a": 1 }', "Done."]) {
    assert.deepEqual(run(`<open>\n${text}\n</open>`), [text, [], false]);
  }
});

test("code or a quotation that is open on the last line does not reach what closes an answer", () => {
  const texts: { [id: string]: [(text: string) => string, string] } = {
    markers: [
      (text) => `[[OPENCODE_FINAL]]\n${text}\n[[/OPENCODE_FINAL]]`,
      '[[CALL]]\n{"name": "read", "arguments": {"path": "a"}}\n[[/CALL]]',
    ],
    xml: [(text) => `<open>\n${text}\n</open>`, "<read>\n<path>a</path>\n</read>"],
  };
  const tools = [{ name: "read" }];
  for (const [id, [answer, call]] of Object.entries(texts)) {
    const live = [bridges.find((bridge) => bridge.id === id)!.dialect(tools), ...dialects];
    for (const text of ["Press the ` key.", "`a` and ``b", "> ", "> <tool_call> is quoted", "a\r\nb `c"]) {
      for (const behind of ["", `\n${call}`]) {
        const { content, calls } = fold(parse([answer(text) + behind], tools, { dialects: live }));
        assert.deepEqual([content, calls.length], [text, behind === "" ? 0 : 1], text);
      }
    }
  }
});

test("message text streams as soon as it is certain", () => {
  const said = [
    ["markers", "[[OPENCODE_FINAL]]\nThis is "],
    ["markers", "```\n[[OPENCODE_FINAL]]\nThis is "],
    ["object", '{"v":1,"mode":"final","message":"This is '],
    ["object", '```json\n{"v": 1, "mode": "final", "message": "This is '],
    ["xml", "<open>\nThis is "],
    ["xml", "```xml\n<open>\nThis is "],
  ] as const;
  for (const [id, text] of said) {
    const bridge = bridges.find((each) => each.id === id)!;
    const parser = createParser({ tools: [], dialects: [bridge.dialect([]), ...dialects] });
    const events = parser.feed(text).flatMap((event) => event.type === "content-delta" ? [event.text] : []);
    assert.equal(events.join(""), "This is ", text);
  }
});

test("what stood in the reasoning does not decide what stands at the start of a line", () => {
  const tools = [{ name: "read" }];
  const fenced = '```\n<tool_call>\n{"name": "read", "arguments": {"a": 1}}\n</tool_call>\n```';
  for (const reasoning of ["hm", "hm <", "hm\n", ""]) {
    const { calls, content } = fold(parse([{ reasoning }, { content: fenced }], tools));
    assert.deepEqual([calls.length, content], [1, ""], reasoning);
  }
});

test("arguments stream as they come", () => {
  const tools = [{ name: "write", parameters: { properties: { text: { type: "string" } } } }];
  const begun = [
    ["markers", '[[OPENCODE_TOOL]]\n[[CALL]]\n{"name": "write", "arguments": {"text": "abc'],
    [
      "object",
      '{"v":1,"mode":"tool","message":"","tool_calls":[{"name": "write", "arguments": {"text": "abc',
    ],
    ["xml", "<write>\n<text>abc"],
  ] as const;
  for (const [id, text] of begun) {
    const bridge = bridges.find((each) => each.id === id)!;
    const parser = createParser({ tools, dialects: [bridge.dialect(tools), ...dialects] });
    const json = parser.feed(text).flatMap((event) => event.type === "call-delta" ? [event.json] : []).join(
      "",
    );
    assert.equal(json, '{"text":"abc', id);
  }
});
