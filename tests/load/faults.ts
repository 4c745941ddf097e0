/**
 * `deno task faults`: large bodies and headers, clients that drip, malformed requests and answers, and a kill under
 * load; prints what came of each, and fails when one of them crashed, hung or was answered with a fault of Callmend's.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { largeBodies, largeHeaders, stoppedReader } from "./bodies.ts";
import { killed, slowloris } from "./connections.ts";
import { fuzzAnswers, fuzzRequests } from "./fuzz.ts";
import { conclude, type LoadReport, positive } from "./load.ts";

/** How much of each. */
export interface FaultsOptions {
  readonly with?: string | undefined;
  readonly seed: number;
  readonly malformed: number;
  readonly mebibytes: number;
  readonly connections: number;
  readonly streams: number;
  /** Only this malformed request and answer. */
  readonly only?: number | undefined;
}

/** The parts, by name. */
const PARTS: { readonly [name: string]: (options: FaultsOptions) => Promise<LoadReport> } = {
  bodies: (options) => largeBodies({ ...options, atOnce: 4 }),
  headers: largeHeaders,
  reader: stoppedReader,
  slowloris: (options) => slowloris(options.with, options.connections),
  requests: (options) => fuzzRequests({ ...options, count: options.malformed }),
  answers: (options) => fuzzAnswers({ ...options, count: options.malformed }),
  kill: (options) => killed(options.with, options.streams),
};

/** Runs some parts one after the other, all when none is named; `tell` hears of each as soon as it is over. */
export async function runFaults(
  options: FaultsOptions,
  names: readonly string[] = Object.keys(PARTS),
  tell: (lines: readonly string[]) => void = () => {},
): Promise<LoadReport> {
  const reports: LoadReport[] = [];
  for (const name of names) {
    const report = await PARTS[name]!(options).catch((error): LoadReport => ({
      lines: [],
      failures: [`${name}: ${error instanceof Error ? error.stack : error}`],
    }));
    tell(report.lines);
    reports.push(report);
  }
  return {
    lines: reports.flatMap(({ lines }) => lines),
    failures: reports.flatMap(({ failures }) => failures),
  };
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    args: process.argv.slice(2).filter((word) => word !== "--"),
    allowPositionals: true,
    options: {
      with: { type: "string" },
      seed: { type: "string", default: String(Date.now() % 2 ** 31) },
      malformed: { type: "string", default: "10000" },
      only: { type: "string" },
    },
  });
  const unknown = positionals.find((name) => !Object.hasOwn(PARTS, name));
  if (unknown !== undefined) {
    console.error(`Cannot use ${unknown}: allowed: ${Object.keys(PARTS).join(", ")}`);
    process.exit(2);
  }
  const seed = Number(values.seed);
  const malformed = positive("malformed", values.malformed);
  console.log(`faults: on ${values.with ?? "dist/callmend"}, seed ${seed}`);
  const options = { with: values.with, seed, malformed, mebibytes: 64, connections: 100, streams: 100 };
  const only = values.only === undefined ? undefined : Number(values.only);
  const names = positionals.length === 0 ? undefined : positionals;
  const report = await runFaults(
    { ...options, only },
    names,
    (lines) => lines.forEach((line) => console.log(line)),
  );
  process.exit(conclude({ ...report, lines: [] }));
}
