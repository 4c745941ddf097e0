/** Readings: every vector's spans say what the parser says, and large or odd exchanges are read as they were answered. */
import assert from "node:assert/strict";
import { dialects } from "../src/dialects/mod.ts";
import { examples } from "../src/inspector/examples.ts";
import { convertText } from "../src/inspector/convert_text.ts";
import { readCapture } from "../src/inspector/read_capture.ts";
import { type ReadTurn, readTurn, type Span, type TurnPiece } from "../src/inspector/reading.ts";
import type { Tool } from "../src/parse/dialect.ts";
import { inspected, says, weather } from "./_inspector.ts";
import { test } from "./_test.ts";
import { piecesOf, toolsOf, type Vector, vectorFiles } from "./_vectors.ts";

const FIELDS = ["reasoning", "content"] as const;

function turnPieces(vector: Vector): TurnPiece[] {
  return piecesOf(vector).flatMap((piece): TurnPiece[] => {
    if (typeof piece === "string") return [{ field: "content", text: piece }];
    return FIELDS.flatMap((field) => piece[field] === undefined ? [] : [{ field, text: piece[field] }]);
  });
}

/** What the spans of one kind say, field by field. */
function said({ fields }: ReadTurn, kind: Span["kind"]): string[] {
  return FIELDS.map((field) =>
    fields[field].spans.filter((span) => span.kind === kind)
      .map((span) => span.said ?? fields[field].text.slice(span.start, span.end)).join("")
  );
}

for (const file of vectorFiles) {
  test(`the spans of ${file.dialect} say what its vectors expect`, async () => {
    for (const vector of file.cases) {
      if (vector.knownBroken !== undefined) continue;
      const pieces = turnPieces(vector);
      const reasoning = vector.startsInReasoning ? "open" : "split";
      const read = await readTurn(pieces, { tools: toolsOf(file, vector), dialects, reasoning });
      const called = new Set<number>();
      for (const field of FIELDS) {
        const { text, spans } = read.fields[field];
        const wrote = pieces.map((piece) =>
          piece !== "native-call" && piece.field === field ? piece.text : ""
        );
        assert.equal(text, wrote.join(""), vector.id);
        let at = 0;
        for (const span of spans) {
          assert.equal(span.start, at, `${vector.id}: spans tile the text`);
          at = span.end;
          if (span.kind === "call" && span.end > span.start) called.add(span.call!);
        }
        assert.equal(at, text.length, `${vector.id}: spans leave nothing out`);
      }
      assert.equal(said(read, "text").join(""), vector.expect.content, vector.id);
      const thought = said(read, "reasoning");
      // Reasoning may stand in both fields, in either order.
      assert.ok(
        [thought.join(""), thought.toReversed().join("")].includes(vector.expect.reasoning),
        `${vector.id}: ${JSON.stringify(thought)}`,
      );
      assert.deepEqual([...called].sort((a, b) => a - b), read.calls.map(({ index }) => index), vector.id);
      assert.deepEqual(
        read.calls.flatMap(({ name, arguments: json }) => json === null ? [] : [[name, JSON.parse(json)]]),
        vector.expect.calls.map((call) => [call.name, call.arguments]),
        vector.id,
      );
      assert.deepEqual(read.problems.map(({ code }) => code), vector.expect.problems, vector.id);
      for (const { field, at } of read.problems) {
        assert.ok(at >= 0 && at <= read.fields[field].text.length, `${vector.id}: a problem has a place`);
      }
    }
  });
}

const tools: readonly Tool[] = [{ name: "get_weather", parameters: weather.function.parameters }, {
  name: "write_file",
}];

async function spansOf(text: string): Promise<string[][]> {
  const { fields: { content } } = await readTurn([{ field: "content", text }], { tools, dialects });
  return content.spans.map(({ kind, start, end, call, dialect }) => [
    kind === "call" ? `call ${call} ${dialect}` : kind,
    content.text.slice(start, end),
  ]);
}

