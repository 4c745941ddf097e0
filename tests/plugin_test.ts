/** The OpenCode plugin: which requests it mends, how often, and how it goes away. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { demoModels, demoUpstream } from "../src/cli/demo_upstream.ts";
import * as plugin from "../src/plugin.ts";
import { hostMatcher, hostsIn, patchFetch } from "../src/plugin_patch.ts";
import { repair } from "../src/repair.ts";
import { wrapFetch } from "../src/wrap_fetch.ts";
import { until } from "./_servers.ts";
import { test } from "./_test.ts";

const tools = [{
  type: "function",
  function: {
    name: "get_weather",
    parameters: {
      type: "object",
      properties: { city: { type: "string" }, days: { type: "integer" } },
      required: ["city", "days"],
    },
  },
}];

const question = (model: string, stream: boolean) => ({
  method: "POST",
  body: JSON.stringify({
    model,
    stream,
    tools,
    messages: [{ role: "user", content: "The weather in Paris?" }],
  }),
});

/** With a fetch in the global scope that reaches models which leak. */
async function withModels(
  body: (seen: string[], leaking: typeof fetch) => Promise<void>,
  environment: { [name: string]: string } = { TOOL_MODE: "native" },
): Promise<void> {
  const seen: string[] = [];
  const before = globalThis.fetch;
  const leaking: typeof fetch = (input, init) => {
    const request = new Request(input, init);
    seen.push(request.url);
    return demoUpstream(new Request("http://demo/v1/chat/completions", request), 0);
  };
  globalThis.fetch = leaking;
  Object.assign(process.env, environment);
  try {
    await body(seen, leaking);
    assert.equal(globalThis.fetch, leaking, "fetch is put back");
  } finally {
    globalThis.fetch = before;
    for (const name of Object.keys(environment)) delete process.env[name];
  }
}

/** Whether an answer from there comes mended. */
async function mends(host: string): Promise<boolean> {
  const response = await fetch(`https://${host}/api/v1/chat/completions`, question("demo-hermes", false));
  const { choices: [{ message, finish_reason }] } = await response.json();
  assert.equal(finish_reason === "tool_calls", message.tool_calls !== undefined);
  return message.tool_calls !== undefined;
}

/** What OpenCode gives to a plugin; keeps what is logged. */
function opencode() {
  const lines: string[] = [];
  const log = ({ body }: { body: { message: string } }) => Promise.resolve(lines.push(body.message));
  return { lines, input: { client: { app: { log } } } };
}

test("the module exports functions only, all of them the plugin", () => {
  assert.deepEqual(Object.keys(plugin).toSorted(), ["Callmend", "default"]);
  assert.equal(new Set(Object.values(plugin)).size, 1);
  assert.equal(typeof plugin.default, "function");
});

test("OpenCode's loaders, of today and before, take all that the module exports", () =>
  withModels(async (_, leaking) => {
    const { lines, input } = opencode();
    // 1.0: every export is called as it is; 1.18: each value once, and one with a `server` instead of a function counts.
    const before = [];
    for (const value of Object.values(plugin)) before.push(await value(input));
    const seen = new Set<unknown>();
    const today = [];
    for (const value of Object.values(plugin)) {
      if (seen.has(value)) continue;
      seen.add(value);
      assert.equal(typeof value, "function");
      today.push(await value(input, undefined));
    }
    assert.deepEqual([before.length, today.length, lines.length], [2, 1, 1]);
    assert.equal(await mends("nano-gpt.com"), true);
    for (const hooks of [...before, ...today]) await hooks.dispose();
    assert.equal(globalThis.fetch, leaking);
  }));

test("nano-gpt.com is mended, other hosts are not touched, and it is said once", () =>
  withModels(async (_, leaking) => {
    const { lines, input } = opencode();
    const hooks = await plugin.Callmend(input);
    assert.notEqual(globalThis.fetch, leaking);
    assert.deepEqual([await mends("nano-gpt.com"), await mends("api.example.com")], [true, false]);
    assert.equal(await mends("my-nano-gpt.com"), false);
    assert.equal(lines.length, 1);
    assert.match(lines[0]!, /^Callmend \S+ mends tool calls in answers from nano-gpt\.com$/);
    await hooks.dispose();
    assert.equal(await mends("nano-gpt.com"), false);
  }));

