/** `deno task test:clients`: OpenCode, from npm, through the proxy, through the provider, and through the plugin. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { bundle } from "../_bundle.ts";
import { installed, seconds } from "./_install.ts";
import { type Client, tryAll } from "./_trial.ts";

const VERSION = "1.18.33";

const start = Date.now();
const program = join(installed("opencode", `opencode-ai@${VERSION}`), ".bin", "opencode");
const bundles = bundle();

const opencode: Client = {
  name: `OpenCode ${VERSION}`,
  ways: ["proxy", "provider", "plugin"],
  prepare({ way, baseURL, project, prompt }) {
    const config = {
      autoupdate: false,
      share: "disabled",
      ...(way === "plugin" && { plugin: [pathToFileURL(bundles.plugin).href] }),
      provider: {
        models: {
          npm: way === "provider" ? pathToFileURL(bundles.provider).href : "@ai-sdk/openai-compatible",
          name: "Models",
          options: { baseURL, apiKey: "none" },
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
    };
    return [{ command: [program, "run", "--model", "models/leaky", prompt], environment }];
  },
};

const failed = await tryAll([opencode]);
const summary = failed === 0 ? "all as it should be" : `${failed} failed`;
console.log(`OpenCode ${VERSION} inside and out: ${summary} (${seconds(start)})`);
process.exit(failed === 0 ? 0 : 1);