test("a call's markup is one span, white space around it another, tags and tokens their own", async () => {
  const one = '<tool_call>{"name": "get_weather", "arguments": {"city": "Rome"}}</tool_call>';
  const other = one.replace("Rome", "Paris");
  assert.deepEqual(await spansOf(`<think>\nHm.</think>\n\n${one}\n${other}<|im_end|>`), [
    ["tag", "<think>"],
    ["reasoning", "\nHm."],
    ["tag", "</think>"],
    ["space", "\n\n"],
    ["call 0 hermes", one],
    ["space", "\n"],
    ["call 1 hermes", other],
    ["dropped", "<|im_end|>"],
  ]);
  assert.deepEqual(await spansOf(`Say \`${one}\` or\n${one}\nand more`), [
    ["text", `Say \`${one}\` or\n`],
    ["call 0 hermes", one],
    ["text", "\nand more"],
  ]);
  assert.deepEqual(await spansOf(`${one}\n<tool_response>22</tool_response>`), [
    ["call 0 hermes", one],
    ["space", "\n"],
    ["dropped", "<tool_response>22</tool_response>"],
  ]);
});

test("problems stand at the character where they struck", async () => {
  const text =
    'So:\n<tool_call>{"name": "getWeather", "arguments": {"city": "Rome"}}</tool_call>\nNo <tool_call> here.<|im_end|>';
  const { problems } = await readTurn([{ field: "content", text }], { tools, dialects });
  assert.deepEqual(problems.map(({ code, at }) => [code, at]), [
    ["name-resolved", text.indexOf("getWeather")],
    ["not-a-call", text.lastIndexOf("<tool_call>")],
    ["special-token", text.indexOf("<|im_end|>")],
  ]);
});

test("what is not decided yet is held while the answer goes on", async () => {
  const text = 'Hello <tool_call>{"name": "get_wea';
  const { fields } = await readTurn([{ field: "content", text }], { tools, dialects, open: true });
  assert.deepEqual(fields.content.spans.map(({ kind }) => kind), ["text", "held"]);
});

test("megabytes are read in seconds, and others get their turn meanwhile", async () => {
  const line = "const fox = `quick <brown> [fox]`; // {jumps}\\n";
  const file = `Sure.\n<tool_call>{"name":"write_file","arguments":{"path":"a","content":"${
    line.repeat(60_000)
  }"}}</tool_call>`;
  const prose = "The <b>quick</b> `brown` fox [1] jumps.\n".repeat(75_000);
  for (const text of [file, prose]) {
    let turns = 0;
    const timer = setInterval(() => {
      turns++;
    }, 1);
    const { fields, calls } = await readTurn(
      text.match(/[^]{1,4000}/g)!.map((text) => ({ field: "content", text })),
      {
        tools,
        dialects,
      },
    );
    clearInterval(timer);
    assert.equal(fields.content.spans.at(-1)!.end, text.length);
    assert.equal(calls.length, text === file ? 1 : 0);
    assert.ok(turns > 3, `others had ${turns} turns meanwhile`);
  }
});

