/** `deno task test:clients`: OpenCode, from npm, through the proxy, through the provider, and through the plugin. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { bundle } from "../../.ci/bundle.ts";
import { installed, seconds } from "./_install.ts";
import { type Client, tryAll } from "./_trial.ts";

const VERSION = "1.18.33";
const KEY = "sk-key-of-a-client-0123456789";

const start = Date.now();
const program = join(installed("opencode", `opencode-ai@${VERSION}`), ".bin", "opencode");
const bundles = bundle();

const opencode: Client = {
  name: `OpenCode ${VERSION}`,
  ways: ["proxy", "provider", "plugin", "plugin and proxy"],
  prepare({ way, baseURL, home, project, prompt }) {
    const config = {
      autoupdate: false,
      share: "disabled",
      ...(way.startsWith("plugin") && { plugin: [pathToFileURL(bundles.plugin).href] }),
      provider: {
        models: {
          npm: way === "provider" ? pathToFileURL(bundles.provider).href : "@ai-sdk/openai-compatible",
          name: "Models",
          options: { baseURL, apiKey: KEY },
          models: { leaky: { name: "leaky", tool_call: true, limit: { context: 128_000, output: 8192 } } },
        },
      },
      permission: { "*": "allow" },
    };
    writeFileSync(join(project, "opencode.json"), JSON.stringify(config));
    const environment = {
      OPENCODE_DISABLE_AUTOUPDATE: "1",
      OPENCODE_DISABLE_MODELS_FETCH: "1",
      OPENCODE_DISABLE_LSP_DOWNLOAD: "1",
      CALLMEND_HOSTS: "127.0.0.1",
      TOOL_MODE: "native",
      NANOPROXY_DEBUG: "1",
      NANOPROXY_LOG: join(home, "events.log"),
      NANOPROXY_LOG_DIR: join(home, "logs"),
    };
    return [{ command: [program, "run", "--model", "models/leaky", prompt], environment }];
  },
  // The plugin's debug logs: all that was asked for, and not the key.
  check({ way, home }) {
    const folder = join(home, "logs");
    if (!way.startsWith("plugin")) return existsSync(folder) ? ["debug logs without a plugin"] : [];
    if (!existsSync(folder)) return ["no debug logs"];
    const names = readdirSync(folder);
    const missing = ["-request.json", "-stream.sse", "-response.json"]
      .filter((end) => names.filter((name) => name.endsWith(end)).length < 2);
    const texts = [join(home, "events.log"), ...names.map((name) => join(folder, name))]
      .map((path) => readFileSync(path, "utf8"));
    return [
      ...missing.map((end) => `debug logs without ${end}`),
      ...(texts.some((text) => text.includes(KEY)) ? ["a key in the debug logs"] : []),
      ...(/ Callmend \S+ mends tool calls/.test(texts[0]!) ? [] : ["not announced"]),
    ];
  },
};

const failed = await tryAll([opencode]);
const summary = failed === 0 ? "all as it should be" : `${failed} failed`;
console.log(`OpenCode ${VERSION} inside and out: ${summary} (${seconds(start)})`);
process.exit(failed === 0 ? 0 : 1);
