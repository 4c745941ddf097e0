/** `callmend opencode`: a user's configuration is edited in place, and comes back as it was. */
import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parse } from "jsonc-parser";
import { type Addition, withCallmend, withoutCallmend } from "../src/cli/opencode_config.ts";
import { bundle } from "../.ci/bundle.ts";
import { program } from "./_servers.ts";
import { test } from "./_test.ts";

const url = "file:///home/me/callmend.mjs";
const provider: Addition = {
  kind: "provider",
  url,
  id: "callmend",
  upstream: "http://x/v1",
  models: ["a", "b"],
};
const plugin: Addition = { ...provider, kind: "plugin" };

const COMMENTED = `{
    // mine
    "model": "x/y", /* keep
    this */
    "provider": {
        "nanogpt": { "npm": "@ai-sdk/openai-compatible", "options": { "apiKey": "k" } }, // and this
    },
    "plugin": [
        "other-plugin", // first
    ],
}
`;

const texts: { readonly [name: string]: string } = {
  empty: "",
  braces: "{}\n",
  commented: COMMENTED,
  "Windows lines": COMMENTED.replaceAll("\n", "\r\n"),
  tabs: COMMENTED.replaceAll("    ", "\t"),
  "one line": '{"$schema": "https://opencode.ai/config.json", "theme": "x"}',
};

for (const [name, text] of Object.entries(texts)) {
  for (const addition of [provider, plugin]) {
    test(`${name}: ${addition.kind} goes in, comments stay, and it goes out again`, () => {
      const written = withCallmend(text, addition);
      const config = parse(written, [], { allowTrailingComma: true });
      if (addition.kind === "plugin") assert.equal(config.plugin[0], url);
      else {assert.deepEqual([config.provider.callmend.npm, config.provider.callmend.models], [url, {
          a: {},
          b: {},
        }]);}
      for (const comment of ["// mine", "/* keep", "// and this", "// first"]) {
        assert.equal(written.includes(comment), text.includes(comment), comment);
      }
      if (text.includes("\r\n")) assert.doesNotMatch(written, /[^\r]\n/);
      assert.equal(withCallmend(written, addition), written, "twice is once");
      const back = withoutCallmend(written, addition, text);
      assert.deepEqual(
        parse(back, [], { allowTrailingComma: true }),
        parse(text || "{}", [], { allowTrailingComma: true }),
      );
      for (const comment of ["// mine", "/* keep", "// and this", "// first"]) {
        assert.equal(back.includes(comment), text.includes(comment), comment);
      }
      if (text.includes("mine")) assert.equal(back, text, "to the byte");
      assert.equal(withoutCallmend(text, addition, text), text, "what is not there does not go");
    });
  }
}

test("a provider that is there keeps its settings and gets its own npm back", () => {
  const written = withCallmend(COMMENTED, { ...provider, id: "nanogpt" });
  const { nanogpt } = parse(written, [], { allowTrailingComma: true }).provider;
  assert.deepEqual(nanogpt, { npm: url, options: { apiKey: "k" } });
  assert.equal(withoutCallmend(written, provider, COMMENTED), COMMENTED);
});

test("plugins with options count; what is no configuration is refused", () => {
  const text = `{"plugin": [["${url}", {"hosts": "a"}]]}`;
  assert.equal(withCallmend(text, plugin), text);
  assert.deepEqual(parse(withoutCallmend(text, plugin)), {});
  for (const bad of ['{"a": }', "[]", '{"plugin": 1}']) assert.throws(() => withCallmend(bad, plugin), bad);
  assert.throws(() => withCallmend('{\n"a": 1 "b"}', plugin), /line 2/);
});