test("a capture is read as it was answered: choices, fields, the upstream's own calls, marks in their place", async () => {
  const native = (at: number, part: object) => ({ tool_calls: [{ index: at, ...part }] });
  await using server = inspected(says(
    { reasoning_content: "Two ways.\n" },
    "Both: ",
    '<tool_call>{"name": "get_weather", "arguments": {"city": "Rome"}}</tool_call>',
    native(0, { function: { name: "get_weather", arguments: '{"city":' } }),
    native(0, { function: { arguments: '"Paris"}' } }),
  ));
  await server.chat({ model: "m", stream: true, tools: [weather], messages: [] });
  const [{ id } = { id: "" }] = server.captures.list();
  const { attempts: [attempt], answer } = await readCapture(server.captures.get(id)!);
  const [choice] = attempt!.choices;
  assert.equal(choice!.fields.reasoning.text, "Two ways.\n");
  assert.deepEqual(choice!.fields.content.spans.map(({ kind }) => kind), ["text", "call"]);
  assert.equal(choice!.native.length, 2);
  assert.deepEqual(choice!.delivered, [
    { function: { name: "get_weather", arguments: '{"city":"Paris"}' } },
  ]);
  const mark = attempt!.marks.find((mark) => mark.kind === "problem" && mark.code === "call-mended");
  assert.deepEqual([mark?.choice, mark?.field, mark?.at], [0, "content", choice!.fields.content.text.length]);
  const [bytes, field, end] = choice!.places.at(-1)!;
  assert.deepEqual([field, end], ["content", choice!.fields.content.text.length]);
  assert.ok(bytes < server.captures.get(id)!.attempts[0]!.body.cuts.at(-1)![1]);
  const [{ message }] = answer!["choices"] as [{ message: { content: string; tool_calls: unknown[] } }];
  assert.equal(message.content, "Both: ");
  assert.equal(message.tool_calls.length, 2);
});

test("whole answers, errors and taught models are read too", async () => {
  const { demoUpstream } = await import("../src/cli/demo_upstream.ts");
  await using server = inspected((request) => demoUpstream(request, 0), {
    config: { bridgeModels: ["demo-taught"] },
  });
  const read = async (body: object) => {
    await server.chat({ tools: [weather], messages: [{ role: "user", content: "Weather?" }], ...body });
    return await readCapture(server.captures.get(server.captures.list()[0]!.id)!);
  };
  const whole = await read({ model: "demo-glm" });
  assert.deepEqual(
    whole.attempts[0]!.choices[0]!.fields.content.spans.map(({ kind, dialect }) => [kind, dialect]),
    [
      ["call", "glm"],
    ],
  );
  const taught = await read({ model: "demo-taught", stream: true });
  assert.equal(taught.attempts[0]!.bridged, true);
  assert.equal(taught.attempts[0]!.choices[0]!.calls[0]!.dialect, "bridge-markers");
  const missing = await read({ model: "nobody" });
  assert.match(JSON.stringify(missing.attempts[0]!.message), /There is no model/);
  assert.match(JSON.stringify(missing.answer), /There is no model/);
});

test("a request without tools has plain text, whatever stands in it", async () => {
  await using server = inspected(says("<tool_call>{}</tool_call> and <think>this</think>"));
  await server.chat({ model: "m", stream: true, messages: [] });
  const { attempts: [attempt] } = await readCapture(server.captures.get(server.captures.list()[0]!.id)!);
  assert.deepEqual(attempt!.choices[0]!.fields.content.spans.map(({ kind }) => kind), ["text"]);
});

test("each example of the playground shows what its name says", async () => {
  const calls: number[] = [];
  for (const { text, tools } of examples) {
    const { steps, message } = await convertText({ text, tools: JSON.parse(tools), cut: 3 });
    const [choice] = message["choices"] as { message: { tool_calls?: unknown[] }; finish_reason: string }[];
    calls.push(choice!.message.tool_calls?.length ?? 0);
    assert.equal(steps.at(-1)!.end, text.length);
  }
  assert.deepEqual(calls, [2, 1, 1, 1, 1, 0, 1]);
});

test("markup that was left as text is pointed at where it stands", async () => {
  const text = 'Well then. <execute_tool name="get_weather">Rome</execute_tool> Done.';
  await using server = inspected(says(...text.match(/[^]{1,5}/g)!));
  await server.chat({ model: "m", stream: true, tools: [weather], messages: [] });
  const { attempts: [attempt] } = await readCapture(server.captures.get(server.captures.list()[0]!.id)!);
  const mark = attempt!.marks.find((mark) => mark.kind === "problem" && mark.code === "markup-left");
  assert.equal(mark?.at, text.indexOf("<execute_tool"));
});
