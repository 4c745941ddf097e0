/** `callmend doctor` as a process, in front of real servers that play models with one thing wrong each. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { demoModels, demoUpstream } from "../src/cli/demo_upstream.ts";
import { checks } from "../src/doctor/checks.ts";
import type { Consultation as Document } from "../src/cli/doctor_run.ts";
import type { Findings, Quirk } from "../src/doctor/findings.ts";
import { listen } from "../src/listen.ts";
import { type Asked, type Faults, modelServer } from "./_models.ts";
import { ask, httpUpstream, program, proxyTo } from "./_servers.ts";
import { test } from "./_test.ts";

/** Runs the doctor to its end. */
async function ran(
  port: number,
  given: readonly string[] = [],
  environment: { [name: string]: string } = {},
) {
  await using running = program(
    ["doctor", "--upstream", `http://127.0.0.1:${port}/v1`, ...given],
    environment,
  );
  const code = await running.code;
  return { code, out: running.out(), err: running.err() };
}

/** What it finds of a server with these faults, which has one model. */
async function examined(faults: Faults, given: readonly string[] = []) {
  const seen: Asked[] = [];
  await using server = await modelServer(faults, seen);
  const { code, out, err } = await ran(server.port, ["--json", ...given]);
  const document: Document = JSON.parse(out);
  const [model] = document.models;
  assert.ok(model, err);
  const quirk = (symptom: string): Quirk | undefined => model.quirks.find((each) => each.symptom === symptom);
  const symptoms = model.quirks.map((each) => each.symptom);
  return { code, document, model, quirk, symptoms, seen, err };
}

test("a model without faults: usable as it is, nothing seen, every check good in both forms", async () => {
  const { code, model, symptoms, document, seen } = await examined({});
  assert.deepEqual([code, document.usable, model.usable, model.mode], [0, true, true, "native"]);
  assert.deepEqual(symptoms, []);
  assert.deepEqual([model.calls, model.contextCut], [["native"], false]);
  assert.match(model.streaming, /^yes/);
  assert.deepEqual(
    model.checks.map(({ outcome, said }) => [outcome, said]),
    model.checks.map(() => ["good", "ok"]),
  );
  assert.deepEqual(
    model.checks.map(({ check, form }) => `${check} ${form}`),
    checks.flatMap(({ id }) => [`${id} stream`, `${id} JSON`]),
  );
  assert.equal(seen.length, checks.length * 2, "nothing is asked twice without need");
  assert.equal(model.bridge, null);
});

