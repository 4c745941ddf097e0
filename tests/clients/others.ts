/** `deno task test:clients`: Qwen Code, Cline and three SDKs, from npm, through the proxy. */
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { installed, seconds } from "./_install.ts";
import { type Client, tryAll } from "./_trial.ts";

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

/** A script, beside the packages that it needs. */
function sdk(name: string, script: string, modules: string, bears: readonly string[]): Client {
  return {
    name,
    ways: ["proxy"],
    bears,
    prepare({ baseURL, project, prompt }) {
      symlinkSync(modules, join(project, "node_modules"));
      copyFileSync(fileURLToPath(new URL(script, import.meta.url)), join(project, "client.mjs"));
      return [{
        command: ["node", "client.mjs"],
        environment: { BASE_URL: baseURL, MODEL, PROMPT: prompt },
      }];
    },
  };
}

const sdks = installed("sdk", "openai@7.55.0", "ai@7.0.173", "@ai-sdk/openai-compatible@3.0.92", "zod@4.6.7");
const langchain = installed("langchain", "@langchain/openai@1.6.0", "@langchain/core@1", "zod@4.6.7");

const failed = await tryAll([
  qwen,
  cline,
  sdk("openai 7.55.0", "scripts/openai.mjs", sdks, ["end-turn"]),
  sdk("AI SDK 7.0.173", "scripts/ai.mjs", sdks, []),
  sdk("LangChain openai 1.6.0", "scripts/langchain.mjs", langchain, ["end-turn", "cut"]),
]);
const summary = failed === 0 ? "all as it should be" : `${failed} failed`;
console.log(`Qwen Code, Cline and three SDKs: ${summary} (${seconds(start)})`);
process.exit(failed === 0 ? 0 : 1);
