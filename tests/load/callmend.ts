/** A Callmend process under load: started as an executable or from sources, and looked at from outside. */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { bun } from "../../.ci/bun.ts";
import manifest from "../../deno.json" with { type: "json" };
import { type Program, spawned, until } from "../_servers.ts";

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

/** What `deno task load` compiles. */
const EXECUTABLE = fileURLToPath(new URL("../../dist/callmend", import.meta.url));

/** The runtime that runs this. */
export const ownRuntime: "bun" | "deno" = "Bun" in globalThis ? "bun" : "deno";

/** Starts Callmend: `with` is `bun` or `deno` (from sources), an executable, or undefined for the compiled one. */
export function startCallmend(runtime: string | undefined, given: readonly string[]): Program {
  const [file, ...words] = commandOf(runtime);
  return spawned(file!, [...words, ...given], {
    env: { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "", NO_COLOR: "1" },
  });
}

function commandOf(runtime: string | undefined): readonly string[] {
  if (runtime === "deno") {
    const words = manifest.tasks.start.command.replace(/^.*(?=deno run )/, "").split(" ").slice(1, -1);
    return [ownRuntime === "deno" ? process.execPath : "deno", ...words, main];
  }
  if (runtime === "bun") return [ownRuntime === "bun" ? process.execPath : bunFile(), main];
  return [runtime === undefined ? EXECUTABLE : resolve(runtime)];
}

/** The file itself: `npx` would stand between us and the process that is measured. */
function bunFile(): string {
  const [program, ...given] = [...bun, "-p", "process.execPath"];
  return spawnSync(program!, given, { encoding: "utf8" }).stdout.trim();
}

/** Runs another file of these tests as a process of its own. */
export function helper(name: string, given: readonly string[] = []): Program {
  const file = fileURLToPath(new URL(name, import.meta.url));
  const words = ownRuntime === "deno" ? ["run", "-A", file] : [file];
  const env = { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "", NO_COLOR: "1" };
  return spawned(process.execPath, [...words, ...given], { env });
}

/** What the system says of a process. */
export interface Figures {
  readonly memoryMiB: number;
  readonly cpuSeconds: number;
  readonly sockets: number;
  readonly descriptors: number;
}

/** Looks at a process by way of /proc; throws when it has ended. */
export function figuresOf(pid: number): Figures {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const open = readdirSync(`/proc/${pid}/fd`);
  return {
    memoryMiB: memoryOf(pid),
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / 100,
    sockets: connectionsOf(pid, open),
    descriptors: open.length,
  };
}

/** Open TCP sockets; runtimes have others of their own. */
function connectionsOf(pid: number, open: readonly string[]): number {
  const inodes = new Set(
    ["tcp", "tcp6"].flatMap((family) =>
      readFileSync(`/proc/${pid}/net/${family}`, "utf8").split("\n").slice(1).map((line) =>
        line.trim().split(/\s+/)[9]
      )
    ),
  );
  return open.filter((name) => inodes.has(/^socket:\[(\d+)\]/.exec(targetOf(pid, name))?.[1] ?? "none"))
    .length;
}

/** Resident memory in MiB; 0 when the process has ended. */
export function memoryOf(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+)/m.exec(statusOf(pid)) ?? [];
  return Number(kilobytes ?? 0) / 1024;
}

/** The system's own words; none when there is no such process. */
function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, "utf8");
  } catch {
    return "";
  }
}

function targetOf(pid: number, name: string): string {
  try {
    return readlinkSync(`/proc/${pid}/fd/${name}`);
  } catch {
    return ""; // closed meanwhile
  }
}

/** Waits until no more sockets are open than before; how many still are. */
export async function settledSockets(pid: number, before: number, limitMs = 10_000): Promise<number> {
  await until("sockets closed", () => figuresOf(pid).sockets <= before, limitMs).catch(() => {});
  return figuresOf(pid).sockets;
}

/** Samples memory until it is stopped; gives the highest sample. */
export function watchMemory(pid: number, everyMs = 200): { stop(): number } {
  let peak = memoryOf(pid);
  const timer = setInterval(() => peak = Math.max(peak, memoryOf(pid)), everyMs);
  return {
    stop() {
      clearInterval(timer);
      return peak;
    },
  };
}

/** Whether a process runs. */
export function isAlive(pid: number): boolean {
  return /^State:\s+[^Z]/m.test(statusOf(pid));
}

/** Lines of Callmend's log that tell of its own fault. */
export function faultLines(log: string): string[] {
  return log.split("\n").filter((line) =>
    /"message":"failed"|"event":"failed"|\bfailed: |internal_error|(?:fix|stage|dialect)-failed|panic|Unhandled|uncaught/i
      .test(line)
  );
}
