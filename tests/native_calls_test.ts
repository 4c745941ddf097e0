import assert from "node:assert/strict";
import fc from "fast-check";
import { beginnings, resolver } from "../src/parse/names.ts";
import { fromFunctionCall } from "../src/wire/call_piece.ts";
import { NativeCalls } from "../src/wire/native_calls.ts";
import type { ToolCallDelta } from "../src/wire/openai.ts";
import { test } from "./_test.ts";

const tools = ["read", "get_weather", "write", "now"].map((name) => ({ name }));

function calls(options: { whole?: boolean; barely?: (name: string) => boolean } = {}) {
  let ids = 0, index = 0;
  const problems: string[] = [];
  const native = new NativeCalls({
    resolve: resolver(tools),
    begins: beginnings(tools),
    newId: () => `new_${ids++}`,
    nextIndex: () => index++,
    problem: (code) => problems.push(code),
    ...options,
  });
  return { native, problems };
}

interface Joined {
  id: string;
  name: string;
  args: string;
}

/** Joins deltas as a strict client does: the head once, with everything in it. */
function join(deltas: readonly ToolCallDelta[]): Joined[] {
  const all: Joined[] = [];
  for (const delta of deltas) {
    const call = all[delta.index];
    if (call === undefined) {
      assert.equal(delta.index, all.length, "indexes count up");
      assert.equal(delta.type, "function");
      assert.equal(typeof delta.id, "string");
      assert.equal(typeof delta.function?.name, "string");
      assert.equal(typeof delta.function?.arguments, "string");
      all.push({ id: delta.id!, name: delta.function!.name!, args: delta.function!.arguments! });
    } else {
      assert.deepEqual([delta.id, delta.type, delta.function?.name], [undefined, undefined, undefined]);
      call.args += delta.function?.arguments ?? "";
    }
  }
  return all;
}

function run(lists: readonly unknown[], options: Parameters<typeof calls>[0] = {}, cut = false) {
  const { native, problems } = calls(options);
  const deltas: ToolCallDelta[] = [];
  let same = true;
  for (const list of lists) {
    const result = native.delta(list);
    same &&= result.same;
    deltas.push(...result.deltas);
  }
  const owed = native.end(cut);
  return { calls: join([...deltas, ...owed]), same: same && owed.length === 0, native, problems };
}

/** `[index, id, name, arguments]`, as far as given. */
const d = (index: unknown, id: unknown, name: unknown, args: unknown, more = {}) => ({
  ...(index === undefined ? {} : { index }),
  ...(id === undefined ? {} : { id }),
  ...more,
  function: { ...(name === undefined ? {} : { name }), ...(args === undefined ? {} : { arguments: args }) },
});
const F = { type: "function" };
const A = '{"path":"a"}', B = '{"path":"b"}';