test("CALLMEND_HOSTS names other hosts; an entry's own options go before it", () =>
  withModels(async () => {
    for (const options of [undefined, { hosts: ["b.example.com"] }]) {
      const hooks = await plugin.default(undefined, options);
      const found = [];
      for (const host of ["nano-gpt.com", "a.test", "example.com", "b.example.com"]) {
        found.push(await mends(host));
      }
      assert.deepEqual(found, options ? [false, false, false, true] : [false, true, false, true]);
      await hooks.dispose();
    }
  }, { CALLMEND_HOSTS: "a.test, *.example.com", TOOL_MODE: "native" }));

test("hosts match without regard to letter case, and only whole", () => {
  const mine = hostMatcher(hostsIn(" A.example , *.Test.com,"));
  for (const host of ["a.example", "x.test.com", "x.y.test.com"]) assert.ok(mine(host), host);
  for (const host of ["b.a.example", "test.com", "atest.com", "a.example.org"]) assert.ok(!mine(host), host);
  assert.equal(hostMatcher([])("a"), false);
});

test("hosts that are none are told and left out: an address, a port, another type", () =>
  withModels(async () => {
    const address = "https://a.test/v1";
    for (
      const [hosts, told, mended] of [
        [[address, "nano-gpt.com"], [address], true],
        ["nano-gpt.com:443, a.test", ["nano-gpt.com:443"], false],
        ["*", ["*"], false],
        [["nano-gpt.com", 5], [5], true],
        [5, [5], true],
        [null, [], true],
        [[], [], false],
        ["[::1]", [], false],
      ] as const
    ) {
      const { lines, input } = opencode();
      const hooks = await plugin.default(input, { hosts: hosts as unknown as string[] });
      const warned = lines.filter((line) => line.startsWith("Cannot use the host"));
      const shown = `${JSON.stringify(hosts)}: ${lines.join("\n")}`;
      assert.equal(warned.length, told.length, shown);
      for (const [n, value] of told.entries()) assert.ok(warned[n]!.includes(JSON.stringify(value)), shown);
      assert.equal(await mends("nano-gpt.com"), mended, shown);
      await hooks.dispose();
    }
  }));

test("two copies mend once; the last one to go puts fetch back", () =>
  withModels(async (seen, leaking) => {
    // A bundle of its own is another instance of the module.
    const copy = await import(`../src/plugin.ts?copy${Date.now()}`) as typeof plugin;
    const { lines, input } = opencode();
    const first = await plugin.Callmend(input);
    const once = globalThis.fetch;
    const second = await copy.Callmend(input);
    assert.equal(globalThis.fetch, once);
    assert.equal(lines.length, 1);
    assert.equal(await mends("nano-gpt.com"), true);
    assert.equal(seen.length, 1);
    await first.dispose();
    await first.dispose();
    assert.equal(globalThis.fetch, once);
    assert.equal(await mends("nano-gpt.com"), true);
    await second.dispose();
    assert.equal(globalThis.fetch, leaking);
  }));

test("who has patched fetch on top stays, and ours lets all through", () => {
  const seen: string[] = [];
  const original = Object.assign((input: unknown) => {
    seen.push(`original ${input}`);
    return Promise.resolve(new Response());
  }, { preconnect: () => "connected" });
  const scope = { fetch: original as unknown as typeof fetch };
  const { release } = patchFetch(() => true, () => () => assert.fail("mended"), scope);
  const ours = scope.fetch;
  assert.equal((ours as unknown as typeof original).preconnect(), "connected");
  const theirs: typeof fetch = (input, init) => ours(input, init);
  scope.fetch = theirs;
  release();
  assert.equal(scope.fetch, theirs);
  scope.fetch("https://nano-gpt.com/");
  assert.deepEqual(seen, ["original https://nano-gpt.com/"]);
  const again = patchFetch(() => true, (inner) => inner, scope);
  assert.equal(again.first, true);
});