const leaks: readonly (readonly [dialect: string, symptom: string, write: Faults["write"] & object])[] = [
  ["hermes", "A1–A16", (call) => `<tool_call>\n${JSON.stringify(call)}\n</tool_call>`],
  [
    "glm",
    "A7",
    ({ name, arguments: values }) =>
      `<tool_call>${name}\n${
        Object.entries(values).map(([key, value]) =>
          `<arg_key>${key}</arg_key>\n<arg_value>${value}</arg_value>\n`
        ).join("")
      }</tool_call>`,
  ],
  [
    "dsml",
    "A1",
    ({ name, arguments: values }) =>
      `<｜DSML｜tool_calls>\n<｜DSML｜invoke name="${name}">\n${
        Object.entries(values).map(([key, value]) =>
          `<｜DSML｜parameter name="${key}" string="${
            typeof value === "string"
          }">${value}</｜DSML｜parameter>\n`
        ).join("")
      }</｜DSML｜invoke>\n</｜DSML｜tool_calls>`,
  ],
];

for (const [dialect, symptom, write] of leaks) {
  test(`calls that leak as ${dialect}: named, mended, usable`, async () => {
    const { code, model, quirk } = await examined({ write });
    assert.deepEqual([code, model.mode], [0, "native"]);
    assert.deepEqual(model.calls, [dialect]);
    assert.deepEqual(quirk(symptom)?.checks, ["one-tool", "two-tools", "no-arguments"]);
    assert.ok(quirk(symptom)?.answeredBy.includes("parser"));
    assert.deepEqual([model.finishReasons, model.clientFinishReasons], [["stop"], ["stop", "tool_calls"]]);
    const one = model.checks.find(({ check }) => check === "one-tool")!;
    assert.deepEqual([one.upstream.outcome, one.outcome, one.client.calls], ["bad", "good", 1]);
  });
}

/** Faults of the form, the symptom that each is, and who mends it. */
const forms: readonly (readonly [what: string, faults: Faults, symptom: string, by: string])[] = [
  ["stop beside calls", { finish: () => "stop" }, "C1", "wire"],
  ["vendors' words", { finish: (word) => word === "stop" ? "end_turn" : "tool_use" }, "C2", "wire"],
  ["an empty finish reason", { finish: () => "" }, "C4", "wire"],
  ["no finish reason", { finish: () => null }, "C5", "wire"],
  ["no [DONE]", { noDone: true }, "C6", "wire"],
  [
    "calls without index",
    { calls: (calls) => calls.map((call) => ({ ...call, index: undefined })) },
    "C11",
    "wire",
  ],
  [
    "calls without id",
    { calls: (calls) => calls.map((call) => ({ ...call, id: undefined })) },
    "C13",
    "wire",
  ],
  [
    "arguments as an object",
    { calls: (calls) => calls.map((call) => withArguments(call, (text) => JSON.parse(text))) },
    "C16",
    "wire",
  ],
  [
    "no arguments where there are none",
    { calls: (calls) => calls.map((call) => withArguments(call, (text) => text === "{}" ? "" : text)) },
    "C15",
    "wire",
  ],
];

function withArguments(call: object, change: (text: string) => unknown): object {
  const { function: called } = call as { function: { name: string; arguments: string } };
  return { ...call, function: { ...called, arguments: change(called.arguments) } };
}

for (const [what, faults, symptom, by] of forms) {
  test(`${what}: symptom ${symptom}, mended, usable`, async () => {
    const { code, model, quirk } = await examined(faults);
    assert.ok(quirk(symptom), JSON.stringify(model.quirks));
    assert.ok(quirk(symptom)!.answeredBy.includes(by), JSON.stringify(quirk(symptom)));
    assert.deepEqual([code, model.mode, model.calls], [0, "native", ["native"]]);
  });
}

/** What `callmend config check` says against a file. */
async function checked(file: object): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "callmend-doctor-"));
  const path = join(folder, "callmend.jsonc");
  writeFileSync(path, JSON.stringify(file));
  await using running = program(["config", "check", path]);
  const code = await running.code;
  rmSync(folder, { recursive: true });
  return code === 0 ? "" : running.err();
}

test("models of one upstream that need different modes: each has lines of its own", async () => {
  const refuse: Faults["refuse"] = (asked, request) =>
    asked.model === "old" ? aboutTools(asked, request) : undefined;
  await using server = await modelServer({ models: ["old", "new"], refuse });
  const { code, out } = await ran(server.port, ["--json"]);
  const entries = (JSON.parse(out) as Document).models.map(({ lines }) =>
    (lines!.file as { upstreams: { mode: string; models: string[] }[] }).upstreams[0]!
  );
  assert.deepEqual([code, entries.map(({ mode, models }) => [mode, models])], [
    0,
    [["fallback", ["old"]], ["native", ["new"]]],
  ]);
});

const aboutTools: Faults["refuse"] & object = ({ tools }) =>
  tools
    ? [400, '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set']
    : undefined;

test("tools are refused: fallback mode, tried, and the printed lines work", async () => {
  const { code, model, quirk } = await examined({ refuse: aboutTools });
  assert.deepEqual([code, model.usable, model.mode, model.calls], [0, true, "fallback", ["refused"]]);
  assert.deepEqual([model.bridge?.works, quirk("D15")?.answeredBy], [true, ["bridge"]]);
  assert.match(model.lines!.flags, /^callmend --upstream http:\/\/127\.0\.0\.1:\d+\/v1 --mode fallback$/);
  const { upstreams: [entry] } = model.lines!.file as { upstreams: { [name: string]: unknown }[] };
  assert.deepEqual([entry!["name"], entry!["mode"]], ["local", "fallback"]);
  assert.equal(await checked(model.lines!.file), "");

  await using server = await modelServer({ refuse: aboutTools });
  await using proxy = proxyTo(server, { mode: model.mode! });
  const tools = [{ type: "function", function: { name: "list_files", parameters: { type: "object" } } }];
  const body = JSON.stringify({
    model: "m",
    tools,
    messages: [{ role: "user", content: "Call list_files." }],
  });
  const reply = JSON.parse((await ask(proxy.port, "/v1/chat/completions", { body })).body.toString());
  assert.equal(reply.choices[0].message.tool_calls[0].function.name, "list_files");
});

test("tools are ignored: only bridge mode helps, as nothing tells a fallback", async () => {
  const { code, model } = await examined({ neverCalls: true });
  assert.deepEqual([code, model.mode, model.calls], [0, "bridge", ["none"]]);
  assert.match(model.lines!.flags, / --mode bridge$/);
  assert.match(model.why, /fallback mode cannot tell/);
});

test("neither native calls nor the bridge: not usable, exit code 1", async () => {
  const { code, model, document } = await examined({ refuse: aboutTools, unteachable: true });
  assert.deepEqual([code, document.usable, model.usable, model.mode, model.lines], [
    1,
    false,
    false,
    null,
    null,
  ]);
  assert.equal(model.bridge?.works, false);
  assert.match(model.why, /one-tool, stream: 400: "auto" tool choice requires.*bridge mode/);
});

test("the role developer is refused: the fix that answers it is named, and tried", async () => {
  const { code, model, quirk, seen } = await examined({
    refuse: ({ messages }) =>
      messages.some(({ role }) => role === "developer")
        ? [400, "messages[0].role: unknown variant"]
        : undefined,
  });
  assert.deepEqual([code, quirk("D2")?.answeredBy, quirk("D2")?.checks], [0, ["any/developer-role"], [
    "developer",
  ]]);
  const result = model.checks.find(({ check }) => check === "developer")!;
  assert.deepEqual([result.upstream.status, result.outcome, result.client.askedAgain], [400, "good", true]);
  assert.ok(seen.some(({ messages }) => messages[0]!.role === "system" && messages.length === 2));
});

test("two system messages are refused: the fix works where the model's family is meant", async () => {
  const refuse: Faults["refuse"] = ({ messages }) =>
    messages.filter(({ role }) => role === "system").length > 1
      ? [400, "System message must be at the beginning."]
      : undefined;
  const { code, model, quirk } = await examined({ refuse, models: ["qwen3-30b"] });
  assert.deepEqual([code, quirk("D1")?.answeredBy], [0, ["qwen/one-system"]]);
  assert.equal(model.checks.find(({ check }) => check === "two-systems")?.outcome, "good");
});

test("null content is refused: the fix that is off is found, tried, and stands in the lines", async () => {
  const { code, model, quirk } = await examined({
    refuse: ({ messages }) =>
      messages.some(({ content }) => content === null) ? [400, "content must not be null"] : undefined,
  });
  assert.deepEqual([code, quirk("D6")?.answeredBy.includes("any/null-content")], [0, true]);
  assert.match(model.lines!.flags, / --enable-fix any\/null-content$/);
  const { upstreams: [entry] } = model.lines!.file as { upstreams: { [name: string]: unknown }[] };
  assert.deepEqual(entry!["fixes"], { enable: ["any/null-content"] });
});

test("no streaming and late streaming are told apart", async () => {
  const [none, late] = await Promise.all([examined({ noStream: true }), examined({ buffered: 300 })]);
  assert.match(none.model.streaming, /^no: it answers JSON/);
  assert.match(late.model.streaming, /^no: the whole stream comes at once/);
  assert.deepEqual([none.code, late.code, late.symptoms.includes("C25")], [0, 0, true]);
});

test("a context that is cut silently: symptom D16, and the model stays usable", async () => {
  const { code, model, quirk } = await examined({ context: 12_000 });
  assert.deepEqual([code, model.contextCut, quirk("D16")?.checks], [0, true, ["long-prompt"]]);
  assert.match(model.context, /^CUT/);
});

test("a model that cannot repeat a word says nothing of the context", async () => {
  const models = listen({ host: "127.0.0.1", port: 0 }, (request) => demoUpstream(request, 0));
  const { code, out } = await ran(models.port, ["--json", "--model", "demo-native"]);
  const [model] = (JSON.parse(out) as Document).models;
  assert.deepEqual([code, model!.contextCut, model!.quirks], [0, null, []]);
  await models.stop();
});

test("every demo model is usable, and its dialect is named", async () => {
  const models = listen({ host: "127.0.0.1", port: 0 }, (request) => demoUpstream(request, 0));
  const ids = demoModels.map(({ id }) => id);
  const { code, out, err } = await ran(models.port, ["--json", "--model", ...ids]);
  const document: Document = JSON.parse(out);
  assert.equal(code, 0, err);
  assert.deepEqual(document.models.map(({ model }) => model), ids);
  for (const { model, calls } of document.models) {
    const native = model === "demo-native";
    assert.equal(calls.length, 1, model);
    assert.ok(
      calls[0] !== "none" && calls[0] !== "refused" && (calls[0] === "native") === native,
      `${model}: ${calls}`,
    );
  }
  await models.stop();
});

test("a key that is refused: exit code 1 at once, and the key is nowhere to be seen", async () => {
  const seen: (string | undefined)[] = [];
  const refuse: Faults["refuse"] = (_, request) => {
    seen.push(request.headers.authorization);
    return [401, `Incorrect API key provided: ${request.headers.authorization?.slice(7)}`];
  };
  await using server = await modelServer({ refuse });
  const [text, json] = [
    await ran(server.port, ["--upstream-key", "sk-very-secret"]),
    await ran(server.port, ["--json"], { UPSTREAM_API_KEY: "sk-very-secret", OPENAI_API_KEY: "sk-other" }),
  ];
  assert.deepEqual([text.code, json.code, seen], [1, 1, ["Bearer sk-very-secret", "Bearer sk-very-secret"]]);
  assert.match(text.err, /refuses the key \(401: Incorrect API key provided: \[the key\]\)/);
  assert.equal(JSON.parse(json.out).usable, false);
  assert.doesNotMatch(text.out + text.err + json.out + json.err, /secret|sk-/);
});

test("a key that is taken stands in the file's lines by its variable, never itself", async () => {
  await using server = await modelServer({
    refuse: (_, { headers }) => headers.authorization ? undefined : [401, "key?"],
  });
  const { code, out, err } = await ran(server.port, [], { OPENAI_API_KEY: "sk-very-secret" });
  assert.equal(code, 0, err);
  assert.match(out, /"key":"\$\{OPENAI_API_KEY\}"/);
  assert.doesNotMatch(out + err, /secret/);
});

test("an upstream that is down: exit code 1, and what to check", async () => {
  const server = await modelServer();
  await server[Symbol.asyncDispose]();
  const [text, json] = await Promise.all([ran(server.port), ran(server.port, ["--json"])]);
  assert.deepEqual([text.code, json.code], [1, 1]);
  assert.match(text.err, /Cannot reach the upstream http:\/\/127\.0\.0\.1:\d+\/v1:.*refused.*--upstream/);
  const { usable, upstreams: [upstream] }: Document = JSON.parse(json.out);
  assert.deepEqual([usable, upstream?.reachable, text.out], [false, false, ""]);
  assert.match(upstream!.why!, /^Cannot reach/);
});

test("an upstream that hangs: each answer has its time, and two are enough", async () => {
  await using server = await httpUpstream((request, response) => {
    if (request.method === "GET") response.end('{"data":[{"id":"m"}]}');
  });
  const { code, out, err } = await ran(server.port, ["--timeout", "0.2"]);
  assert.equal(code, 1);
  assert.match(out, /usable {4}NO: no checks beyond this: no answer within 0\.2 s/);
  assert.equal(err.match(/^m \d+\/16/gm)?.length, 2);
});

test("a model that is not there is told from an upstream that is not", async () => {
  await using server = await modelServer({
    refuse: ({ model }) => model === "x" ? [404, "no model x"] : undefined,
  });
  const { code, out } = await ran(server.port, ["--model", "m", "--model", "x"]);
  assert.equal(code, 1);
  assert.match(out, /── m\n {2}usable {4}yes[^]*── x\n {2}usable {4}NO: .*404: no model x[^]*1 of 2 models/);
});

test("without --model: those that can chat, three at most; without a list one has to be named", async () => {
  const models = ["a", "text-embedding-3", "b", "c", "d"];
  await using server = await modelServer({ models });
  await using silent = await modelServer({ models: "none" });
  const [some, none, named] = await Promise.all([
    ran(server.port, ["--json"]),
    ran(silent.port),
    ran(silent.port, ["--model", "m"]),
  ]);
  assert.deepEqual(JSON.parse(some.out).models.map(({ model }: Findings) => model), ["a", "b", "c"]);
  assert.deepEqual([none.code, named.code], [1, 0]);
  assert.match(none.err, /name one with --model/);
});

test("asked too often: waits as long as the server asks, then goes on", async () => {
  let first = true;
  const refuse: Faults["refuse"] = ({ tools }) => {
    if (!tools || !first) return undefined;
    first = false;
    return [429, "slow down"];
  };
  const { code, model, err } = await examined({ refuse, headers: { "retry-after": "0" } });
  assert.deepEqual([code, model.mode], [0, "native"]);
  assert.match(err, /asked too often \(429\); waiting 0 s/);
});

test("progress goes to stderr, a line a check and no escape codes; the report names all that matters", async () => {
  await using server = await modelServer({ refuse: aboutTools });
  const { out, err } = await ran(server.port);
  assert.equal(
    err.match(/^m \d+\/\d+: [\w-]+, (?:stream|JSON)(?:, \w+)?: .+ \(\d+\.\d s\)$/gm)?.length,
    16 + 12,
  );
  assert.ok(!["\x1b", "\r"].some((code) => (out + err).includes(code)));
  for (
    const name of [
      "usable",
      "calls",
      "streaming",
      "finish",
      "context",
      "checks",
      "quirks",
      "fixes",
      "bridge",
      "flags",
      "or file",
    ]
  ) {
    assert.match(out, new RegExp(`^ {2}${name} `, "m"), name);
  }
});

test("settings of serve count, flags over variables, and stand in the lines", async () => {
  await using server = await modelServer({ refuse: aboutTools });
  const { code, out } = await ran(server.port, ["--json", "--bridge-protocol", "object"], {
    BRIDGE_PROTOCOL: "xml",
    DISABLE_FIXES: "claude/end-turn",
    UPSTREAM_BASE_URL: "http://127.0.0.1:1/v1",
  });
  assert.equal(code, 0);
  const [model] = (JSON.parse(out) as Document).models;
  assert.match(
    model!.lines!.flags,
    /--bridge-protocol object --disable-fix claude\/end-turn --mode fallback$/,
  );
  const { upstreams: [entry] } = model!.lines!.file as { upstreams: { [name: string]: unknown }[] };
  assert.deepEqual([entry!["protocol"], entry!["fixes"]], ["object", { disable: ["claude/end-turn"] }]);
  assert.equal(await checked(model!.lines!.file), "");
});

test("bad usage: exit code 2 before anything is asked", async () => {
  await using server = await modelServer();
  for (
    const [given, said] of [
      [["--timeout", "0"], /--timeout "0".*seconds/],
      [["--upstream", "here"], /--upstream "here".*http/],
      [["--colour"], /unknown option '--colour'/],
      [["--disable-fix", "x/y"], /there is no fix x\/y/],
    ] as const
  ) {
    const { code, out, err } = await ran(server.port, given);
    assert.deepEqual([code, out], [2, ""]);
    assert.match(err, said);
  }
  assert.equal(server.connections(), 0);
});

test("the file's upstreams are all asked, each with its own key, and --model picks one by its route", async () => {
  const keys: string[] = [];
  const refuse = (name: string): Faults["refuse"] & object => (_, { headers }) => {
    keys.push(`${name} ${headers.authorization}`);
    return undefined;
  };
  await using one = await modelServer({ refuse: refuse("one"), models: ["m"] });
  await using two = await modelServer({ refuse: refuse("two"), models: ["n"] });
  const folder = mkdtempSync(join(tmpdir(), "callmend-doctor-"));
  const path = join(folder, "callmend.jsonc");
  const entry = (name: string, { port }: { readonly port: number }) =>
    `{ "name": "${name}", "baseUrl": "http://127.0.0.1:${port}/v1", "key": "\${KEY_OF_${name}}" }`;
  writeFileSync(path, `{ "upstreams": [${entry("one", one)}, ${entry("two", two)}] } // all`);
  const environment = { KEY_OF_one: "key-one", KEY_OF_two: "key-two" };
  const asked = async (...given: string[]) => {
    await using running = program(["doctor", "--config", path, "--json", ...given], environment);
    assert.equal(await running.code, 0, running.err());
    return JSON.parse(running.out()) as Document;
  };
  const [all, picked] = [await asked(), await asked("--model", "two/n")];
  rmSync(folder, { recursive: true });
  assert.deepEqual(all.upstreams.map(({ name, reachable }) => [name, reachable]), [["one", true], [
    "two",
    true,
  ]]);
  assert.deepEqual(all.models.map(({ model }) => model), ["m", "n"]);
  assert.deepEqual([picked.upstreams.map(({ name }) => name), picked.models.map(({ model }) => model)], [[
    "two",
  ], ["n"]]);
  assert.deepEqual([...new Set(keys)], ["one Bearer key-one", "two Bearer key-two"]);
});
