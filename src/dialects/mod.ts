/** The registry of dialects: every way of writing calls that Callmend reads. */
import type { Dialect } from "../parse/dialect.ts";
import { cofl, cohere, commandR } from "./cohere.ts";
import { deepseek } from "./deepseek.ts";
import { dsml } from "./dsml.ts";
import { harmony } from "./harmony.ts";
import { hermes } from "./hermes.ts";
import { inkling } from "./inkling.ts";
import { invoke } from "./invoke.ts";
import { kimi } from "./kimi.ts";
import { kimiK3 } from "./kimi_k3.ts";
import { mistral, mistralList } from "./mistral.ts";
import { nameParameters } from "./name_parameters.ts";
import { plamo } from "./plamo.ts";
import { qwen3Coder } from "./qwen3_coder.ts";
import { tokenJson } from "./token_json.ts";

/** All dialects. Those that share an opener are tried in this order. */
export const dialects: readonly Dialect[] = [
  dsml,
  hermes,
  nameParameters,
  qwen3Coder,
  invoke,
  deepseek,
  kimi,
  kimiK3,
  mistralList,
  mistral,
  harmony,
  cohere,
  cofl,
  commandR,
  plamo,
  inkling,
  ...tokenJson,
];

const narrowed = new Map<string, readonly Dialect[]>();

/** The dialects with these ids, in this order; all of them when none is named. Unknown ids are passed over. */
export function liveDialects(ids: readonly string[] | undefined): readonly Dialect[] {
  if (ids === undefined) return dialects;
  const key = ids.join();
  let live = narrowed.get(key);
  if (live === undefined) {
    live = ids.flatMap((id) => dialects.filter((dialect) => dialect.id === id));
    narrowed.set(key, live);
  }
  return live;
}
