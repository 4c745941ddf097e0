/** `callmend convert` as a user runs it: raw text in, message or stream out, problems on stderr. */
import assert from "node:assert/strict";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { program } from "./_servers.ts";
import { test } from "./_test.ts";

const folder = mkdtempSync(join(tmpdir(), "callmend-convert-"));
const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const RAW = "Let me look.\n<function=get_weather>\n<parameter=city>\nParis\n</parameter>\n</function>";

function file(name: string, value: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof value === "string" ? value : JSON.stringify(value));
  return path;
}

async function convert(given: readonly string[], input = RAW) {
  await using running = program(["convert", ...given], {}, { task: "callmend", input });
  const code = await running.code;
  return { code, out: running.out(), err: running.err() };
}

const lists: { readonly [form: string]: unknown } = {
  "a list of tools": [{ type: "function", function: { name: "get_weather", parameters } }],
  "a list of bare functions": [{ name: "get_weather", parameters }],
  "a whole request": {
    model: "m",
    messages: [],
    tools: [{ type: "function", function: { name: "get_weather", parameters } }],
  },
};

for (const [form, list] of Object.entries(lists)) {
  test(`convert: tools as ${form}`, async () => {
    const { code, out, err } = await convert(["--tools", file("tools.json", list)]);
    assert.equal(code, 0, err);
    const { message, finish_reason } = JSON.parse(out);
    assert.equal(message.content, "Let me look.\n");
    assert.equal(message.tool_calls[0].function.name, "get_weather");
    assert.deepEqual(JSON.parse(message.tool_calls[0].function.arguments), { city: "Paris" });
    assert.equal(finish_reason, "tool_calls");
    assert.match(err, /^opener-missing: get_weather$/m, "the recovery is named");
  });
}

test("convert --stream prints the chunks, cut as told, from a file", async () => {
  const tools = file("tools.json", lists["a list of tools"]);
  const { code, out, err } = await convert([
    "--tools",
    tools,
    "--stream",
    "--chunk",
    "3",
    file("raw.txt", RAW),
  ], "");
  assert.equal(code, 0, err);
  const events = out.trimEnd().split("\n\n");
  assert.equal(events.at(-1), "data: [DONE]");
  const chunks = events.slice(0, -1).map((event) => JSON.parse(event.slice(6)));
  assert.ok(chunks.length > 4);
  assert.equal(chunks.map(({ choices }) => choices[0].delta.content ?? "").join(""), "Let me look.\n");
});

test("convert: reasoning text, dialects, whole arguments, kept reasoning", async () => {
  const tools = file("tools.json", lists["a list of tools"]);
  const reasoned = JSON.parse((await convert(["--tools", tools, "--reasoning-text"])).out);
  assert.equal(reasoned.message.reasoning_content, "Let me look.\n");
  assert.equal(reasoned.message.tool_calls.length, 1, "a call in reasoning with nothing else said counts");
  const narrowed = JSON.parse((await convert(["--tools", tools, "--dialects", "dsml"])).out);
  assert.equal(narrowed.message.content, RAW);
  const kept = JSON.parse(
    (await convert(["--tools", tools, "--reasoning", "keep"], "<think>x</think>y")).out,
  );
  assert.equal(kept.message.content, "<think>x</think>y");
  const whole = JSON.parse((await convert(["--tools", tools, "--arguments", "whole"])).out);
  assert.equal(whole.message.tool_calls.length, 1);
});

test("convert refuses what it cannot use: exit 2, with the flag, the value and what is allowed", async () => {
  const tools = file("tools.json", lists["a list of tools"]);
  const cases: readonly [given: readonly string[], says: RegExp][] = [
    [["--tools", join(folder, "none.json")], /Cannot read .*none\.json/],
    [["--tools", file("bad.json", "{")], /Cannot read --tools .*bad\.json/],
    [["--tools", file("odd.json", { a: 1 })], /Cannot use --tools .*odd\.json: it must hold a list of tools/],
    [["--tools", tools, "--chunk", "0"], /--chunk 0: allowed: a whole number from 1/],
    [["--tools", tools, "--dialects", "klingon"], /there is no klingon; allowed: dsml, /],
    [["--tools", tools, "--arguments", "some"], /--arguments some: allowed: stream or whole/],
    [[], /required option '--tools <file>'/],
  ];
  for (const [given, says] of cases) {
    const { code, out, err } = await convert(given);
    assert.equal(code, 2, `${given.join(" ")}\n${err}`);
    assert.match(err, says);
    assert.equal(out, "");
  }
});
