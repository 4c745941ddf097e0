/** The bundles, as a host loads them: one file each, alone in a folder, in a process of plain Node. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { bundle } from "../.ci/bundle.ts";
import { test } from "./_test.ts";

/** What a model leaks, and what a client's fetch gives for it. */
const LEAK = `
const text = '<tool_call>{"name": "read", "arguments": {"path": "a.txt"}}</tool_call>';
const body = 'data: ' + JSON.stringify({ choices: [{ index: 0, delta: { content: text }, finish_reason: null }] }) +
  '\\n\\ndata: ' + JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] }) + '\\n\\n';
const leaking = () => Promise.resolve(new Response(body, { headers: { "content-type": "text/event-stream" } }));
`;

/** Runs a script in a folder of its own; gives what it prints. */
function node(folder: string, script: string, environment: { [name: string]: string } = {}): string {
  const path = join(folder, "host.mjs");
  writeFileSync(path, LEAK + script);
  const { stdout, stderr, status } = spawnSync("node", [path], {
    encoding: "utf8",
    env: { PATH: process.env.PATH ?? "", HOME: folder, ...environment },
  });
  assert.equal(status, 0, stderr);
  return stdout.trim();
}

test("each bundle is one file, and works in plain Node", () => {
  const folder = mkdtempSync(join(tmpdir(), "callmend-bundle-"));
  try {
    const paths = bundle(folder);
    for (const path of Object.values(paths)) {
      const source = readFileSync(path, "utf8");
      const named = [
        ...source.matchAll(/^(?:import|export)\b[^'"\n;]*?from\s*"([^"]+)"|\brequire\("([^"]+)"\)/gm),
      ]
        .map(([, one, other]) => (one ?? other)!);
      for (const name of named) {
        assert.ok(name.startsWith("node:") || builtinModules.includes(name), `${path} imports ${name}`);
      }
    }
    const provider = node(
      folder,
      `
import * as module from "./callmend-provider.mjs";
const model = module.createCallmend({ name: "x", baseURL: "https://models.example/v1", fetch: leaking })("m");
const { stream } = await model.doStream({
  prompt: [{ role: "user", content: [{ type: "text", text: "go" }] }],
  tools: [{ type: "function", name: "read", inputSchema: { type: "object", properties: { path: { type: "string" } } } }],
});
const parts = [];
for await (const part of stream) parts.push(part);
const call = parts.find(({ type }) => type === "tool-call");
const finish = parts.find(({ type }) => type === "finish").finishReason;
const { specificationVersion } = model;
console.log(JSON.stringify([Object.keys(module), call.toolName, call.input, finish.unified, specificationVersion]));
`,
    );
    // The AI SDK 6 takes models of this version of its interface and no later one; 7 takes them as well.
    const told = [["createCallmend"], "read", '{"path":"a.txt"}', "tool-calls", "v3"];
    assert.deepEqual(JSON.parse(provider), told);
    const plugin = node(
      folder,
      `
globalThis.fetch = leaking;
import * as module from "./callmend-plugin.mjs";
const hooks = await module.default();
const tools = [{ type: "function", function: { name: "read", parameters: { type: "object" } } }];
const init = { method: "POST", body: JSON.stringify({ model: "m", stream: true, tools, messages: [] }) };
const answer = await (await fetch("https://nano-gpt.com/api/v1/chat/completions", init)).text();
await hooks.dispose();
console.log(JSON.stringify([Object.keys(module), /"tool_calls"/.test(answer), globalThis.fetch === leaking]));
`,
      { TOOL_MODE: "native" },
    );
    assert.deepEqual(JSON.parse(plugin), [["Callmend", "default"], true, true]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
