/** Looks for texts that break what has to hold, for as long as it is told: `deno task fuzz --minutes 5 [--seed N]`. */
import fc from "fast-check";
import process from "node:process";
import { parseArgs } from "node:util";
import { createProgress } from "../src/cli/progress.ts";
import { dialects } from "../src/dialects/mod.ts";
import {
  cutOf,
  cuttingNeverShows,
  mixOf,
  soupOf,
  textsOf,
  turnIsSound,
  wholeCallsSayTheSame,
} from "./_soup.ts";

const { values } = parseArgs({
  args: process.argv.slice(2).filter((word) => word !== "--"),
  options: { minutes: { type: "string", default: "5" }, seed: { type: "string" } },
});
const minutes = Number(values.minutes);
if (!(minutes > 0)) {
  console.error(`Cannot use --minutes ${values.minutes}: allowed: a number above 0`);
  process.exit(2);
}
const seed = Number(values.seed ?? Date.now() % 2 ** 31);
const end = Date.now() + minutes * 60_000;

const all = textsOf();
const text = fc.oneof(
  soupOf(all),
  mixOf(all),
  ...dialects.map(({ id }) => textsOf(id)).filter((texts) => texts.length > 0).flatMap((
    texts,
  ) => [soupOf(texts), mixOf(texts)]),
);
let texts = 0;
const property = fc.property(cutOf(text), ([whole, pieces]) => {
  texts++;
  cuttingNeverShows(whole, pieces);
  turnIsSound(whole);
  wholeCallsSayTheSame(whole);
});

console.log(`fuzz: ${dialects.length} dialects, ${minutes} minutes, seed ${seed}`);
const progress = createProgress({ environment: process.env, log: (line) => console.log(line) });
/** After so long it is told how far it is; where lines cannot be updated, every tenth time. */
const SLICE_MS = 2_000;
for (let round = 0; Date.now() < end; round++) {
  const slice = Math.min(SLICE_MS, end - Date.now());
  const result = fc.check(property, {
    seed: seed + round,
    numRuns: 1_000_000_000,
    interruptAfterTimeLimit: slice,
  });
  if (result.failed && result.counterexample !== null) {
    progress.end();
    const [[whole, pieces]] = result.counterexample;
    console.error(`\nFound after ${texts} texts (--seed ${seed + round}):`);
    console.error(`  text   ${JSON.stringify(whole)}\n  pieces ${JSON.stringify(pieces)}`);
    console.error(String(result.errorInstance).split("\n").slice(0, 30).join("\n"));
    process.exit(1);
  }
  const told = `${texts} texts, ${Math.max(0, Math.round((end - Date.now()) / 1000))} s to go`;
  progress.begin(told);
  if (round % 10 === 9) progress.done(told);
}
progress.end();
console.log(`${texts} texts, nothing found`);
