/** Start to first answered /health, and memory when idle: the executable against an empty server of its own runtime. */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { bun } from "../../.ci/bun.ts";

/** What was measured of a program. */
export interface Figures {
  readonly startMs: number;
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

async function once(file: string): Promise<Figures> {
  const start = performance.now();
  const child = spawn(file, ["--port", "0"], { stdio: ["ignore", "pipe", "ignore"], env: {} });
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
      http.get(`http://127.0.0.1:${port}/health`, { agent: false }, (answer) => {
        answer.resume().on("end", resolve);
      }).on("error", reject);
    });
    const startMs = performance.now() - start;
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
    const [, kilobytes] = /^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${child.pid}/smaps_rollup`, "utf8"))!;
    return { startMs, memoryMiB: Number(kilobytes) / 1024 };
  } finally {
    child.kill("SIGKILL");
  }
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1]!;

/** Medians of some rounds, in which both programs take turns. */
export async function compareStart(
  executable: string,
  rounds = 11,
): Promise<{ readonly empty: Figures; readonly callmend: Figures }> {
  const folder = mkdtempSync(join(tmpdir(), "callmend-start-"));
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
    for (let round = -1; round < rounds; round++) {
      for (const file of [empty, executable]) {
        const figure = await once(file);
        if (round >= 0) figures[file]!.push(figure); // the first round reads the files in
      }
    }
    const medians = (file: string): Figures => ({
      startMs: median(figures[file]!.map(({ startMs }) => startMs)),
      memoryMiB: median(figures[file]!.map(({ memoryMiB }) => memoryMiB)),
    });
    return { empty: medians(empty), callmend: medians(executable) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The comparison in two lines. */
export function startReport({ empty, callmend }: Awaited<ReturnType<typeof compareStart>>): string {
  const row = (what: string, unit: string, ours: number, bare: number) =>
    `${what.padEnd(32)} ${ours.toFixed(1)} ${unit}, empty server ${bare.toFixed(1)} ${unit}: ` +
    `${(ours / bare).toFixed(2)} times (goal: 1.3)`;
  return [
    row("start to first answered /health", "ms", callmend.startMs, empty.startMs),
    row("memory when idle", "MiB", callmend.memoryMiB, empty.memoryMiB),
  ].join("\n");
}

if (import.meta.main) {
  const executable = process.argv[2] ?? fileURLToPath(new URL("../../dist/callmend", import.meta.url));
  console.log(startReport(await compareStart(executable)));
}
