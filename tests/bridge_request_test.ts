/** What a bridged request looks like upstream. */
import assert from "node:assert/strict";
import { encodeRequest, mostCalls } from "../src/bridge/encode_request.ts";
import { bridges } from "../src/bridge/mod.ts";
import { dialects } from "../src/dialects/mod.ts";
import { test } from "./_test.ts";
import { fold, parse } from "./_turn.ts";
import type { Loose } from "./_upstream.ts";

const tool = (name: string, description: string, parameters: unknown) => ({
  type: "function",
  function: { name, description, parameters },
});

const tools = [
  tool("write", "Write a file.", {
    type: "object",
    properties: { path: { type: "string" }, mode: { type: "string", enum: ["create", "append"] } },
    required: ["path", "mode"],
  }),
  tool("edit", "Edit a file.", {
    type: "object",
    properties: {
      edits: {
        type: "array",
        items: { type: "object", properties: { old: { type: "string" } }, required: ["old"] },
      },
    },
  }),
  tool("attempt_completion", "Say that the task is done.", { type: "object", properties: {} }),
];

const calls = [
  { id: "a", type: "function", function: { name: "write", arguments: '{"path":"x <y>","mode":"create"}' } },
  { id: "b", type: "function", function: { name: "edit", arguments: '{"n":12345678901234567890}' } },
];
const image = { type: "image_url", image_url: { url: "data:image/png;base64,AA==" } };

const body: Loose = {
  model: "m",
  stream: true,
  temperature: 0.5,
  messages: [
    { role: "system", content: "You are a coder." },
    { role: "user", content: [{ type: "text", text: "Look at this." }, image] },
    { role: "assistant", content: "I will write.", reasoning_content: "hm", tool_calls: calls },
    { role: "tool", tool_call_id: "a", content: "wrote it\nwell" },
    { role: "tool", tool_call_id: "b", content: [{ type: "text", text: "edited" }, image] },
    { role: "assistant", content: "Both are done." },
    { role: "user", content: "Go on." },
  ],
  tools,
  tool_choice: "auto",
  parallel_tool_calls: true,
};

const textOf = ({ content }: Loose): string =>
  typeof content === "string"
    ? content
    : content.map((part: Loose) => part.text ?? `(${part.type})`).join("");

