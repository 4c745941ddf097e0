import { fuzzAnswers, fuzzRequests } from "./fuzz.ts";
import process from "node:process";
const [what, count, seed, w, only] = process.argv.slice(2);
process.env.STACK;
const r = await (what === "req" ? fuzzRequests : fuzzAnswers)({
  count: Number(count),
  seed: Number(seed),
  with: w,
  only: only === undefined ? undefined : Number(only),
});
for (const line of [...r.lines, ...r.failures]) console.log(line.slice(0, 700));
process.exit(0);
