/** The configuration file: what it says, what is wrong with it and where, and the commands around it. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigError, readConfig, settle } from "../src/config.ts";
import { readConfigFile } from "../src/config/config_file.ts";
import { jsonSchema } from "../src/config/config_schema.ts";
import { settingRows } from "../src/settings/settings.ts";
import { addressOf } from "../src/upstream/address.ts";
import { program } from "./_servers.ts";
import { test } from "./_test.ts";

/** The faults of a text. */
function faults(text: string, environment: { [name: string]: string } = {}): readonly string[] {
  try {
    readConfigFile("c.jsonc", text, environment);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.problems;
  }
  return [];
}

/** A file with these upstreams. */
const withUpstreams = (...upstreams: readonly object[]) => JSON.stringify({ upstreams });

const upstream = { name: "u", baseUrl: "http://h/v1" };

const example = /```jsonc\n([^]*?)```/.exec(
  readFileSync(new URL("../README.md", import.meta.url), "utf8"),
)![1]!;

const keys = { OPENROUTER_API_KEY: "or", NANOGPT_API_KEY: "ng", ANN_KEY: "ann-key", BOB_KEY: "bob-key" };

test("the README's example is a good file, shows every key, and means what it says", () => {
  const file = readConfigFile("callmend.jsonc", example, keys);
  const config = readConfig({}, {}, file);
  assert.deepEqual(config.clientKeys, ["ann-key", "bob-key"]);
  const [local, router, nano] = config.upstreams;
  assert.deepEqual(
    [local!.name, addressOf(local!.upstream), local!.mode, local!.firstByteTimeoutMs, local!.idleTimeoutMs],
    ["local", "http://127.0.0.1:8000/v1", "fallback", 60_000, 30_000],
  );
  assert.deepEqual(local!.dialects![0], { models: "glm-*", dialects: ["glm"] });
  assert.deepEqual([router!.mode, router!.upstreamKey, router!.idleTimeoutMs], ["native", "or", 300_000]);
  assert.deepEqual(router!.disabledFixes, ["claude/end-turn"]);
  assert.deepEqual([nano!.mode, nano!.bridgeModels], ["bridge", ["deepseek-v3.2"]]);
  for (const [, { place, entry }] of settingRows) {
    if (place === undefined) continue;
    const last = (path: string) => `"${path.split(".").at(-1)}"`;
    assert.ok(example.includes(last(place)) || (entry && example.includes(last(entry))), place);
  }
});

test("flags win over variables, these over an entry, this over the file's top, and that over the default", () => {
  const text = JSON.stringify({
    listen: { port: 1000 },
    reasoning: "keep",
    limits: { idle: 7 },
    upstreams: [{ ...upstream, reasoning: "open", timeouts: { idle: 8 } }, { ...upstream, name: "v" }],
  });
  const file = readConfigFile("c.jsonc", text, {});
  const bare = readConfig({}, {}, file);
  assert.deepEqual([bare.port, bare.host, bare.reasoning], [1000, "127.0.0.1", "open"]);
  assert.deepEqual(bare.upstreams.map(({ reasoning }) => reasoning), ["open", "keep"]);
  assert.deepEqual(bare.upstreams.map(({ idleTimeoutMs }) => idleTimeoutMs), [8000, 7000]);
  const variables = { PROXY_PORT: "2000", REASONING: "split" };
  assert.equal(readConfig({}, variables, file).port, 2000);
  assert.equal(readConfig({ port: "3000" }, variables, file).port, 3000);
  assert.deepEqual(readConfig({}, variables, file).upstreams.map((each) => each.reasoning), [
    "split",
    "split",
  ]);
});

test("an upstream of a flag or a variable stands in place of the whole list", () => {
  const file = readConfigFile(
    "c.jsonc",
    withUpstreams({ ...upstream, mode: "bridge" }, { ...upstream, name: "v" }),
    {},
  );
  for (
    const config of [
      readConfig({ upstream: "http://flag/v1" }, {}, file),
      readConfig({}, { UPSTREAM_URL: "http://flag" }, file),
    ]
  ) {
    assert.deepEqual(config.upstreams.map((each) => addressOf(each.upstream)), ["http://flag/v1"]);
    assert.equal(config.mode, "native");
  }
});