for (const bridge of bridges) {
  const encode = (more: Loose = {}, most = 5, reason?: string): Loose =>
    encodeRequest({ ...body, ...more }, { bridge, most, reason });

  test(`${bridge.id}: the same request gives the same text, byte for byte, and is not touched itself`, () => {
    const before = JSON.stringify(body);
    assert.equal(JSON.stringify(encode()), JSON.stringify(encode()));
    assert.equal(JSON.stringify(body), before);
  });

  test(`${bridge.id}: tools leave the request, and stand in the client's own first system message`, () => {
    const { messages, ...rest } = encode();
    assert.deepEqual(rest, {
      model: "m",
      stream: true,
      temperature: 0.5,
      stream_options: { include_usage: true },
    });
    assert.equal(messages[0].role, "system");
    const text: string = messages[0].content;
    assert.ok(text.startsWith("You are a coder.\n\n"));
    let at = 0;
    for (const { function: { name, description, parameters } } of tools) {
      const next = text.indexOf(`### ${name}\n${description}\n`);
      assert.ok(next > at, `${name} in its place`);
      assert.ok(
        text.includes(JSON.stringify(parameters)),
        `types, required, enums and nested schemas of ${name}`,
      );
      at = next;
    }
    assert.match(text, /Call attempt_completion when the task is done/);
    assert.match(text, /At most 5 calls/);
    assert.doesNotMatch(text, /you must call/);
    assert.equal(messages.filter(({ role }: Loose) => role === "system").length, 1);
  });

  test(`${bridge.id}: the past is told in the protocol, text and order kept, images kept`, () => {
    const { messages } = encode();
    assert.deepEqual(messages.map(({ role }: Loose) => role), [
      "system",
      "user",
      "assistant",
      "user",
      "assistant",
      "user",
    ]);
    assert.deepEqual(messages[1], body.messages[1]);
    const { content, ...rest } = messages[2];
    assert.deepEqual(rest, { role: "assistant", reasoning_content: "hm" });
    const live = tools.map(({ function: { name, parameters } }) => ({
      name,
      parameters: parameters as Loose,
    }));
    const turn = fold(parse([content], live, { dialects: [bridge.dialect(live), ...dialects] }));
    assert.equal(turn.content.trim(), "I will write.");
    assert.deepEqual(turn.calls[0], { name: "write", arguments: { path: "x <y>", mode: "create" } });
    assert.equal(turn.calls[1]!.name, "edit");
    assert.ok(content.includes("12345678901234567890"), "digits are kept");
    const results = messages[3];
    assert.equal(results.content.filter((part: Loose) => part.type === "image_url").length, 1);
    const text = textOf(results);
    const places = ["write (call 1)", "wrote it\nwell", "edit (call 2)", "edited", "(image_url)"].map((
      part,
    ) => text.indexOf(part));
    assert.ok(places.every((place, n) => place > (places[n - 1] ?? -1)), text);
    assert.deepEqual(messages[4], body.messages[5]);
    assert.deepEqual(messages[5], body.messages[6]);
  });

  test(`${bridge.id}: more of the conversation changes nothing before it (prefix caches)`, () => {
    const short = encode({ messages: body.messages.slice(0, 5) }).messages;
    const long = encode().messages;
    assert.deepEqual(long.slice(0, short.length), short);
  });

  test(`${bridge.id}: tool_choice and parallel_tool_calls are honoured in the instructions`, () => {
    const system = (more: Loose, most = 5) => encode(more, most).messages[0].content as string;
    assert.match(system({ tool_choice: "required" }), /you must call at least one tool/);
    const named = system({ tool_choice: { type: "function", function: { name: "edit" } } });
    assert.match(named, /you must call the tool edit\./);
    assert.equal(mostCalls({ parallel_tool_calls: false }, 5), 1);
    assert.equal(mostCalls({ parallel_tool_calls: true }, 5), 5);
    assert.match(system({}, 1), /Exactly one call/);
    assert.match(system({}, 3), /At most 3 calls/);
  });

  test(`${bridge.id}: without a system message there is a new first one; a list gets one more part`, () => {
    const [first, second] = encode({ messages: [{ role: "user", content: "Hi" }] }).messages;
    assert.equal(first.role, "system");
    assert.deepEqual(second, { role: "user", content: "Hi" });
    const part = { type: "text", text: "Be kind.", cache_control: { type: "ephemeral" } };
    const { messages } = encode({ messages: [{ role: "developer", content: [part] }] });
    assert.equal(messages.length, 1);
    assert.equal(messages[0].role, "developer");
    assert.deepEqual(messages[0].content[0], part);
    assert.match(messages[0].content[1].text, /### write/);
  });

  test(`${bridge.id}: what is odd in the past does no harm`, () => {
    const { messages } = encode({
      messages: [
        {
          role: "assistant",
          content: null,
          tool_calls: [{ id: "z", function: { name: "gone", arguments: "" } }],
        },
        { role: "tool", tool_call_id: "nobody", content: null },
        { role: "user", content: "Next." },
        { role: "assistant", content: "", function_call: { name: "write", arguments: "{broken" } },
        { role: "function", name: "write", content: "ok" },
      ],
    });
    assert.deepEqual(messages.map(({ role }: Loose) => role), [
      "system",
      "assistant",
      "user",
      "assistant",
      "user",
    ]);
    assert.ok(textOf(messages[2]).endsWith("Next."), "what the user says behind a result goes with it");
  });

  test(`${bridge.id}: no call goes up as one, however it is written, and none is lost`, () => {
    const { messages } = encode({
      messages: [
        { role: "user", content: "Go." },
        {
          role: "assistant",
          content: null,
          tool_calls: [
            { id: "1", type: "custom", custom: { name: "patch", input: "*** Begin" } },
            { id: "2", name: "write", arguments: '{"path":"b"}' },
            null,
          ],
        },
        { role: "tool", tool_call_id: "2", content: "second" },
        { role: "tool", tool_call_id: "1", content: "first" },
        { role: "assistant", content: "Hm.", tool_calls: [{ id: "3" }] },
      ],
    });
    const [, , turn, results, last] = messages as Loose[];
    assert.match(textOf(turn), /patch[^]*\*\*\* Begin[^]*write[^]*b/);
    assert.match(textOf(results), /write \(call 2\)\nsecond\n[^]*patch \(call 1\)\nfirst\n/);
    assert.deepEqual(last, { role: "assistant", content: "Hm." });
    assert.ok(!JSON.stringify(messages).includes("tool_call_id"));
  });

  test(`${bridge.id}: what is no message goes up as it is, wherever it stands`, () => {
    const result = { role: "tool", tool_call_id: "1", content: "r" };
    for (const odd of [null, 5, "x", []]) {
      for (
        const given of [[odd], [result, odd, result], [odd, result], [{ role: "system", content: "s" }, odd]]
      ) {
        const { messages } = encode({ messages: given });
        const all: unknown[] = messages;
        assert.deepEqual(all.filter((message) => message === odd), [odd]);
        assert.equal(all.length, given.length + (given.length === 2 && given[1] === odd ? 0 : 1));
      }
    }
  });

  test(`${bridge.id}: results of calls that share an id, or have none, are told in the order of the calls`, () => {
    for (const id of ["", undefined]) {
      const call = (name: string) => ({ id, type: "function", function: { name, arguments: "{}" } });
      const result = (content: string) => ({ role: "tool", tool_call_id: id, content });
      const { messages } = encode({
        messages: [
          { role: "assistant", content: null, tool_calls: [call("read"), call("write")] },
          result("first"),
          result("second"),
          { role: "assistant", content: null, tool_calls: [call("list")] },
          result("third"),
        ],
      });
      assert.match(textOf(messages[2]), /read \(call 1\)\nfirst\n[^]*write \(call 2\)\nsecond\n/);
      assert.match(textOf(messages[4]), /list\nthird\n/);
    }
  });

  test(`${bridge.id}: the reason for asking again is the last thing said`, () => {
    assert.ok(textOf(encode({}, 5, "Say something.").messages.at(-1)).endsWith("Go on.\n\nSay something."));
    const last = encode({ messages: [{ role: "assistant", content: "x" }] }, 5, "Say something.").messages.at(
      -1,
    );
    assert.deepEqual(last, { role: "user", content: "Say something." });
  });
}

test("usage: what the client says of it stands", () => {
  const options = (more: Loose) =>
    (encodeRequest({ ...body, ...more }, { bridge: bridges[0]!, most: 5 }) as Loose).stream_options;
  assert.deepEqual(options({}), { include_usage: true });
  assert.deepEqual(options({ stream_options: { x: 1 } }), { x: 1, include_usage: true });
  assert.deepEqual(options({ stream_options: { include_usage: false } }), { include_usage: false });
  assert.equal(options({ stream: false }), undefined);
});

test("a choice among some tools teaches these, and may want a call of one", () => {
  const asked = (mode: string) => {
    const allowed = { mode, tools: [{ type: "function", function: { name: "edit" } }] };
    const tool_choice = { type: "allowed_tools", allowed_tools: allowed };
    const made = encodeRequest({ ...body, tool_choice }, { bridge: bridges[0]!, most: 5 }) as Loose;
    assert.equal("tool_choice" in made, false);
    return made.messages[0].content as string;
  };
  assert.match(asked("auto"), /Edit a file\./);
  assert.doesNotMatch(asked("auto"), /Write a file\.|attempt_completion/);
  const required = { ...body, tools: [tools[1]], tool_choice: "required" };
  const same = encodeRequest(required, { bridge: bridges[0]!, most: 5 }) as Loose;
  assert.equal(asked("required"), same.messages[0].content);
  // As the Responses API has it.
  const flat = { type: "allowed_tools", mode: "required", tools: [{ type: "function", name: "edit" }] };
  const read = encodeRequest({ ...body, tool_choice: flat }, { bridge: bridges[0]!, most: 5 }) as Loose;
  assert.equal(read.messages[0].content, same.messages[0].content);
});