const table: { why: string; lists: unknown[]; expect: [name: string, args: string, id?: string][] }[] = [
  { why: "C29 empty arrays", lists: [[], []], expect: [] },
  { why: "C11 index missing", lists: [[d(undefined, "x", "read", A, F)]], expect: [["read", A, "x"]] },
  {
    why: "C11 index null, arguments in pieces",
    lists: [[d(null, "x", "read", "", F)], [d(null, undefined, undefined, '{"path"')], [
      d(null, undefined, undefined, ':"a"}'),
    ]],
    expect: [["read", A, "x"]],
  },
  {
    why: "C11 index missing, two calls one after the other",
    lists: [[d(undefined, "x", "read", A)], [d(undefined, "y", "read", B)]],
    expect: [["read", A, "x"], ["read", B, "y"]],
  },
  {
    why: "C11 neither index nor id, two calls in one list",
    lists: [[d(undefined, undefined, "read", A), d(undefined, undefined, "read", B)]],
    expect: [["read", A], ["read", B]],
  },
  {
    why: "C11 neither index nor id nor arguments, the same tool twice",
    lists: [[d(undefined, undefined, "now", ""), d(undefined, undefined, "now", undefined)]],
    expect: [["now", "{}"], ["now", "{}"]],
  },
  {
    why: "C11 neither index nor id, two calls in two lists",
    lists: [[d(undefined, undefined, "read", A)], [d(undefined, undefined, "read", B)]],
    expect: [["read", A], ["read", B]],
  },
  {
    why: "C12 all calls have index 0",
    lists: [[d(0, "x", "read", "", F)], [d(0, undefined, undefined, A)], [d(0, "y", "write", "", F)], [
      d(0, undefined, undefined, B),
    ]],
    expect: [["read", A, "x"], ["write", B, "y"]],
  },
  {
    why: "C12 two ids under one index, same name",
    lists: [[d(0, "x", "read", A, F), d(0, "y", "read", B, F)]],
    expect: [["read", A, "x"], ["read", B, "y"]],
  },
  {
    why: "indexes that begin at 1 and leave gaps",
    lists: [[d(1, "x", "read", "", F)], [d(1, undefined, undefined, A)], [d(5, "y", "read", B, F)]],
    expect: [["read", A, "x"], ["read", B, "y"]],
  },
  {
    why: "interleaved calls",
    lists: [[d(0, "x", "read", "", F), d(1, "y", "write", "", F)], [d(0, undefined, undefined, '{"path"')], [
      d(1, undefined, undefined, '{"path":'),
    ], [d(0, undefined, undefined, ':"a"}'), d(1, undefined, undefined, '"b"}')]],
    expect: [["read", A, "x"], ["write", B, "y"]],
  },
  { why: "C13 id blank", lists: [[d(0, "", "read", A, F)]], expect: [["read", A]] },
  { why: "C13 id null", lists: [[d(0, null, "read", A, F)]], expect: [["read", A]] },
  {
    why: "C13 id and name in each delta",
    lists: [[d(0, "x", "read", "", F)], [d(0, "x", "read", '{"path"', F)], [d(0, "x", "read", ':"a"}', F)]],
    expect: [["read", A, "x"]],
  },
  {
    why: "C13 another id in each delta of one call",
    lists: [[d(0, "x", "read", "", F)], [d(0, "y", undefined, '{"path"')], [d(0, "z", undefined, ':"a"}')]],
    expect: [["read", A, "x"]],
  },
  {
    why: "C13 the same id for two calls",
    lists: [[d(0, "x", "read", A, F)], [d(1, "x", "read", B, F)]],
    expect: [["read", A, "x"], ["read", B]],
  },
  {
    why: "C13, C14 the same id for two calls, and their names late",
    lists: [[d(0, "x", undefined, A, F)], [d(0, undefined, "read", "")], [d(1, "x", undefined, B, F)], [
      d(1, undefined, "write", ""),
    ]],
    expect: [["read", A, "x"], ["write", B]],
  },
  {
    why: "C13 id late",
    lists: [[d(0, undefined, "read", "")], [d(0, "x", undefined, A)]],
    expect: [["read", A]],
  },
  {
    why: "the whole call sent once more at the end",
    lists: [[d(0, "x", "read", A, F)], [d(0, "x", "read", A, F)]],
    expect: [["read", A, "x"]],
  },
  {
    why: "C14 name in each delta, no id",
    lists: [[d(0, undefined, "read", "")], [d(0, undefined, "read", '{"path":"')], [
      d(0, undefined, "read", 'a"}'),
    ]],
    expect: [["read", A]],
  },
  {
    why: "C14 name split",
    lists: [[d(0, "x", "get", "", F)], [d(0, undefined, "_wea", "")], [d(0, undefined, "ther", "")], [
      d(0, undefined, undefined, A),
    ]],
    expect: [["get_weather", A, "x"]],
  },
  {
    why: "C14 name as far as it has come",
    lists: [[d(0, "x", "get", "", F)], [d(0, "x", "get_weather", "")], [d(0, undefined, undefined, A)]],
    expect: [["get_weather", A, "x"]],
  },
  {
    why: "C14 name late, behind some of the arguments",
    lists: [[d(0, "x", undefined, "", F)], [d(0, undefined, "", '{"path"')], [
      d(0, undefined, "read", ':"a"}'),
    ]],
    expect: [["read", A, "x"]],
  },
  { why: "E1 case", lists: [[d(0, "x", "Get-Weather", A, F)]], expect: [["get_weather", A, "x"]] },
  { why: "E1 Kimi", lists: [[d(0, "x", "functions.read:0", A, F)]], expect: [["read", A, "x"]] },
  { why: "unknown tool", lists: [[d(0, "x", "nope", A, F)]], expect: [["nope", A, "x"]] },
  {
    why: "A11 harmony junk",
    lists: [[d(0, "x", "read<|channel|>commentary", A, F)]],
    expect: [["read", A, "x"]],
  },
  {
    why: "A11 harmony junk in pieces",
    lists: [[d(0, "x", "read", "", F)], [d(0, undefined, "<|channel|>comm", "")], [
      d(0, undefined, undefined, A),
    ]],
    expect: [["read", A, "x"]],
  },
  { why: "type missing", lists: [[d(0, "x", "read", A)]], expect: [["read", A, "x"]] },
  { why: "C16 object", lists: [[d(0, "x", "read", { path: "a" }, F)]], expect: [["read", A, "x"]] },
  { why: "C15 empty", lists: [[d(0, "x", "now", "", F)]], expect: [["now", "{}", "x"]] },
  { why: "C15 null", lists: [[d(0, "x", "now", null, F)]], expect: [["now", "{}", "x"]] },
  { why: "C15 missing", lists: [[d(0, "x", "now", undefined, F)]], expect: [["now", "{}", "x"]] },
  {
    why: "no function, flat",
    lists: [[{ id: "x", name: "read", arguments: { path: "a" } }]],
    expect: [[
      "read",
      A,
      "x",
    ]],
  },
];