test("a key of a flag or variable goes to the one upstream there is, and never to several", () => {
  const one = readConfigFile("c.jsonc", withUpstreams({ ...upstream, key: "file-key" }), {});
  assert.equal(readConfig({}, {}, one).upstreamKey, "file-key");
  assert.equal(readConfig({}, { UPSTREAM_API_KEY: "variable" }, one).upstreamKey, "variable");
  const two = readConfigFile(
    "c.jsonc",
    withUpstreams({ ...upstream, key: "file-key" }, { ...upstream, name: "v" }),
    {},
  );
  const { upstreams } = readConfig({}, { UPSTREAM_API_KEY: "variable" }, two);
  assert.deepEqual(upstreams.map(({ upstreamKey }) => upstreamKey), ["file-key", undefined]);
  assert.throws(
    () => readConfig({ upstreamKey: "secret" }, {}, two),
    /Cannot use --upstream-key.*several(?!.*secret)/,
  );
});

test("every fault is told, with its line and column, in the order of the file", () => {
  const text = `{
  // a comment
  "listen": { "host": "a b", "prot": 80 },
  "limits": { "requestMiB": "12" "drain": 1e9 },
  "upstreams": [
    { "name": "one", "baseUrl": "ftp://h", "mode": "natve", "aliases": { "a": "x" } },
    { "name": "one", "baseUrl": "http://h/v1", "key": "\${NOT_SET}", "aliases": { "a": "y" },
      "dialects": { "glm-*": ["hermse"] }, "fixes": { "disable": ["claude/x"] } },
  ],
}`;
  const told = faults(text);
  const expected: readonly (readonly [place: string, says: RegExp])[] = [
    ["3:23", /listen\.host: cannot use "a b", allowed: a host name/],
    ["3:30", /listen\.prot: there is no such key; did you mean "port"\?, allowed: host, port$/],
    ["4:29", /limits\.requestMiB: cannot use "12", allowed: MiB/],
    ["4:34", /a comma is missing/],
    ["4:43", /limits\.drain: cannot use 1e9, allowed: seconds from 0 to 86400/],
    ["6:33", /upstreams\[0\]\.baseUrl: cannot use "ftp:\/\/h": it does not begin with http/],
    ["6:52", /upstreams\[0\]\.mode: cannot use "natve", allowed: native, bridge or fallback/],
    ["7:15", /upstreams\[1\]\.name: upstreams\[0\] has that name too/],
    ["7:55", /upstreams\[1\]\.key: the variable NOT_SET is not set/],
    ["7:87", /upstreams\[1\]\.aliases\.a: upstreams\[0\] has that alias too/],
    [
      "8:31",
      /upstreams\[1\]\.dialects\["glm-\*"\]\[0\]: .*there is no dialect "hermse"; did you mean "hermes"\?/,
    ],
    ["8:67", /upstreams\[1\]\.fixes\.disable\[0\]: .*there is no fix "claude\/x".*`callmend fixes`/],
  ];
  assert.equal(told.length, expected.length, told.join("\n"));
  for (const [n, [place, says]] of expected.entries()) {
    assert.ok(told[n]!.startsWith(`c.jsonc:${place}: `), `${place}: ${told[n]}`);
    assert.match(told[n]!, says);
  }
});

