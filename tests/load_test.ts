/** Short runs of `deno task load` and `deno task faults`, from sources: what they check has to hold on every change. */
import assert from "node:assert/strict";
import process from "node:process";
import { ownRuntime } from "./load/callmend.ts";
import { runFaults } from "./load/faults.ts";
import { type LoadReport, runLoad } from "./load/load.ts";
import { slopeOf } from "./load/soak.ts";
import { test } from "./_test.ts";

/** A failure can be repeated: `SEED=… deno test -A tests/load_test.ts`. */
const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31);

function holds({ lines, failures }: LoadReport): void {
  assert.deepEqual(failures, [], `seed ${seed}\n${lines.join("\n")}`);
}

// Memory and sockets are read from /proc.
const there = process.platform === "linux";

test("under load each stream gets what it gets alone, and nothing is left open", async () => {
  if (!there) return;
  holds(await runLoad({ streams: 50, seconds: 2, rate: 100, seed, with: ownRuntime }));
});

const options = { with: ownRuntime, seed, malformed: 300, mebibytes: 4, connections: 10, streams: 30 };

test(
  "malformed requests and answers crash nothing, hang nothing, and are no fault of Callmend's",
  async () => {
    if (!there) return;
    holds(await runFaults(options, ["requests", "answers"]));
  },
);

test("large bodies and headers, clients that drip or do not read, and a kill under load", async () => {
  if (!there) return;
  holds(await runFaults(options, ["bodies", "headers", "reader", "slowloris", "kill"]));
});

test("a straight line through memory: its slope", () => {
  const line = (slope: number) =>
    Array.from({ length: 10 }, (_, n) => ({ seconds: n, memoryMiB: 50 + n * slope }));
  for (const slope of [0, 0.5, -2]) assert.ok(Math.abs(slopeOf(line(slope)) - slope) < 1e-9);
});
