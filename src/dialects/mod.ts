/** The registry of dialects: every way of writing calls that Callmend reads. */
import type { Dialect } from "../parse/dialect.ts";
import { bareJson } from "./bare_json.ts";
import { cwm } from "./cwm.ts";
import { dsml } from "./dsml.ts";
import { functionary2, functionary32 } from "./functionary.ts";
import { gemma } from "./gemma.ts";
import { hermes } from "./hermes.ts";
import { invoke } from "./invoke.ts";
import { nameParameters } from "./name_parameters.ts";
import { pythonic } from "./pythonic.ts";
import { qwen3Coder } from "./qwen3_coder.ts";
import { commandRPlus, react } from "./react.ts";
import { taggedJson } from "./tagged_json.ts";
import { mcpElement, toolElements } from "./tool_elements.ts";

/** All dialects. Those that share an opener are tried in this order. */
export const dialects: readonly Dialect[] = [
  dsml,
  hermes,
  nameParameters,
  qwen3Coder,
  invoke,
  ...taggedJson,
  ...gemma,
  ...pythonic,
  functionary32,
  functionary2,
  react,
  commandRPlus,
  cwm,
  toolElements,
  mcpElement,
  bareJson,
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
