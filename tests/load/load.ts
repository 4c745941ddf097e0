/**
 * `deno task load`: many streams at once through a Callmend process, with slow readers, clients that hang up, and an
 * upstream that breaks off or stalls; prints what it cost, and fails when something was lost or left behind.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { type Program, until } from "../_servers.ts";
import {
  faultLines,
  figuresOf,
  helper,
  isAlive,
  settledSockets,
  startCallmend,
  watchMemory,
} from "./callmend.ts";
import type { ClientsOptions, ClientsReport } from "./clients.ts";
import type { ModelReport } from "./models.ts";

/** What is run. */
export interface LoadOptions {
  readonly streams: number;
  readonly seconds: number;
  /** Events a second of each stream. */
  readonly rate: number;
  readonly seed: number;
  /** What Callmend runs on, as `startCallmend()` takes it. */
  readonly with?: string | undefined;
  readonly captures?: string | undefined;
}

/** What was measured, and what did not hold. */
export interface LoadReport {
  readonly lines: readonly string[];
  readonly failures: readonly string[];
}

/** An upstream that says nothing for so long is given up; on a busy machine a few seconds can be an accident. */
const idleSeconds = (seconds: number): number => seconds < 30 ? 3 : 10;
/** So soon after a client the upstream's request has to end; by as much later as everything is late. */
const HANG_UP_MS = 1_000;

export const modelServer = (): Program => helper("./models.ts");

/** What the model server has seen. */
export async function askModels(port: number): Promise<ModelReport> {
  return await (await fetch(`http://127.0.0.1:${port}/control`)).json() as ModelReport;
}

/** Runs clients of a process of their own until they are over. */
export async function runClients(options: ClientsOptions, onReady: () => void, onOver: () => void) {
  await using clients = helper("./clients.ts", [JSON.stringify(options)]);
  const says = (word: string) => clients.out().split("\n").includes(word);
  const ended = () => !isAlive(clients.pid);
  await until("clients ready", () => says("ready") || ended(), 30_000);
  onReady();
  await until("clients over", () => says("over") || ended(), (options.seconds + 60) * 1_000);
  onOver();
  await clients.code;
  const [json] = /^\{.*\}$/m.exec(clients.out()) ?? [];
  if (json === undefined) throw new Error(`The clients failed: ${clients.err()}`);
  return JSON.parse(json) as ClientsReport;
}

/** The arguments of Callmend under load. */
export function serveArguments(modelsPort: number, seconds: number, captures?: string): string[] {
  const upstream = `http://127.0.0.1:${modelsPort}/v1`;
  const kept = captures === undefined ? [] : ["--captures", captures];
  return [
    "serve",
    "--port",
    "0",
    "--upstream",
    upstream,
    "--idle-timeout",
    String(idleSeconds(seconds)),
    ...kept,
  ];
}

