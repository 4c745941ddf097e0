/** `deno task test:clients`: Qwen Code, Cline and three SDKs, from npm, through the proxy. */
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { bundle } from "../../.ci/bundle.ts";
import { installed, seconds } from "./_install.ts";
import { type Client, tryAll, type Way } from "./_trial.ts";

const MODEL = "leaky";
const start = Date.now();

const qwenCode = join(installed("qwen", "@qwen-code/qwen-code@0.24.4"), ".bin", "qwen");
const clineProgram = join(installed("cline", "cline@3.0.65"), ".bin", "cline");

const qwen: Client = {
  name: "Qwen Code 0.24.4",
  ways: ["proxy"],
  bears: ["end-turn"],
  prepare({ baseURL, home, prompt }) {
    const settings = {
      general: { enableAutoUpdate: false, disableAutoUpdate: true },
      privacy: { usageStatisticsEnabled: false },
      telemetry: { enabled: false },
      security: { auth: { selectedType: "openai" } },
    };
    mkdirSync(join(home, ".qwen"));
    writeFileSync(join(home, ".qwen/settings.json"), JSON.stringify(settings));
    const environment = { OPENAI_API_KEY: "none", OPENAI_BASE_URL: baseURL, OPENAI_MODEL: MODEL };
    return [{ command: [qwenCode, "--auth-type", "openai", "--yolo", "--prompt", prompt], environment }];
  },
};

const cline: Client = {
  name: "Cline 3.0.65",
  ways: ["proxy"],
  bears: ["end-turn"],
  prepare({ baseURL, prompt }) {
    const environment = { CLINE_SESSION_BACKEND_MODE: "local", CLINE_NO_AUTO_UPDATE: "1" };
    const key = ["--provider", "openai"];
    return [
      {
        command: [clineProgram, "auth", ...key, "--apikey", "none", "--modelid", MODEL, "--baseurl", baseURL],
        environment,
      },
      { command: [clineProgram, ...key, "--model", MODEL, "--key", "none", prompt], environment },
    ];
  },
};

const bundles = bundle();

/** A script, beside the packages that it needs. */
function sdk(
  name: string,
  script: string,
  modules: string,
  bears: readonly string[],
  ways: readonly Way[] = ["proxy"],
): Client {
  return {
    name,
    ways,
    bears,
    prepare({ way, baseURL, project, prompt }) {
      symlinkSync(modules, join(project, "node_modules"));
      copyFileSync(fileURLToPath(new URL(script, import.meta.url)), join(project, "client.mjs"));
      return [{
        command: ["node", "client.mjs"],
        environment: {
          BASE_URL: baseURL,
          MODEL,
          PROMPT: prompt,
          ...(way === "provider" && { PROVIDER: pathToFileURL(bundles.provider).href }),
        },
      }];
    },
  };
}

const sdks = installed("sdk", "openai@7.55.0", "ai@7.0.173", "@ai-sdk/openai-compatible@3.0.92", "zod@4.6.7");
const sdk6 = installed("sdk6", "ai@6.0.326", "@ai-sdk/openai-compatible@2.0.87", "zod@4.6.7");
const langchain = installed("langchain", "@langchain/openai@1.6.0", "@langchain/core@1", "zod@4.6.7");

const failed = await tryAll([
  qwen,
  cline,
  sdk("openai 7.55.0", "scripts/openai.mjs", sdks, ["end-turn"]),
  sdk("AI SDK 7.0.173", "scripts/ai.mjs", sdks, [], ["proxy", "provider"]),
  sdk("AI SDK 6.0.326", "scripts/ai.mjs", sdk6, [], ["proxy", "provider"]),
  sdk("LangChain openai 1.6.0", "scripts/langchain.mjs", langchain, ["end-turn", "cut"]),
]);
const summary = failed === 0 ? "all as it should be" : `${failed} failed`;
console.log(`Qwen Code, Cline and three SDKs: ${summary} (${seconds(start)})`);
process.exit(failed === 0 ? 0 : 1);