test("at nano-gpt.com tools are taught as text, unless TOOL_MODE says otherwise", () =>
  withModels(async () => {
    const teach = async (host: string) => {
      let sent = "";
      const before = globalThis.fetch;
      globalThis.fetch = async (input, init) => {
        sent = await new Request(input, init).text();
        return new Response("{}", { headers: { "content-type": "application/json" } });
      };
      const hooks = await plugin.Callmend(undefined, { hosts: "*.com,nano-gpt.com" });
      await (await fetch(`https://${host}/api/v1/chat/completions`, question("m", true))).text();
      await hooks.dispose();
      globalThis.fetch = before;
      return "tools" in JSON.parse(sent) === false;
    };
    assert.deepEqual([await teach("nano-gpt.com"), await teach("x.other.com")], [true, false]);
    process.env.TOOL_MODE = "native";
    assert.equal(await teach("nano-gpt.com"), false);
  }, { TOOL_MODE: "" }));

test("a provider and a plugin mend once", () =>
  withModels(async () => {
    const hooks = await plugin.Callmend();
    let count = 0;
    const provider = wrapFetch((input, init) => fetch(input, { ...init }), (next) => (request) => {
      count++;
      return next(request);
    });
    const answer = await provider(
      "https://nano-gpt.com/api/v1/chat/completions",
      question("demo-hermes", false),
    );
    const { choices: [{ message }] } = await answer.json();
    assert.equal(count, 1);
    assert.equal(message.tool_calls, undefined, "the plugin has left it to the provider");
    await hooks.dispose();
  }));

for (const { id } of demoModels) {
  for (const stream of [true, false]) {
    test(`mending what is mended changes nothing: ${id}, ${stream ? "streamed" : "whole"}`, async () => {
      const url = "https://models.example/v1/chat/completions";
      let inner = "";
      const once = repair((request) => demoUpstream(request, 0));
      const twice = repair(async (request) => {
        const response = await once(request);
        inner = await response.clone().text();
        return response;
      });
      const response = await twice(new Request(url, question(id, stream)));
      assert.equal(await response.text(), inner);
    });
  }
}

test("the plugin's debug logs: what OpenCode asked, and where it is said", async () => {
  const folder = mkdtempSync(join(tmpdir(), "callmend-plugin-"));
  const [log, logs] = [join(folder, "events.log"), join(folder, "logs")];
  const environment = {
    NANOPROXY_DEBUG: "1",
    NANOPROXY_LOG: log,
    NANOPROXY_LOG_DIR: logs,
    TOOL_MODE: "native",
  };
  await withModels(async () => {
    const hooks = await plugin.Callmend();
    assert.deepEqual([await mends("nano-gpt.com"), await mends("other.example")], [true, false]);
    await until("all is written", () => existsSync(logs) && readdirSync(logs).length === 3);
    await hooks.dispose();
  }, environment);
  const name = readdirSync(logs).find((each) => each.endsWith("-request.json"))!;
  const { url, headers } = JSON.parse(readFileSync(join(logs, name), "utf8"));
  assert.equal(url, "https://nano-gpt.com/api/v1/chat/completions");
  assert.deepEqual(Object.keys(headers).filter((each) => each.includes("callmend")), []);
  assert.match(
    readFileSync(log, "utf8"),
    /^\S+ Callmend \S+ mends tool calls in answers from nano-gpt\.com\n/,
  );
  rmSync(folder, { recursive: true });
});

test("variables that cannot be used are told, and the rest is mended", () =>
  withModels(async () => {
    const { lines, input } = opencode();
    const hooks = await plugin.Callmend(input);
    assert.equal(await mends("nano-gpt.com"), true);
    assert.equal(lines.length, 2);
    assert.match(lines[1]!, /^Cannot use TOOL_ARGUMENTS "bits"/);
    await hooks.dispose();
  }, { TOOL_ARGUMENTS: "bits", PROXY_PORT: "none of its business", TOOL_MODE: "native" }));