const single: readonly (readonly [text: string, says: RegExp])[] = [
  ["", /^c\.jsonc:1:1: cannot read it: a value is missing/],
  ["[]", /^c\.jsonc:1:1: cannot use a list, allowed: an object with/],
  ["{", /c\.jsonc:1:2: cannot read it: a closing } is missing/],
  ['{"upstreams": []}', /upstreams: cannot use a list, allowed: a list of at least one upstream/],
  [withUpstreams({ name: "u" }), /upstreams\[0\]\.baseUrl: it is missing, allowed: an http/],
  [withUpstreams({ ...upstream, name: "a/b" }), /upstreams\[0\]\.name: cannot use "a\/b", allowed: letters/],
  [
    withUpstreams({ ...upstream, models: "x" }),
    /upstreams\[0\]\.models: cannot use "x", allowed: a list of names/,
  ],
  [withUpstreams({ ...upstream, aliases: { a: 1 } }), /upstreams\[0\]\.aliases\.a: cannot use 1/],
  ['{"port": 1}', /port: there is no such key; did you mean "listen\.port"\?/],
  ['{"log": {"level": "info", "level": "debug"}}', /c\.jsonc:1:27: log\.level: it is there twice/],
  ['{"listen": {"host": "${}"}}', /listen\.host: it has a \$\{ without a variable's name/],
  ['{"listen": 5}', /listen: cannot use a number, allowed: an object with host, port/],
  ['{"dialects": 5}', /dialects: cannot use 5, allowed: a list of ids/],
  ['{"__proto__": {}}', /__proto__: there is no such key/],
];

test("each kind of fault is told once", () => {
  for (const [text, says] of single) {
    const told = faults(text);
    assert.equal(told.length, 1, `${text}\n${told.join("\n")}`);
    assert.match(told[0]!, says);
  }
});

test("what is wrong with a key never shows the key", () => {
  const secret = "sk-very secret";
  const places = [
    withUpstreams({ ...upstream, key: secret }),
    withUpstreams({ ...upstream, key: "${SECRET}" }),
    withUpstreams({ ...upstream, apiKey: secret }),
    withUpstreams({ ...upstream, key: { value: secret } }),
    withUpstreams({ ...upstream, baseUrl: "http://h/v1?key=sk-very secret" }),
    withUpstreams({ ...upstream, baseUrl: "http://u:sk-very secret@h/v1" }),
    withUpstreams(secret as unknown as object),
    JSON.stringify({ auth: { keys: [secret] } }),
    JSON.stringify({ auth: { keys: secret } }),
    JSON.stringify({ auth: secret }),
    JSON.stringify({ keys: [secret] }),
  ];
  for (const text of places) {
    const told = faults(text, { SECRET: secret }).join("\n");
    assert.notEqual(told, "", text);
    assert.doesNotMatch(told, /sk-very|secret"/, text);
  }
  for (const name of ["upstreamKey", "clientKeys"]) {
    assert.throws(() => readConfig({ [name]: secret }), (error: Error) => !/sk-very/.test(error.message));
  }
});

test("variables are put in, and $${ is a plain one", () => {
  const text = withUpstreams({ ...upstream, baseUrl: "http://${HOST_NAME}:${PORT}/v1", key: "$${A}${B}" });
  const config = readConfig({}, {}, readConfigFile("c", text, { HOST_NAME: "h", PORT: "81", B: "b" }));
  assert.deepEqual([addressOf(config.upstream), config.upstreamKey], ["http://h:81/v1", "${A}b"]);
});

test("each value says where it comes from", () => {
  const file = readConfigFile("c.jsonc", `{\n"listen": {\n"port": 1},\n"auth": {"keys": ["12345"]}}`, {});
  const { told } = settle({ host: "localhost" }, { LOG_LEVEL: "warn", UPSTREAM_API_KEY: "1234567" }, file);
  const at = (place: string) => told().find((each) => each.place === place);
  assert.deepEqual(at("listen.port"), { place: "listen.port", value: 1, source: "c.jsonc:3" });
  assert.deepEqual(at("listen.host")!.source, "flag --host");
  assert.deepEqual(at("log.level"), { place: "log.level", value: "warn", source: "variable LOG_LEVEL" });
  assert.deepEqual(at("limits.drain"), { place: "limits.drain", value: 30, source: "default" });
  assert.deepEqual(at("auth.keys")!.value, ["(5 characters)"]);
  assert.deepEqual(at("upstreams[nano-gpt.com].key")!.value, "(7 characters)");
  assert.deepEqual(at("upstreams[nano-gpt.com].mode")!.value, "bridge");
});

test("the JSON schema knows every setting of the table, with a description", () => {
  type Schema = {
    properties: { [name: string]: Schema };
    description?: string;
    default?: unknown;
    items: Schema;
  };
  const schema = jsonSchema() as Schema;
  const at = (from: Schema, path: string) =>
    path.split(".").reduce((found, key) => found.properties[key]!, from);
  for (const [, { place, entry, means }] of settingRows) {
    if (place !== undefined) assert.equal(at(schema, place).description, means);
    if (entry !== undefined) {
      assert.equal(at(schema.properties["upstreams"]!.items, entry).description, means);
    }
  }
  assert.equal(at(schema, "limits.drain").default, 30);
});

/** Runs the program in a folder to its end. */
async function ran(cwd: string, given: readonly string[], environment: { [name: string]: string } = {}) {
  await using running = program(given, { HOME: cwd, ...environment }, { task: "callmend", cwd });
  const code = await running.code;
  return { code, out: running.out(), err: running.err() };
}

test("config check, show and schema, and where the file is found", async () => {
  const folder = mkdtempSync(join(tmpdir(), "callmend-config-"));
  try {
    const home = join(folder, ".config", "callmend");
    mkdirSync(home, { recursive: true });
    const none = await ran(folder, ["config", "check"]);
    assert.deepEqual([none.code, none.out], [2, ""]);
    assert.match(none.err, /no file at callmend\.jsonc or .*\.config\/callmend\/callmend\.jsonc/);

    writeFileSync(join(home, "callmend.jsonc"), '{"listen": {"port": 1}}');
    assert.match((await ran(folder, ["config", "show"])).out, /listen\.port +1 +\/.*callmend\.jsonc:1$/m);
    writeFileSync(join(folder, "callmend.jsonc"), withUpstreams({ ...upstream, key: "${KEY}" }));
    const named = join(folder, "named.jsonc");
    writeFileSync(named, '{"listen": {"port": "x"},\n "mode": "y"}');

    const [good, unset, bad, schema, shown, flag, variable, missing] = await Promise.all([
      ran(folder, ["config", "check"], { KEY: "k" }),
      ran(folder, ["config", "check"]),
      ran(folder, ["config", "check", named]),
      ran(folder, ["config", "schema"]),
      ran(folder, ["config", "show", "--json", "--port", "5"], { KEY: "very-secret" }),
      ran(folder, ["--config", "named.jsonc"]),
      ran(folder, [], { CALLMEND_CONFIG: named }),
      ran(folder, ["--config", "other.jsonc"]),
    ]);
    assert.deepEqual([good.code, good.out, good.err], [0, "callmend.jsonc: good; upstreams: u\n", ""]);
    assert.deepEqual([unset.code, unset.out], [2, ""]);
    assert.match(unset.err, /^callmend\.jsonc:1:\d+: upstreams\[0\]\.key: the variable KEY is not set/);
    assert.equal(bad.code, 2);
    assert.match(bad.err, /named\.jsonc:1:21: listen\.port: .*\n.*named\.jsonc:2:10: mode: /);
    assert.deepEqual(JSON.parse(schema.out), JSON.parse(JSON.stringify(jsonSchema())));
    assert.doesNotMatch(shown.out, /very-secret/);
    const { file, settings } = JSON.parse(shown.out);
    assert.equal(file, "callmend.jsonc");
    assert.deepEqual(settings.find((each: { place: string }) => each.place === "listen.port"), {
      place: "listen.port",
      value: 5,
      source: "flag --port",
    });
    for (const { code, out, err } of [flag, variable]) {
      assert.deepEqual([code, out], [2, ""]);
      assert.match(err, /named\.jsonc:1:21: listen\.port: cannot use "x"/);
    }
    assert.equal(missing.code, 2);
    assert.match(missing.err, /Cannot use --config "other\.jsonc": there is no such file/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