/** The program in a home of its own. */
async function inHome(body: (home: string, run: (...given: string[]) => Promise<Ran>) => Promise<void>) {
  const home = mkdtempSync(join(tmpdir(), "callmend-home-"));
  bundle();
  try {
    await body(home, async (...given) => {
      await using running = program(["opencode", ...given], { HOME: home }, { task: "callmend", cwd: home });
      const code = await running.code;
      return { code, out: running.out(), err: running.err() };
    });
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

test("callmend opencode: the file, the lines, --write with a backup, --remove to the byte", () =>
  inHome(async (home, run) => {
    const folder = join(home, ".config/opencode");
    const config = join(folder, "opencode.json");
    const shown = await run("plugin");
    const bundle = join(folder, "callmend/callmend-plugin.mjs");
    assert.ok(existsSync(bundle), shown.err);
    assert.ok(
      shown.out.includes(JSON.stringify({ plugin: [pathToFileURL(bundle).href] }, null, 2)),
      shown.out,
    );
    assert.equal(existsSync(config), false);

    const created = await run("--write"); // the plugin, where nothing is said
    assert.equal(created.code, 0, created.err);
    assert.deepEqual(parse(readFileSync(config, "utf8")), { plugin: [pathToFileURL(bundle).href] });
    await run("--remove");
    assert.deepEqual([existsSync(config), existsSync(bundle)], [false, false]);

    const original = `\ufeff${COMMENTED}`;
    writeFileSync(config, original);
    const wrote = await run("provider", "--write", "--upstream", "http://x/v1", "--model", "a", "b");
    assert.equal(wrote.code, 0, wrote.err);
    assert.equal(readFileSync(`${config}.before-callmend-provider`, "utf8"), original);
    await run("plugin", "--write");
    await run("provider", "--write", "--id", "nanogpt");
    const all = readFileSync(config, "utf8");
    assert.ok(all.startsWith("\ufeff"));
    const { provider: { callmend, nanogpt } } = parse(all.slice(1), [], { allowTrailingComma: true });
    assert.equal(nanogpt.npm, callmend.npm);
    assert.deepEqual(callmend.options.baseURL, "http://x/v1");
    await run("provider", "--remove");
    await run("plugin", "--remove");
    const same = (text: string) => parse(text.replace("\ufeff", ""), [], { allowTrailingComma: true });
    assert.deepEqual(same(readFileSync(config, "utf8")), same(original));
    assert.deepEqual(readdirSync(folder).filter((name) => name.includes("before")), []);

    writeFileSync(config, original);
    await run("provider", "--write");
    await run("provider", "--write", "--id", "nanogpt");
    await run("provider", "--remove");
    assert.equal(readFileSync(config, "utf8"), original);
  }));

test("callmend opencode: flags of which nothing comes are named", () =>
  inHome(async (home, run) => {
    const config = join(home, ".config/opencode/opencode.json");
    const first = await run("provider", "--write", "--upstream", "http://x/v1", "--model", "a");
    assert.deepEqual([first.code, first.err], [0, ""]);
    const before = readFileSync(config, "utf8");
    const again = await run("provider", "--write", "--upstream", "http://y/v1", "--model", "b");
    assert.equal(readFileSync(config, "utf8"), before);
    assert.match(again.err, /^Not used: --upstream and --model, as provider\.callmend is there/m);
    const plugin = await run("plugin", "--model", "b");
    assert.match(plugin.err, /^Not used: --model, which a provider has/m);
    const quiet = await run("provider", "--write");
    assert.deepEqual([quiet.code, quiet.err], [0, ""]);
    const shown = await run("provider", "--upstream", "http://y/v1");
    assert.deepEqual([/"baseURL": "http:\/\/y\/v1"/.test(shown.out), shown.err], [true, ""]);
    assert.equal((await run("provider", "--write", "--remove")).code, 2);
    await run("provider", "--remove");
    assert.match((await run("provider", "--remove")).out, /^Nothing to remove: /m);
    writeFileSync(join(home, "file"), "");
    const refused = await run("plugin", "--write", "--config", join(home, "file/opencode.json"));
    assert.equal(refused.code, 1);
    assert.match(refused.err, /^Cannot go on: E[A-Z]+: /m);
  }));

test("callmend opencode: plugin and provider go in and out again in any order, and nothing is left", () =>
  inHome(async (home, run) => {
    const config = join(home, ".config/opencode/opencode.json");
    for (const original of [undefined, COMMENTED, '{"plugin":["a"]}']) {
      for (const [first, second] of [["plugin", "provider"], ["provider", "plugin"]] as const) {
        if (original !== undefined) writeFileSync(config, original);
        await run(first, "--write");
        await run(second, "--write");
        await run(first, "--remove");
        assert.match(readFileSync(config, "utf8"), new RegExp(`callmend-${second}\\.mjs`));
        await run(second, "--remove");
        assert.equal(existsSync(config) ? readFileSync(config, "utf8") : undefined, original);
        rmSync(config, { force: true });
      }
    }
    assert.deepEqual(readdirSync(join(home, ".config/opencode/callmend")), []);
  }));

test("callmend opencode: the bundle stays as long as a configuration names it", () =>
  inHome(async (home, run) => {
    const bundle = join(home, ".config/opencode/callmend/callmend-plugin.mjs");
    const config = join(home, "project.json");
    await run("plugin", "--write");
    await run("plugin", "--write", "--config", config);
    const one = await run("plugin", "--remove", "--config", config);
    assert.match(one.out, /^Kept: .*callmend-plugin\.mjs/m);
    assert.ok(existsSync(bundle));
    const other = await run("plugin", "--remove");
    assert.match(other.out, /^Removed: /m);
    assert.equal(existsSync(bundle), false);
  }));

test("callmend opencode: another file, and one that cannot be edited", () =>
  inHome(async (home, run) => {
    mkdirSync(join(home, "project"));
    const config = join(home, "project/opencode.jsonc");
    writeFileSync(config, "{ // x\n}\n");
    const wrote = await run("plugin", "--write", "--config", config);
    assert.equal(wrote.code, 0, wrote.err);
    assert.match(readFileSync(config, "utf8"), /\/\/ x/);
    await run("plugin", "--remove", "--config", config);
    assert.equal(readFileSync(config, "utf8"), "{ // x\n}\n");
    writeFileSync(config, '{ "a": }');
    const refused = await run("plugin", "--write", "--config", config);
    assert.equal(refused.code, 1);
    assert.match(refused.err, /^Cannot edit .*opencode\.jsonc: line 1/m);
    assert.equal(readFileSync(config, "utf8"), '{ "a": }');
    const address = await run("provider", "--upstream", "nowhere");
    assert.deepEqual([address.code, /^Cannot use --upstream "nowhere"/m.test(address.err)], [2, true]);
    const unknown = await run("browser");
    assert.equal(unknown.code, 2);
  }));
