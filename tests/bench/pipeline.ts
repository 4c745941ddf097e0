/** CPU time of the pipeline, without sockets, against two floors measured in the same run. Run: `deno task bench`. */
import process from "node:process";
import { createProgress } from "../../src/cli/progress.ts";
import { dialects } from "../../src/dialects/mod.ts";
import { type Fetch, repair } from "../../src/repair.ts";
import { parseBothWays, through } from "./floor.ts";
import { eventsOf, fileOf, hermes, type Sample, samples, tools } from "./streams.ts";

const ROUNDS = 9;
const encoder = new TextEncoder();

/** One way to handle an answer. */
interface Way {
  readonly name: string;
  /** `only` is the dialect that the answer is in. */
  readonly fetch: (next: Fetch, only: string) => Fetch;
}

const ways: readonly Way[] = [
  {
    name: "bytes through JavaScript",
    fetch: (next) => async (request) => through(await next(request), (bytes) => bytes),
  },
  {
    name: "eventsource-parser + JSON both ways",
    fetch: (next) => async (request) => through(await next(request), parseBothWays()),
  },
  {
    name: "callmend, one dialect live",
    fetch: (next, only) => repair(next, { dialects: [{ models: "*", dialects: [only] }] }),
  },
  { name: "callmend, all live", fetch: (next) => repair(next) },
];

/** Milliseconds of CPU for one request and its answer, in reads of `perRead` events. */
async function once(
  way: Way,
  sample: Sample,
  reads: readonly Uint8Array[],
  withTools: boolean,
): Promise<number> {
  let at = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at === reads.length) controller.close();
      else controller.enqueue(reads[at++]!);
    },
  }, { highWaterMark: 0 });
  const next: Fetch = () =>
    Promise.resolve(new Response(body, { headers: { "content-type": "text/event-stream" } }));
  const request = new Request("http://bench/v1/chat/completions", {
    method: "POST",
    body: JSON.stringify({ model: "bench", stream: true, messages: [], ...(withTools ? { tools } : {}) }),
  });
  const fetch = way.fetch(next, dialects.some(({ id }) => id === sample.name) ? sample.name : "hermes");
  const start = performance.now();
  const reader = (await fetch(request)).body!.getReader();
  while (!(await reader.read()).done);
  return performance.now() - start;
}

function readsOf(events: readonly string[], perRead: number): Uint8Array[] {
  const reads: Uint8Array[] = [];
  for (let at = 0; at < events.length; at += perRead) {
    reads.push(encoder.encode(events.slice(at, at + perRead).join("")));
  }
  return reads;
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;
const ratio = (value: number, floor: number): string => `${(value / floor).toFixed(2)}×`;

/** Rounds of all ways, interleaved, so that what else the machine does strikes all alike. */
async function measure(sample: Sample, perRead: number, withTools: boolean): Promise<number[]> {
  const reads = readsOf(eventsOf(sample), perRead);
  const times = ways.map(() => [] as number[]);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [n, way] of ways.entries()) {
      let spent = 0;
      for (let k = 0; k < 20; k++) spent += await once(way, sample, reads, withTools);
      if (round > 1) times[n]!.push(spent); // the first rounds warm up
    }
  }
  return times.map(median);
}

console.log(
  `${"Deno" in globalThis ? "Deno" : "Bun"}, ${dialects.length} dialects; in memory, medians of ${
    ROUNDS - 2
  } interleaved rounds`,
);
const progress = createProgress({ environment: process.env, log: () => {} });
for (const [form, perRead] of [["burst: 500 events a read", 500], ["each: one event a read", 1]] as const) {
  console.log(`\n${form}`);
  for (
    const [sample, withTools] of [
      [samples[0]!, false],
      ...samples.map((each) => [each, true] as const),
    ] as const
  ) {
    progress.begin(withTools ? sample.name : "prose, no tools");
    const [bytes, parse, single, all] = await measure(sample, perRead, withTools);
    progress.end();
    console.log(
      `  ${(withTools ? sample.name : "prose, no tools").padEnd(16)} bytes ${
        ratio(all!, bytes!).padStart(7)
      }` +
        `   parse floor ${ratio(all!, parse!).padStart(6)}   all live / one live ${
          ratio(all!, single!).padStart(6)
        }`,
    );
  }
}

console.log("\ngrowth: one Hermes call, cost per character against the one of 1 KB");
const costs: number[] = [];
for (const size of [1_000, 10_000, 100_000, 1_000_000, 10_000_000]) {
  progress.begin(`${size} characters`);
  const sample: Sample = { name: "hermes", text: hermes(fileOf(size)), calls: true };
  const reads = readsOf(eventsOf(sample, size > 1_000_000 ? 16 : 4), 100);
  const runs = Math.max(1, Math.floor(400_000 / size));
  const spent: number[] = [];
  for (let round = 0; round < 3; round++) {
    let total = 0;
    for (let k = 0; k < runs; k++) total += await once(ways[3]!, sample, reads, true);
    spent.push(total / runs / reads.length);
  }
  costs.push(Math.min(...spent));
  progress.end();
  console.log(`  ${String(size).padStart(9)} characters: ${ratio(costs.at(-1)!, costs[0]!)}`);
}
const linear = Math.max(...costs.slice(1)) < 2 * costs[1]!;
console.log(linear ? "linear: yes" : "linear: NO");
if (!linear) throw new Error("the cost per character grows with the length of the arguments");
