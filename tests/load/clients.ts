/** The clients under load, a process of its own: many lanes, each one stream after the other, every answer checked. */
import http from "node:http";
import process from "node:process";
import { withoutMadeUp } from "../../src/observe/made_up.ts";
import { beginsAs, joined } from "../_joined.ts";
import { type Fate, kinds, normalised, type Order, requestOf, STAMP } from "./mix.ts";
import type { ModelReport } from "./models.ts";
import { createRandom } from "./random.ts";

/** What the process is told, as JSON in its only argument. */
export interface ClientsOptions {
  readonly port: number;
  readonly modelsPort: number;
  readonly streams: number;
  readonly seconds: number;
  readonly intervalMs: number;
  readonly seed: number;
}

/** What it prints at its end, as one line of JSON. */
export interface ClientsReport {
  /** Streams by what was meant to become of them. */
  readonly streams: { readonly [fate: string]: number };
  readonly mostAtOnce: number;
  readonly bytes: number;
  /** How many answers were wrong, by what was wrong with them, and a first example of each. */
  readonly wrong: { readonly [what: string]: number };
  readonly examples: { readonly [what: string]: string };
  readonly latencyMs: { readonly p50: number; readonly p99: number; readonly count: number };
  /** From a hang-up to the end of its request at the model server. */
  readonly hangUpMs: { readonly p99: number; readonly most: number };
}

const options = JSON.parse(process.argv[2]!) as ClientsOptions;
const { port, modelsPort, streams, seconds, intervalMs } = options;
const random = createRandom(options.seed);
const agent = new http.Agent({ keepAlive: true });
const now = (): number => performance.timeOrigin + performance.now();

const counts: { [fate: string]: number } = {};
const wrong: { [what: string]: number } = {};
const examples: { [what: string]: string } = {};
const hungUp = new Map<string, number>();
const latencies: number[] = [];
const right = new Map<string, string>(); // by kind, what its request gets when it is alone
let [serial, atOnce, mostAtOnce, bytes, offset] = [0, 0, 0, 0, 0];

/** An answer that has not ended so long after it should have is a hang. */
const PATIENCE_MS = 30_000;
const hung = new Set<string>();

/** A stream as it was received. */
interface Received {
  readonly status: number;
  readonly text: string;
  /** HTTP says that it is not whole. */
  readonly broken: boolean;
}

/** Asks for `order`; `hangUpAfter` bytes it goes away. */
function receive(order: Order, hangUpAfter = Infinity): Promise<Received> {
  const { promise, resolve } = Promise.withResolvers<Received>();
  const { pieces: all, perTick } = kinds.find(({ name }) => name === order.kind)!;
  const limit = setTimeout(() => {
    hung.add(order.name);
    request.destroy(new Error("hung"));
  }, PATIENCE_MS + 4 * order.intervalMs * all.length / perTick);
  const path = "/v1/chat/completions";
  const headers = { "content-type": "application/json" };
  const request = http.request({ host: "127.0.0.1", port, path, method: "POST", agent, headers });
  request.on("close", () => clearTimeout(limit));
  request.on("error", (error) => resolve({ status: 0, text: String(error), broken: true }));
  request.on("response", (response) => {
    const pieces: string[] = [];
    let size = 0;
    response.setEncoding("utf8").on("data", (text: string) => {
      const time = now();
      pieces.push(text);
      size += text.length;
      note(text, order, time);
      if (order.fate === "slow") {
        response.pause();
        setTimeout(() => response.resume(), 1.5 * order.intervalMs / perTick);
      }
      if (size < hangUpAfter) return;
      hungUp.set(order.name, now());
      request.destroy();
    }).on("error", () => {}).on("close", () => {
      bytes += size;
      resolve({ status: response.statusCode ?? 0, text: pieces.join(""), broken: !response.complete });
    });
  });
  request.end(requestOf(order));
  return promise;
}

/** Takes down how long each piece was under way. */
function note(text: string, { fate, intervalMs }: Order, time: number): void {
  if (fate === "slow" || intervalMs === 0) return;
  for (let at = text.indexOf("t="); at !== -1; at = text.indexOf("t=", at + 2)) {
    const sent = Number(text.slice(at + 2, at + 17));
    if (text[at + 17] === ";" && sent > 0) latencies.push(time - sent - offset);
  }
}

function same(text: string, name: string): string {
  return withoutMadeUp(normalised(text, name));
}

/** What is wrong with an answer; undefined when nothing is. */
function fault({ name, kind, fate }: Order, { status, text, broken }: Received): string | undefined {
  if (hung.has(name)) return "no end";
  if (fate === "hang-up") return undefined;
  const { stream } = kinds.find((each) => each.name === kind)!;
  const expected = right.get(kind)!;
  const shown = same(text, name);
  if (fate === "whole" || fate === "slow") {
    if (status !== 200) return `status ${status} instead of an answer`;
    if (broken) return "answer broken off";
    return says(shown, expected) ? undefined : "another answer than alone";
  }
  if (!stream) {
    return status === 502 || status === 504 ? undefined : `status ${status} for a broken JSON answer`;
  }
  if (status !== 200) return `status ${status} in the middle of a stream`;
  const told = shown.indexOf('data: {"error"');
  if (told === -1) return "upstream broke off, and no error was told";
  if (text.includes("data: [DONE]")) return "upstream broke off, and the stream ended as if whole";
  return beginsAs(joined(shown.slice(0, told)), joined(expected))
    ? undefined
    : "another answer than alone before the break";
}

