/** The start of the proxy: the flags that are read without Commander, and what waits for the first request. */
import assert from "node:assert/strict";
import { Command } from "commander";
import { plainFlags } from "../src/cli/plain_flags.ts";
import { addSettings } from "../src/cli/setting_options.ts";
import { readConfig } from "../src/config.ts";
import type { Handler } from "../src/handler.ts";
import { type Running, serve } from "../src/server.ts";
import { settingRows } from "../src/settings/settings.ts";
import { ask, until } from "./_servers.ts";
import { test } from "./_test.ts";

/** What Commander makes of the words. */
function byCommander(words: readonly string[]): object {
  const made = new Command("serve");
  const flagsOf = addSettings(made);
  made.parse(words, { from: "user" });
  const flags = Object.entries(flagsOf(made.opts()));
  return Object.fromEntries(flags.filter(([, value]) => value !== undefined));
}

test("plain flags: every setting is read as Commander reads it, in both forms", () => {
  for (const [name, { flag, placeholder, example, repeatable }] of settingRows) {
    const forms = placeholder === "" ? [[flag]] : [[flag, example], [`${flag}=${example}`], [`${flag}=`]];
    if (repeatable) forms.push([flag, "a", flag, "b,c"]);
    else forms.push([...forms[0]!, ...forms[0]!]);
    for (const words of forms) {
      const flags = plainFlags(words)!;
      assert.deepEqual(flags, byCommander(words), words.join(" "));
      assert.deepEqual(plainFlags(["serve", ...words]), flags);
      assert.equal(typeof flags[name], "string");
    }
  }
  assert.deepEqual([plainFlags([]), plainFlags(["serve"])], [{}, {}]);
});

test("plain flags: commands, help and mistakes are left to Commander", () => {
  for (
    const words of [
      "demo",
      "help",
      "--help",
      "-h",
      "serve -h",
      "-V",
      "--prot 1",
      "--port",
      "--port --host x",
      "serve x",
    ]
  ) {
    assert.equal(plainFlags(words.split(" ")), undefined, words);
  }
  assert.equal(plainFlags(["--insecure=1"]), undefined);
});

/** A server whose handler is made by `open`. */
function served(open: () => Promise<Handler>): Running & AsyncDisposable & { readonly lines: string[] } {
  const lines: string[] = [];
  const config = readConfig({ port: "0", upstream: "http://127.0.0.1:9/v1" });
  const log = { style: () => "text" as const, write: (line: string) => void lines.push(line) };
  const running = serve(config, { log, open });
  return { ...running, lines, [Symbol.asyncDispose]: async () => void await running.drain() };
}

/** A handler that answers "ready", and keeps which modes it was told of. */
function readyHandler(modes: string[]): Handler {
  return Object.assign(() => Promise.resolve(new Response("ready")), {
    apply: ({ mode }: { readonly mode: string }) => void modes.push(mode),
    leave() {},
    close: () => Promise.resolve(),
  });
}

test("what answers is made by the first request that is not for /health, once", async () => {
  let opened = 0;
  const modes: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  await using running = served(async () => {
    opened++;
    await promise;
    return readyHandler(modes);
  });
  assert.equal((await ask(running.port, "/health?x=1")).status, 200);
  assert.equal(opened, 0);
  const replies = ["/v1/models", "/healthy", "/HEALTH", "/health/"].map((path) => ask(running.port, path));
  await until("it is asked for", () => opened > 0);
  running.apply({ ...running.config(), mode: "bridge" }); // while it is being made
  resolve();
  for (const reply of await Promise.all(replies)) assert.equal(reply.body.toString(), "ready");
  assert.equal(opened, 1);
  assert.deepEqual(modes, ["bridge"]);
  running.apply({ ...running.config(), mode: "fallback" });
  assert.deepEqual(modes, ["bridge", "fallback"]);
  assert.match((await ask(running.port, "/health")).body.toString(), /"mode":"fallback"/);
});

test("who ends the server while it is being made ends what it opens", async () => {
  const told: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  let opened = false;
  const running = served(async () => {
    opened = true;
    await promise;
    return Object.assign(readyHandler([]), {
      leave: () => void told.push("left"),
      close: () => Promise.resolve(void told.push("closed")),
    });
  });
  const reply = ask(running.port, "/v1/models");
  await until("it is asked for", () => opened);
  const drained = running.drain();
  resolve();
  assert.equal(await drained, true);
  assert.deepEqual(told, ["left", "closed"]);
  assert.equal((await reply).body.toString(), "ready");
});

test("when that fails, it is told, and the next request tries again", async () => {
  let tries = 0;
  await using running = served(() =>
    ++tries === 1 ? Promise.reject(new Error("no room")) : Promise.resolve(readyHandler([]))
  );
  assert.equal((await ask(running.port, "/v1/models")).status, 500);
  assert.match(running.lines.join("\n"), /error Cannot begin to answer error="Error: no room"/);
  assert.equal((await ask(running.port, "/v1/models")).body.toString(), "ready");
});
