/** Settings: what wins, what is refused, and that the table is complete. */
import assert from "node:assert/strict";
import * as z from "zod/mini";
import { ConfigError, readConfig, type Texts } from "../src/config.ts";
import { settingRows } from "../src/settings/settings.ts";
import { addressOf } from "../src/upstream/address.ts";
import { test } from "./_test.ts";

function problems(flags: Texts, environment: Texts = {}): readonly string[] {
  try {
    readConfig(flags, environment);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems;
  }
  return [];
}

test("a flag wins over its variable, and the variable over the default", () => {
  assert.equal(readConfig().port, 8787);
  assert.equal(readConfig({}, { PROXY_PORT: "9000" }).port, 9000);
  assert.equal(readConfig({ port: "9001" }, { PROXY_PORT: "9000" }).port, 9001);
  assert.equal(readConfig({}, { PROXY_PORT: "" }).port, 8787, "an empty variable is not set");
});

test("fixes are switched by id, several by comma", () => {
  assert.deepEqual(readConfig().disabledFixes, []);
  assert.deepEqual(readConfig({}, { DISABLE_FIXES: "claude/end-turn, any/tool-names" }).disabledFixes, [
    "claude/end-turn",
    "any/tool-names",
  ]);
  assert.deepEqual(readConfig({ enabledFixes: "claude/cache-control" }).enabledFixes, [
    "claude/cache-control",
  ]);
});

test("the upstream is an address with its version path, or an origin", () => {
  const address = (flags: Texts, environment: Texts = {}) =>
    addressOf(readConfig(flags, environment).upstream);
  assert.equal(address({}), "https://nano-gpt.com/api/v1");
  assert.equal(address({ upstream: "http://h:1/api/v1/" }), "http://h:1/api/v1");
  assert.equal(address({ upstreamOrigin: "http://h:1" }), "http://h:1/v1");
  assert.equal(address({}, { UPSTREAM_URL: "http://h:1/" }), "http://h:1/v1");
  assert.equal(
    address({ upstream: "http://flag/v1" }, { UPSTREAM_URL: "http://variable" }),
    "http://flag/v1",
  );
  assert.equal(
    address({ upstreamOrigin: "http://flag" }, { UPSTREAM_BASE_URL: "http://variable/v2" }),
    "http://flag/v1",
  );
  assert.equal(address({}, { UPSTREAM_URL: "http://h:1/v1" }), "http://h:1/v1");
  assert.equal(address({}, { UPSTREAM_URL: "http://a", UPSTREAM_BASE_URL: "http://b/v2" }), "http://b/v2");
  assert.equal(address({ upstream: "http://b/v2" }, { UPSTREAM_URL: "http://a/not-used" }), "http://b/v2");
  assert.match(problems({ upstreamOrigin: "http://a", upstream: "http://b/v1" })[0]!, /keep one/);
});

const refused: readonly (readonly [setting: string, value: string, says: RegExp])[] = [
  ["upstream", "127.0.0.1:8000", /--upstream "127.0.0.1:8000": it does not begin with http/],
  ["upstream", "ftp://h/v1", /does not begin with http/],
  ["upstream", "http://", /cannot be read/],
  ["upstream", "https://user:secret@h/v1", /user name/],
  ["upstream", "https://h/v1?key=1", /query or a fragment/],
  ["upstream", "https://h/v1#x", /query or a fragment/],
  ["upstreamOrigin", "http://h/v2", /UPSTREAM_BASE_URL/],
  ["host", "a b", /allowed: a host name or an IP address/],
  ["port", "65536", /0 to 65535/],
  ["port", "80a", /0 to 65535/],
  ["mode", "x", /allowed: native, bridge or fallback/],
  ["bridgeProtocol", "json", /allowed: markers, object or xml/],
  ["bridgeMaxCalls", "0", /from 1 to 100/],
  ["fallbackMs", "x", /seconds from 0/],
  ["arguments", "all", /stream or whole/],
  ["reasoning", "drop", /split, keep or open/],
  ["dialects", "klingon", /there is no dialect "klingon".*`callmend dialects`/],
  ["drainTimeoutMs", "-1", /seconds from 0/],
  ["firstByteTimeoutMs", "1e9", /seconds from 0/],
  ["idleTimeoutMs", "99999999", /seconds from 0/],
  ["keepAliveMs", "0", /seconds from 1/],
  ["requestBytes", "0", /more than 0/],
  ["disabledFixes", "claude/end-turn,claude/x", /there is no fix claude\/x/],
  ["disabledFixes", "claude/end-trn", /there is no fix claude\/end-trn; did you mean "claude\/end-turn"\?/],
  ["enabledFixes", "x", /--enable-fix "x": there is no fix x/],
];

test("a value that cannot be used is refused, with its flag, the value and what is allowed", () => {
  for (const [setting, value, says] of refused) {
    const [problem, ...rest] = problems({ [setting]: value });
    assert.deepEqual(rest, []);
    assert.match(problem ?? `${setting} ${value} passed`, says);
    assert.doesNotMatch(problem!, /secret/);
  }
});

test("the mode is bridge at nano-gpt.com unless something else is said, and native elsewhere", () => {
  const mode = (flags: Texts, environment: Texts = {}) => readConfig(flags, environment).mode;
  assert.equal(mode({}), "bridge", "nano-gpt.com is the default");
  assert.equal(mode({ upstream: "https://api.nano-gpt.com/v1" }), "bridge");
  assert.equal(mode({ upstreamOrigin: "https://nano-gpt.com" }), "bridge");
  assert.equal(mode({ upstream: "https://not-nano-gpt.com/v1" }), "native");
  assert.equal(mode({ upstream: "http://127.0.0.1:1/v1" }), "native");
  assert.equal(mode({ mode: "native" }), "native");
  assert.equal(mode({}, { TOOL_MODE: "fallback" }), "fallback");
});

test("BRIDGE_MODELS: not set, empty, and a list are three things", () => {
  const models = (environment: Texts, flags: Texts = {}) => readConfig(flags, environment).bridgeModels;
  assert.equal(models({}), undefined);
  assert.deepEqual(models({ BRIDGE_MODELS: "" }), []);
  assert.deepEqual(models({ BRIDGE_MODELS: " a/b , c," }), ["a/b", "c"]);
  assert.deepEqual(models({ BRIDGE_MODELS: "a" }, { bridgeModels: "" }), []);
});

test("all problems are told at once, each by the flag or variable it came from", () => {
  const told = problems({ port: "x" }, { IDLE_TIMEOUT: "x", PROXY_PORT: "y" });
  assert.equal(told.length, 2);
  assert.match(told[0]!, /^Cannot use --port "x"/);
  assert.match(told[1]!, /^Cannot use IDLE_TIMEOUT "x"/);
});

test("captures that would go nowhere are refused", () => {
  assert.match(
    problems({ captures: "0", captureFolder: "x" })[0]!,
    /^Cannot use --capture-dir "x" with --captures 0: /,
  );
  assert.deepEqual(problems({ captures: "1", captureFolder: "x" }), []);
});

test("every example and every default of the table can be used", () => {
  for (const [name, setting] of settingRows) {
    assert.deepEqual(problems({ [name]: setting.example }), []);
    if (setting.default === undefined) continue;
    assert.deepEqual(problems({ [name]: setting.default }), []);
    // A file may say the same.
    const value = setting.read(setting.default);
    assert.deepEqual(z.parse(setting.inFile(z), setting.written(value)), value, name);
  }
});
