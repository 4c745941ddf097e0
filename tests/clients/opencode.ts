/** `deno task test:clients`: OpenCode itself, from npm, does a task of three steps through each protocol. */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { bridges } from "../../src/bridge/mod.ts";
import { readConfig } from "../../src/config.ts";
import { listen } from "../../src/listen.ts";
import { serveObserved } from "../_servers.ts";
import { installed, seconds } from "./_install.ts";
import { type Seen, taughtModel } from "./_taught_model.ts";

const VERSION = "1.18.33";
const MODEL = "taught";

const start = Date.now();
const opencode = join(installed("opencode", `opencode-ai@${VERSION}`), ".bin", "opencode");
const node = join(installed("node22", "node@22"), ".bin");
let failed = 0;
for (const { id } of bridges) for (const mode of ["bridge", "fallback"]) await run(id, mode);
console.log(`OpenCode ${VERSION}: ${failed === 0 ? "all passed" : `${failed} failed`} (${seconds(start)})`);
process.exit(failed === 0 ? 0 : 1);

/** One task: read a file, edit it, run a command, tell the outcome. */
async function run(bridgeProtocol: string, mode: string): Promise<void> {
  const begin = Date.now();
  console.error(`       ${mode}, ${bridgeProtocol}: running`);
  const folder = mkdtempSync(join(tmpdir(), "callmend-opencode-"));
  const project = join(folder, "project");
  mkdirSync(project);
  const notes = join(project, "notes.txt");
  const secret = `quokka${Math.floor(Math.random() * 1e9)}`;
  writeFileSync(notes, `Notes of the day.\nThe secret word is ${secret}.\nNothing else.\n`);

  const seen: Seen = { bodies: [], answers: [], faults: [] };
  const model = listen({ host: "127.0.0.1", port: 0 }, taughtModel(notes, seen));
  const log: string[] = [];
  const proxy = serveObserved(
    readConfig({
      upstream: `http://127.0.0.1:${model.port}/v1`,
      port: "0",
      mode,
      bridgeProtocol,
      drainTimeoutMs: "1",
    }),
    (line) => log.push(line),
  );
  const config = {
    autoupdate: false,
    share: "disabled",
    provider: {
      callmend: {
        npm: "@ai-sdk/openai-compatible",
        name: "Callmend",
        options: { baseURL: `${proxy.address}/v1`, apiKey: "none" },
        models: { [MODEL]: { name: MODEL, tool_call: true, limit: { context: 128_000, output: 8192 } } },
      },
    },
    permission: { "*": "allow" },
  };
  writeFileSync(join(project, "opencode.json"), JSON.stringify(config));
  const prompt = `Read ${notes}, put the secret word in angle brackets, and show me the file.`;
  const { code, out, err } = await client(["run", "--model", `callmend/${MODEL}`, prompt], folder, project);
  await proxy.drain();
  await model.stop();

  const wanted = `The secret word is "<${secret}>" & \\n it's 😀.`;
  const faults = [
    ...seen.faults,
    ...(code === 0 ? [] : [`exit code ${code}`]),
    ...(readFileSync(notes, "utf8").includes(wanted)
      ? []
      : ["the file was not edited as the model meant it"]),
    ...(out.includes(`Done. It says: s${wanted.slice(5)}`)
      ? []
      : ["the final answer did not reach the user"]),
    ...(/OPENCODE_|\[\[|"tool_calls"|<\/?open>|<tool_result>/.test(out) ? ["markup reached the user"] : []),
    ...(seen.bodies.length === 4 ? [] : [`${seen.bodies.length} requests instead of 4`]),
    ...(seen.bodies.some((body) => "tools" in body) ? ["tools went upstream"] : []),
  ];
  console.log(
    `${
      faults.length === 0 ? "ok    " : "FAILED"
    } ${mode}, ${bridgeProtocol}: read, edit, run in ${seen.bodies.length} ` +
      `requests (${seconds(begin)})${faults.map((fault) => `\n         ${fault}`).join("")}`,
  );
  if (faults.length > 0) {
    failed++;
    console.log([out, err, ...log, ...seen.answers].join("\n").replace(/^/gm, "       | "));
  }
  rmSync(folder, { recursive: true, force: true });
}

/** OpenCode in a home of its own, with nothing of this machine's settings. */
function client(
  given: readonly string[],
  folder: string,
  project: string,
): Promise<{ code: number | null; out: string; err: string }> {
  const home = join(folder, "home");
  mkdirSync(home);
  const child = spawn(opencode, given, {
    cwd: project,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 120_000,
    env: {
      PATH: `${node}:/usr/local/bin:/usr/bin:/bin`,
      HOME: home,
      XDG_CONFIG_HOME: join(home, ".config"),
      XDG_DATA_HOME: join(home, ".local/share"),
      XDG_CACHE_HOME: join(home, ".cache"),
      XDG_STATE_HOME: join(home, ".local/state"),
      LANG: "C.UTF-8",
      TERM: "dumb",
      NO_COLOR: "1",
      OPENCODE_DISABLE_AUTOUPDATE: "1",
      OPENCODE_DISABLE_MODELS_FETCH: "1",
      OPENCODE_DISABLE_LSP_DOWNLOAD: "1",
    },
  });
  let [out, err] = ["", ""];
  child.stdout.on("data", (bytes) => out += bytes);
  child.stderr.on("data", (bytes) => err += bytes);
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, out, err })));
}
