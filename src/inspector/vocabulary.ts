/** What the page needs to explain what it shows: problems, fixes and dialects in words, and texts to try. */
import { bridges } from "../bridge/mod.ts";
import { dialects } from "../dialects/mod.ts";
import { fixes } from "../fixes/mod.ts";
import { version } from "../version.ts";
import { examples } from "./examples.ts";
import { problemWords } from "./words.ts";

export const vocabulary = {
  version,
  problems: problemWords,
  fixes: Object.fromEntries(fixes.map(({ id, why, ref }) => [id, { why, ref }])),
  dialects: dialects.map(({ id, models }) => ({ id, models })),
  protocols: bridges.map(({ id }) => id),
  examples,
};