/** One run. */
export async function runLoad(options: LoadOptions): Promise<LoadReport> {
  await using models = modelServer();
  const modelsPort = await models.port();
  await using callmend = startCallmend(
    options.with,
    serveArguments(modelsPort, options.seconds, options.captures),
  );
  const port = await callmend.port();
  const { pid } = callmend;
  const { streams, seconds, seed } = options;
  const idle = figuresOf(pid);
  let before = idle;
  let memory = watchMemory(pid);
  let peak = 0;
  let after = before;
  const told = await runClients(
    { port, modelsPort, streams, seconds, seed, intervalMs: 1_000 / options.rate },
    () => {
      before = figuresOf(pid);
      memory.stop();
      memory = watchMemory(pid);
    },
    () => {
      peak = memory.stop();
      after = figuresOf(pid);
    },
  );
  const cpu = after.cpuSeconds - before.cpuSeconds;
  const sockets = await settledSockets(pid, idle.sockets);
  await new Promise((resolve) => setTimeout(resolve, Math.min(5, seconds) * 1_000)); // so that memory is given back
  after = figuresOf(pid);
  const { open } = await askModels(modelsPort);
  const faults = faultLines(callmend.err());
  const wrong = Object.entries(told.wrong);
  const all = Object.values(told.streams).reduce((sum, each) => sum + each, 0);
  const ms = (value: number) => value.toFixed(2);
  const perStream = Math.max(0, peak - before.memoryMiB) * 1024 / told.mostAtOnce;
  const lines = [
    `streams: ${all} (${
      Object.entries(told.streams).map(([fate, count]) => `${count} ${fate}`).join(", ")
    }), ` +
    `at most ${told.mostAtOnce} at once; ${(told.bytes / 2 ** 20).toFixed(0)} MiB to clients`,
    `memory: ${before.memoryMiB.toFixed(0)} MiB before, ${peak.toFixed(0)} at the peak, ` +
    `${after.memoryMiB.toFixed(0)} after; ${perStream.toFixed(0)} KiB a stream above idle`,
    `sockets: ${idle.sockets} before, ${sockets} after; upstream requests left open: ${open.length}`,
    `hang-ups: upstream's request ended after ${ms(told.hangUpMs.p99)} ms (p99), ${
      ms(told.hangUpMs.most)
    } at most`,
    `token latency: p50 ${ms(told.latencyMs.p50)} ms, p99 ${
      ms(told.latencyMs.p99)
    } ms (${told.latencyMs.count} tokens)`,
    `CPU: ${cpu.toFixed(1)} s`,
    `wrong answers: ${wrong.reduce((sum, [, count]) => sum + count, 0)}`,
    ...wrong.map(([what, count]) => `  ${count} × ${what}, first ${told.examples[what]}`),
  ];
  const failures = [
    ...wrong.map(([what, count]) => `${count} × ${what}: ${told.examples[what]}`),
    ...(sockets > idle.sockets ? [`${sockets - idle.sockets} sockets left open`] : []),
    ...(open.length > 0
      ? [`${open.length} upstream requests left open: ${open.slice(0, 5).join(", ")}`]
      : []),
    ...(told.hangUpMs.most > HANG_UP_MS + told.latencyMs.p99
      ? [`an upstream request outlived its client by ${ms(told.hangUpMs.most)} ms`]
      : []),
    ...faults.slice(0, 5).map((line) => `in the log: ${line.slice(0, 500)}`),
    ...(isAlive(pid) ? [] : ["Callmend has ended"]),
  ];
  return { lines, failures };
}

/** Prints a report; the exit code. */
export function conclude({ lines, failures }: LoadReport): number {
  for (const line of lines) console.log(line);
  for (const failure of failures) console.log(`FAILED: ${failure}`);
  console.log(failures.length === 0 ? "all held" : `${failures.length} did not hold`);
  return failures.length === 0 ? 0 : 1;
}

/** A number above 0 that was given as a flag; ends the process when it is none. */
export function positive(name: string, value: string): number {
  const number = Number(value);
  if (number > 0) return number;
  console.error(`Cannot use --${name} ${value}: allowed: a number above 0`);
  process.exit(2);
}

if (import.meta.main) {
  const { values } = parseArgs({
    args: process.argv.slice(2).filter((word) => word !== "--"),
    options: {
      streams: { type: "string", default: "1000" },
      seconds: { type: "string", default: "60" },
      rate: { type: "string", default: "10" },
      seed: { type: "string", default: String(Date.now() % 2 ** 31) },
      with: { type: "string" },
      captures: { type: "string" },
    },
  });
  const [streams, seconds, rate] = (["streams", "seconds", "rate"] as const).map((name) =>
    positive(name, values[name])
  );
  const seed = Number(values.seed);
  console.log(
    `load: ${streams} streams at once for ${seconds} s, ${rate} events/s each, on ${
      values.with ?? "dist/callmend"
    }, ` +
      `captures ${values.captures ?? "as by default"}, seed ${seed}`,
  );
  const { with: runtime, captures } = values;
  process.exit(conclude(
    await runLoad({ streams: streams!, seconds: seconds!, rate: rate!, seed, with: runtime, captures }),
  ));
}