/** Whether two answers say the same; what came in one read decides how finely they are cut. */
function says(text: string, expected: string): boolean {
  return text === expected || JSON.stringify(joined(text)) === JSON.stringify(joined(expected));
}

/** Where two texts begin to differ. */
function difference(text: string, expected: string): string {
  let at = 0;
  while (at < text.length && text[at] === expected[at]) at++;
  const near = (of: string) => JSON.stringify(of.slice(Math.max(0, at - 60), at + 160));
  return `at ${at} of ${text.length} (right: ${expected.length}): ${near(text)} instead of ${near(expected)}`;
}

async function one(): Promise<void> {
  const name = String(++serial).padStart(6, "0");
  const dice = random() * 100;
  const fate: Fate = dice < 10
    ? "slow"
    : dice < 20
    ? "hang-up"
    : dice < 22.5
    ? "cut"
    : dice < 25
    ? "stall"
    : "whole";
  const kind = kinds[serial % kinds.length]!;
  const order: Order = { name, kind: kind.name, fate, intervalMs, torn: random() < 0.25 };
  counts[fate] = (counts[fate] ?? 0) + 1;
  mostAtOnce = Math.max(mostAtOnce, ++atOnce);
  const received = await receive(
    order,
    fate === "hang-up" ? 1 + random() * right.get(kind.name)!.length : Infinity,
  );
  atOnce--;
  const what = fault(order, received);
  if (what === undefined) return;
  const named = `${what} (${kind.name}, ${fate})`;
  wrong[named] = (wrong[named] ?? 0) + 1;
  examples[named] ??= `${name}: ${difference(same(received.text, name), right.get(kind.name)!)}`;
}

async function fromModels<Value>(path: string): Promise<Value> {
  return await (await fetch(`http://127.0.0.1:${modelsPort}${path}`)).json() as Value;
}

/** How far the model server's clock is ahead: the quickest of some questions knows best. */
async function clockOffset(): Promise<number> {
  let best = { took: Infinity, ahead: 0 };
  for (let n = 0; n < 30; n++) {
    const begun = now();
    const theirs = await fromModels<number>("/clock");
    const took = now() - begun;
    if (took < best.took) best = { took, ahead: theirs - begun - took / 2 };
  }
  return -best.ahead;
}

/** What each request gets alone; asked twice, it must get the same. */
async function learn(): Promise<void> {
  for (const { name: kind } of kinds) {
    for (const name of ["000001", "000002"]) {
      const order: Order = { name, kind, fate: "whole", intervalMs: 0, torn: false };
      const { status, text } = await receive(order);
      const shown = same(text, name);
      if (status !== 200) throw new Error(`${kind}: ${status} ${text}`);
      if (!says(shown, right.get(kind) ?? shown)) {
        throw new Error(`${kind}: ${difference(shown, right.get(kind)!)}`);
      }
      right.set(kind, shown);
    }
    const held = right.get(kind)!;
    if (!held.includes(STAMP) && !/long|json/.test(kind)) throw new Error(`${kind}: no stamps in ${held}`);
    if (
      kinds.find((each) => each.name === kind)!.tools && !/"tool_calls"/.test(held) &&
      kind !== "prose with tools"
    ) {
      throw new Error(`${kind}: no call in ${held}`);
    }
  }
}

offset = await clockOffset();
await learn();
console.log("ready");
await new Promise((resolve) => setTimeout(resolve, 1_500)); // memory is read meanwhile
const begun = Date.now();
const spread = Math.min(1_000, seconds * 200); // they do not all begin in the same moment
await Promise.all(Array.from({ length: streams }, async (_, n) => {
  await new Promise((resolve) => setTimeout(resolve, n * spread / streams));
  while (Date.now() - begun < seconds * 1_000) await one();
}));
console.log("over");
agent.destroy();
await new Promise((resolve) => setTimeout(resolve, 1_100));
const { closed } = await fromModels<ModelReport>("/control");
const took = [...hungUp].flatMap(([name, time]) =>
  closed[name] === undefined ? [] : closed[name] + offset - time
)
  .sort((a, b) => a - b);
latencies.sort((a, b) => a - b);
const at = (values: readonly number[], part: number) => values[Math.floor(values.length * part)] ?? 0;
const report: ClientsReport = {
  streams: counts,
  mostAtOnce,
  bytes,
  wrong,
  examples,
  latencyMs: { p50: at(latencies, 0.5), p99: at(latencies, 0.99), count: latencies.length },
  hangUpMs: { p99: at(took, 0.99), most: took.at(-1) ?? 0 },
};
console.log(JSON.stringify(report));
