/** The registry of dialects: every way of writing calls that Callmend reads. */
import type { Dialect } from "../parse/dialect.ts";
import { atem } from "./atem.ts";
import { bareJson } from "./bare_json.ts";
import { cofl, cohere, commandR } from "./cohere.ts";
import { cwm } from "./cwm.ts";
import { deepseek } from "./deepseek.ts";
import { dsml } from "./dsml.ts";
import { elementDialects, minicpm5 } from "./element_rows.ts";
import { functionary2, functionary32 } from "./functionary.ts";
import { gemma } from "./gemma.ts";
import { harmony } from "./harmony.ts";
import { hermes } from "./hermes.ts";
import { inkling } from "./inkling.ts";
import { invoke } from "./invoke.ts";
import { keyValueDialects } from "./key_value_rows.ts";
import { kimi } from "./kimi.ts";
import { kimiK3 } from "./kimi_k3.ts";
import { minimaxM3 } from "./minimax_m3.ts";
import { mistral, mistralList } from "./mistral.ts";
import { anthropic2023, nameParameters } from "./name_parameters.ts";
import { plamo } from "./plamo.ts";
import { pythonic } from "./pythonic.ts";
import { qwen3Coder } from "./qwen3_coder.ts";
import { react } from "./react.ts";
import { stepAudio2 } from "./step_audio_2.ts";
import { taggedJson } from "./tagged_json.ts";
import { tokenJson } from "./token_json.ts";
import { mcpElement, toolElements } from "./tool_elements.ts";
import { yaml } from "./yaml.ts";

/** All dialects. Those that share an opener are tried in this order. */
export const dialects: readonly Dialect[] = [
  dsml,
  hermes,
  nameParameters,
  invoke,
  qwen3Coder,
  ...elementDialects,
  anthropic2023,
  minicpm5,
  minimaxM3,
  atem,
  ...keyValueDialects,
  stepAudio2,
  yaml,
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
  ...taggedJson,
  ...gemma,
  ...pythonic,
  functionary32,
  functionary2,
  react,
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
