/**
 * Start to first answered /health and to first answered chat, and memory when idle: the executable against an empty
 * server of its own runtime.
 */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { bun } from "../../.ci/bun.ts";

/** What was measured of a program. */
export interface Figures {
  readonly startMs: number;
  /** The same when the first request is a chat completion. */
  readonly chatMs: number;
  /** What belongs to it alone, and its share of what it shares with others. */
  readonly memoryMiB: number;
}

const EMPTY = `const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch: () => Response.json({ ok: true }),
});
console.log("listening on http://127.0.0.1:" + server.port);
`;

/** When all is quiet, after so long, memory is read. */
const IDLE_MS = 500;

/** What the model server of the chat says. */
const SAID = JSON.stringify({
  choices: [{ index: 0, message: { role: "assistant", content: "Hello" }, finish_reason: "stop" }],
});

/** A chat with tools, as agents ask. */
const CHAT = JSON.stringify({
  model: "m",
  messages: [{ role: "user", content: "Hello" }],
  tools: [{ type: "function", function: { name: "read", parameters: { type: "object", properties: {} } } }],
});

/** Starts the program, asks once, and gives how long that took; `then` is done while it still runs. */
async function timed(
  file: string,
  flags: readonly string[],
  ask: (port: string) => http.ClientRequest,
  then: (pid: number) => Promise<void> = async () => {},
): Promise<number> {
  const start = performance.now();
  const child = spawn(file, ["--port", "0", ...flags], { stdio: ["ignore", "pipe", "ignore"], env: {} });
  try {
    const port = await new Promise<string>((resolve, reject) => {
      let out = "";
      child.stdout.on("data", (bytes) => {
        const [, found] = /listening on http:\/\/127\.0\.0\.1:(\d+)/.exec(out += bytes) ?? [];
        if (found !== undefined) resolve(found);
      });
      child.on("error", reject).on("close", () => reject(new Error(`${file} ended`)));
    });
    await new Promise<void>((resolve, reject) => {
      ask(port).on("response", (answer) => answer.resume().on("end", resolve)).on("error", reject);
    });
    const took = performance.now() - start;
    await then(child.pid!);
    return took;
  } finally {
    child.kill("SIGKILL");
  }
}

async function once(file: string, model: string): Promise<Figures> {
  let memoryMiB = 0;
  const health = (port: string) => http.get(`http://127.0.0.1:${port}/health`, { agent: false });
  const startMs = await timed(file, [], health, async (pid) => {
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
    const [, kilobytes] = /^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))!;
    memoryMiB = Number(kilobytes) / 1024;
  });
  const chat = (port: string) =>
    http.request(`http://127.0.0.1:${port}/v1/chat/completions`, { method: "POST", agent: false }).end(CHAT);
  return { startMs, memoryMiB, chatMs: await timed(file, ["--upstream", model], chat) };
}

/**
 * Takes a file out of the page cache: how it has come in there (written, copied, read) tells how much of it is mapped at
 * once, which is a matter of megabytes. Where there is no dd of GNU's, it stays.
 */
function forget(file: string): void {
  spawnSync("dd", [`of=${file}`, "oflag=nocache", "conv=notrunc,fdatasync", "count=0"]);
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1]!;

/** Medians of some rounds, in which both programs take turns. */
export async function compareStart(
  executable: string,
  rounds = 31,
): Promise<{ readonly empty: Figures; readonly callmend: Figures }> {
  const folder = mkdtempSync(join(tmpdir(), "callmend-start-"));
  const models = http.createServer((request, response) => {
    request.resume().on("end", () => {
      response.writeHead(200, { "content-type": "application/json" }).end(SAID);
    });
  });
  await new Promise<void>((resolve) => models.listen(0, "127.0.0.1", resolve));
  const model = `http://127.0.0.1:${(models.address() as AddressInfo).port}/v1`;
  try {
    const source = join(folder, "empty.ts");
    const empty = join(folder, "empty");
    writeFileSync(source, EMPTY);
    const [program, ...given] = [
      ...bun,
      "build",
      "--compile",
      "--bytecode",
      "--format=esm",
      source,
      `--outfile=${empty}`,
    ];
    const { status, stderr } = spawnSync(program!, given, { cwd: folder, encoding: "utf8" });
    if (status !== 0) throw new Error(`Cannot compile the empty server: ${stderr}`);
    const figures: { [file: string]: Figures[] } = { [empty]: [], [executable]: [] };
    [empty, executable].forEach(forget);
    for (let round = -1; round < rounds; round++) {
      for (const file of [empty, executable]) {
        const figure = await once(file, model);
        if (round >= 0) figures[file]!.push(figure); // the first round reads the files in
      }
    }
    const medians = (file: string): Figures => ({
      startMs: median(figures[file]!.map(({ startMs }) => startMs)),
      chatMs: median(figures[file]!.map(({ chatMs }) => chatMs)),
      memoryMiB: median(figures[file]!.map(({ memoryMiB }) => memoryMiB)),
    });
    return { empty: medians(empty), callmend: medians(executable) };
  } finally {
    models.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The comparison, a line for each figure. */
export function startReport({ empty, callmend }: Awaited<ReturnType<typeof compareStart>>): string {
  const row = (what: string, unit: string, ours: number, bare: number, goal = "") =>
    `${what.padEnd(32)} ${ours.toFixed(1)} ${unit}, empty server ${bare.toFixed(1)} ${unit}: ` +
    `${(ours / bare).toFixed(2)} times${goal}`;
  return [
    row("start to first answered /health", "ms", callmend.startMs, empty.startMs, " (goal: 1.3)"),
    row("start to first answered chat", "ms", callmend.chatMs, empty.chatMs),
    row("memory when idle", "MiB", callmend.memoryMiB, empty.memoryMiB, " (goal: 1.3)"),
  ].join("\n");
}

if (import.meta.main) {
  const executable = process.argv[2] ?? fileURLToPath(new URL("../../dist/callmend", import.meta.url));
  console.log(startReport(await compareStart(executable)));
}