for (const { why, lists, expect } of table) {
  test(`rule 16: ${why}`, () => {
    const { calls } = run(lists);
    assert.deepEqual(calls.map(({ name, args }) => [name, args]), expect.map(([name, args]) => [name, args]));
    expect.forEach(([, , id], n) => assert.equal(calls[n]!.id, id ?? calls[n]!.id));
    assert.equal(new Set(calls.map((call) => call.id)).size, calls.length);
    assert.equal(run(lists, { whole: true }).calls.length, expect.length);
  });
}

const texts: [text: string, ...expect: string[]][] = [
  ["null", "{}"],
  [" ", " {}"],
  ['""', "{}"],
  [JSON.stringify(A), A],
  [JSON.stringify(JSON.stringify(A)), A],
  [JSON.stringify('{"a":"\\"}{"}'), '{"a":"\\"}{"}'],
  [A + B, A, B],
  [`${A}\n${B}`, `${A}\n`, B],
  [`${A}, ${B}`, A, B],
  [`{}${A}`, A],
  [`{ } ${A}`, '{ "path":"a"}'],
  [`${A}{}`, A],
  [`${A}}`, A],
  [`${A}}}\n`, `${A}\n`],
  [`${A}}${B}`, A, B],
  [`${A}</tool_call>`, A],
  ['"path":"a"}', A],
  ['{"a":"}{\\"","b":[{"c":1},{}]}', '{"a":"}{\\"","b":[{"c":1},{}]}'],
  [`null${A}`, A],
];
for (const [text, ...expect] of texts) {
  test(`rule 16: arguments ${text} at every cut`, () => {
    for (let i = 0; i <= text.length; i++) {
      for (let j = i; j <= text.length; j++) {
        const pieces = [text.slice(0, i), text.slice(i, j), text.slice(j)];
        const { calls, native } = run([
          [d(0, "x", "read", "", F)],
          ...pieces.map((piece) => [d(0, undefined, undefined, piece)]),
        ]);
        const trim = (args: string) => args.replace(/^(\{) /, "$1").trim();
        assert.deepEqual(calls.map((call) => trim(call.args)), expect.map(trim), `${i} ${j}`);
        assert.equal(native.truncated, false);
      }
    }
  });
}

test("rule 10: a call that is cut off is never closed", () => {
  for (const text of ["{", '{"a', '{"a":{"b":1}', '"{\\"a\\":', '{"a":"}"']) {
    const { calls, native, problems } = run([[d(0, "x", "read", text, F)]]);
    assert.equal(calls[0]!.args, text);
    assert.equal(native.truncated, true);
    assert.ok(problems.includes("call-truncated"));
    const whole = run([[d(0, "x", "read", text, F)]], { whole: true });
    assert.deepEqual([whole.calls, whole.native.truncated], [[], true]);
  }
  const cut = run([[d(0, "x", "read", "", F)]], {}, true);
  assert.deepEqual([cut.calls[0]!.args, cut.native.truncated], ["", true]);
});

test("rule 10: a name that is cut off is no call", () => {
  const { calls, native } = run([[d(0, "x", "get_wea", "", F)]], {}, true);
  assert.deepEqual([calls, native.truncated, native.count], [[], true, 0]);
});

test("rule 13: whole calls go out once they are complete", () => {
  const { native } = calls({ whole: true });
  assert.deepEqual(native.delta([d(0, "x", "read", '{"path":', F)]), { deltas: [], same: false });
  const { deltas } = native.delta([d(0, undefined, undefined, '"a"}')]);
  assert.deepEqual(join(deltas), [{ id: "x", name: "read", args: A }]);
  assert.deepEqual(native.end(), []);
});

test("rule 2: the clean shape is the same throughout", () => {
  fc.assert(fc.property(
    fc.array(
      fc.tuple(fc.constantFrom("read", "write", "nope"), fc.jsonValue(), fc.integer({ min: 1, max: 7 })),
      {
        maxLength: 3,
      },
    ),
    (given) => {
      const lists: unknown[] = [];
      const expect = given.map(([name, value, size], index) => {
        const args = JSON.stringify({ value });
        lists.push([{ index, id: `c${index}`, type: "function", function: { name, arguments: "" } }]);
        for (let at = 0; at < args.length; at += size) {
          lists.push([{ index, function: { arguments: args.slice(at, at + size) } }]);
        }
        return { id: `c${index}`, name, args };
      });
      const { calls, same, problems } = run(lists);
      assert.deepEqual(calls, expect);
      assert.ok(same);
      assert.deepEqual(problems.filter((code) => code !== "unknown-tool"), []);
    },
  ));
  const bare = [[{ index: 0, id: "x", type: "function", function: { name: "now", arguments: "{}" } }]];
  assert.ok(run(bare, { barely: (name) => name === "now" }).same);
  assert.deepEqual(run(bare).calls, [{ id: "x", name: "now", args: "{}" }]);
});

test("rule 15: unknown fields of a call survive", () => {
  const { native } = calls();
  const extra_content = { google: { thought_signature: "s" } };
  const { deltas } = native.delta([{ id: "x", extra_content, function: { name: "read", arguments: A } }]);
  assert.deepEqual(deltas[0], {
    index: 0,
    id: "x",
    type: "function",
    extra_content,
    function: { name: "read", arguments: A },
  });
  const custom = { index: 1, id: "y", type: "custom", custom: { name: "x", input: "y" } };
  assert.deepEqual(native.delta([custom]), { deltas: [custom], same: true });
});

test("rule 16: the old function_call becomes a call", () => {
  const { native } = calls();
  const feed = (function_call: unknown) =>
    native.delta(fromFunctionCall({ function_call }).tool_calls).deltas;
  const deltas = [...feed({ name: "read", arguments: "" }), ...feed({ arguments: A }), ...native.end()];
  assert.deepEqual(join(deltas).map(({ name, args }) => [name, args]), [["read", A]]);
  const plain = { content: "x", function_call: null };
  assert.equal(fromFunctionCall(plain), plain);
});

test("linear: 10 MB of arguments in small pieces", () => {
  const { native } = calls();
  native.delta([d(0, "x", "write", '{"a":"', F)]);
  const begin = performance.now();
  const piece = 'text \\" } { '.repeat(4);
  for (let n = 0; n < 200_000; n++) native.delta([d(0, undefined, undefined, piece)]);
  assert.ok(performance.now() - begin < 4000);
});

test("rule 6: names", () => {
  const resolve = resolver(
    ["read", "read_file", "ReadFile", "Bash", "fs.list", "mcp__x__go"].map((name) => ({ name })),
  );
  const cases: [string, string | undefined][] = [
    ["read", "read"],
    ["READ", "read"],
    ["read_file", "read_file"],
    ["readfile", undefined],
    ["bash", "Bash"],
    ["functions.bash:12", "Bash"],
    ["default_api:bash", "Bash"],
    ["functions.fs.list", "fs.list"],
    ["fs.list", "fs.list"],
    ["go", undefined],
    ["server__read", "read"],
    ["mcp__x__go", "mcp__x__go"],
    ["ProxyRead", "read"],
    ["proxy_Bash", "Bash"],
    ["bash_1_234", "Bash"],
    ["read_file_2", "read_file"],
    ["Bash()", "Bash"],
    ["readread", "read"],
    ["proxy_go", undefined],
    ["_1", undefined],
    ["a/b/read", "read"],
    ["rea", undefined],
    ["", undefined],
    ["functions.", undefined],
    ["__", undefined],
  ];
  for (const [name, tool] of cases) assert.equal(resolve(name), tool, name);
  const begins = beginnings([{ name: "read_file" }]);
  for (const name of ["", "re", "Read", "functions", "functions.", "functions.re"]) {
    assert.ok(begins(name), name);
  }
  for (const name of ["wr", "read_files", "functions.wr"]) assert.ok(!begins(name), name);
});

for (
  const [why, text, args] of [
    ["a quote that was lost", '{"action": listt_windows"}', '{"action":"listt_windows"}'],
    ["single quotes", "{'action': 'it''s'}", `{"action":"it''s"}`],
    ["a key without quotes", '{"a": {"b": 1}, action: [True, none]}', '{"a":{"b":1},"action":[true,null]}'],
    ["words that are no literals", '{"action": tail, "n": 1.5e3}', '{"action":"tail","n":1.5e3}'],
  ] as const
) {
  test(`E5: arguments that are no JSON are mended, however they are cut: ${why}`, () => {
    for (const cut of [text.length, 11, 7]) {
      const pieces = text.match(new RegExp(`[^]{1,${cut}}`, "g"))!;
      const lists = pieces.map((piece, n) =>
        n === 0 ? [d(0, "x", "read", piece, F)] : [d(0, undefined, undefined, piece)]
      );
      const { calls, problems, native } = run(lists);
      assert.deepEqual(calls.map((call) => JSON.parse(call.args)), [JSON.parse(args)], String(cut));
      assert.deepEqual([problems, native.truncated], [["arguments-repaired"], false]);
    }
  });
}

test("E5: what comes in one piece is mended inside strings and behind values as well", () => {
  for (const text of ['{"action": "x",}', '{"action": "a\nb"}', '{"path": "C:\\Users"}']) {
    const { calls: [call] } = run([[d(0, "x", "read", text, F)]]);
    assert.deepEqual(Object.keys(JSON.parse(call!.args) as object).length, 1);
  }
});

test("E5: arguments that are cut off are not made whole, and what no object can be made of passes", () => {
  const cutOff = run(
    [[d(0, "x", "read", '{"action": lis', F)], [d(0, undefined, undefined, "t_win")]],
    {},
    true,
  );
  assert.equal(cutOff.native.truncated, true);
  assert.equal(cutOff.calls[0]!.args, '{"action": list_win');
  const hopeless = run([[d(0, "x", "read", '{"action": ', F)], [d(0, undefined, undefined, '<a b="]" }')]]);
  assert.equal(hopeless.calls[0]!.args, '{"action": <a b="]" }');
  const long = run([[d(0, "x", "read", '{"action": ', F)], [
    d(0, undefined, undefined, `x${" y".repeat(40_000)}`),
  ]]);
  assert.equal(long.calls[0]!.args.length > 80_000, true);
});

test("JSON passes as it is, wherever it is cut", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.integer({ min: 1, max: 9 }), (value, size) => {
      for (const text of [JSON.stringify(value), JSON.stringify(value, null, 1)]) {
        const pieces = text.match(new RegExp(`[^]{1,${size}}`, "g"))!;
        const lists = pieces.map((piece, n) =>
          n === 0 ? [d(0, "x", "read", piece, F)] : [d(0, undefined, undefined, piece)]
        );
        assert.equal(run(lists, { barely: () => true }).calls[0]!.args, text);
      }
    }),
  );
});
