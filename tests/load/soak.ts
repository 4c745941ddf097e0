/** `deno task soak`: a steady mixed load for as long as it is told; memory has to be flat in the second half. */
import process from "node:process";
import { parseArgs } from "node:util";
import { ask } from "../_servers.ts";
import { faultLines, figuresOf, isAlive, memoryOf, settledSockets, startCallmend } from "./callmend.ts";
import {
  askModels,
  conclude,
  type LoadReport,
  modelServer,
  positive,
  runClients,
  serveArguments,
} from "./load.ts";

/** What is run. */
export interface SoakOptions {
  readonly minutes: number;
  readonly streams: number;
  readonly seed: number;
  readonly with?: string | undefined;
}

/** What was seen at one moment. */
interface Sample {
  readonly seconds: number;
  readonly memoryMiB: number;
}

/** Memory may grow so much over the second half: a part of its mean, or so many MiB, whichever is more. */
const FLAT = { part: 0.05, mebibytes: 8 };

/** The growth per second of a straight line through the samples (least squares). */
export function slopeOf(samples: readonly Sample[]): number {
  const mean = (of: (sample: Sample) => number) =>
    samples.reduce((sum, sample) => sum + of(sample), 0) / samples.length;
  const [time, memory] = [mean(({ seconds }) => seconds), mean(({ memoryMiB }) => memoryMiB)];
  const spread = samples.reduce((sum, { seconds }) => sum + (seconds - time) ** 2, 0);
  const both = samples.reduce(
    (sum, { seconds, memoryMiB }) => sum + (seconds - time) * (memoryMiB - memory),
    0,
  );
  return spread === 0 ? 0 : both / spread;
}

/** What /metrics says under a name, all labels together. */
async function metric(port: number, name: string): Promise<number> {
  const text = (await ask(port, "/metrics")).body.toString();
  const values = [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, "gm"))];
  return values.reduce((sum, [, value]) => sum + Number(value), 0);
}

/** One run; `tell` hears of each minute. */
export async function runSoak(options: SoakOptions, tell: (line: string) => void): Promise<LoadReport> {
  const { minutes, streams, seed } = options;
  const seconds = minutes * 60;
  await using models = modelServer();
  const modelsPort = await models.port();
  // A line of the log for each exchange would fill the memory of whoever reads them.
  const quiet = ["--log-level", "error"];
  await using callmend = startCallmend(options.with, [...serveArguments(modelsPort, seconds), ...quiet]);
  const [port, { pid }] = [await callmend.port(), callmend];
  const idle = figuresOf(pid);
  const begun = Date.now();
  const elapsed = () => (Date.now() - begun) / 1000;
  const samples: Sample[] = [];
  const sampling = setInterval(() => samples.push({ seconds: elapsed(), memoryMiB: memoryOf(pid) }), 1_000);
  const telling = setInterval(async () => {
    const { memoryMiB, cpuSeconds, descriptors } = figuresOf(pid);
    const [own, open] = [
      await metric(port, "process_resident_memory_bytes"),
      await metric(port, "callmend_streams_open"),
    ];
    tell(
      `${(elapsed() / 60).toFixed(1)} min: ${memoryMiB.toFixed(1)} MiB (/metrics: ${
        (own / 2 ** 20).toFixed(1)
      }), ` +
        `${open} streams and ${descriptors} descriptors open, CPU ${cpuSeconds.toFixed(0)} s`,
    );
  }, Math.min(60, seconds / 3) * 1_000);
  const told = await runClients(
    { port, modelsPort, streams, seconds, seed, intervalMs: 50 },
    () => {},
    () => {
      clearInterval(sampling);
      clearInterval(telling);
    },
  ).finally(() => {
    clearInterval(sampling);
    clearInterval(telling);
  });
  const sockets = await settledSockets(pid, idle.sockets);
  const { open } = await askModels(modelsPort);
  const streamsOpen = await metric(port, "callmend_streams_open");
  const half = samples.filter((sample) => sample.seconds >= seconds / 2 && sample.seconds <= seconds);
  const mean = half.reduce((sum, { memoryMiB }) => sum + memoryMiB, 0) / half.length;
  const growth = slopeOf(half) * seconds / 2;
  const most = Math.max(FLAT.part * mean, FLAT.mebibytes);
  const wrong = Object.entries(told.wrong);
  const descriptors = figuresOf(pid).descriptors;
  return {
    lines: [
      `second half: ${mean.toFixed(1)} MiB on average, ${growth >= 0 ? "+" : ""}${
        growth.toFixed(1)
      } MiB over it (at most ${most.toFixed(1)})`,
      `streams: ${
        Object.values(told.streams).reduce((sum, each) => sum + each, 0)
      }, wrong ${wrong.length}; ` +
      `left open: ${streamsOpen} streams, ${sockets - idle.sockets} sockets, ${
        descriptors - idle.descriptors
      } descriptors, ` +
      `${open.length} upstream requests`,
    ],
    failures: [
      ...(growth > most ? [`memory grew by ${growth.toFixed(1)} MiB in the second half`] : []),
      ...wrong.map(([what, count]) => `${count} × ${what}: ${told.examples[what]}`),
      ...(streamsOpen === 0 ? [] : [`callmend_streams_open is ${streamsOpen} at the end`]),
      ...(sockets > idle.sockets ? [`${sockets - idle.sockets} sockets left open`] : []),
      ...(descriptors > idle.descriptors + SPARE
        ? [`${descriptors - idle.descriptors} descriptors left open`]
        : []),
      ...(open.length > 0 ? [`upstream requests left open: ${open.slice(0, 5).join(", ")}`] : []),
      ...faultLines(callmend.err()).slice(0, 5).map((line) => `in the log: ${line.slice(0, 500)}`),
      ...(isAlive(pid) ? [] : ["Callmend has ended"]),
    ],
  };
}

/** Descriptors that a runtime opens once, for its own purposes. */
const SPARE = 8;

if (import.meta.main) {
  const { values } = parseArgs({
    args: process.argv.slice(2).filter((word) => word !== "--"),
    options: {
      minutes: { type: "string", default: "30" },
      streams: { type: "string", default: "100" },
      seed: { type: "string", default: String(Date.now() % 2 ** 31) },
      with: { type: "string" },
    },
  });
  const [minutes, streams] = [positive("minutes", values.minutes), positive("streams", values.streams)];
  const seed = Number(values.seed);
  console.log(
    `soak: ${streams} streams at once for ${minutes} minutes, on ${
      values.with ?? "dist/callmend"
    }, seed ${seed}`,
  );
  process.exit(
    conclude(await runSoak({ minutes, streams, seed, with: values.with }, (line) => console.log(line))),
  );
}
