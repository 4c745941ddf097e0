/** Mistral's models: Codestral, Devstral, Magistral and the others, by API or by their own templates. */
import { isObject } from "../wire/call_piece.ts";
import type { Delta, Json, ToolCallDelta } from "../wire/openai.ts";
import { joinContents, mapFunctions, textOr, withField, without } from "./body.ts";
import { callIds, renameCalls, shortHash } from "./call_ids.ts";
import type { Fix } from "./fix.ts";
import { at, isMistral } from "./models.ts";
import { deltaStage } from "./stages.ts";

export const mistralStrict: Fix = {
  id: "mistral/strict",
  why: "`strict: null` is refused, and nexos.ai puts it where there is no `strict`: it becomes `false`.",
  ref: "nexos known-bugs/codestral-strict-null",
  symptoms: ["D12"],
  applies: isMistral,
  request: (body) =>
    mapFunctions(body, (called) => called.strict == null ? withField(called, "strict", false) : called),
};

export const mistralSameRole: Fix = {
  id: "mistral/same-role",
  why: "Roles have to alternate: neighbours of one role become one message.",
  ref: "vllm-project/vllm#6862, charmbracelet/crush#279",
  symptoms: ["D4"],
  applies: isMistral,
  request(body) {
    if (!Array.isArray(body.messages)) return body;
    const out: unknown[] = [];
    for (const message of body.messages as readonly unknown[]) {
      const before = out.at(-1);
      const joined = isObject(before) && isObject(message) ? together(before, message) : undefined;
      if (joined === undefined) out.push(message);
      else out[out.length - 1] = joined;
    }
    return out.length === body.messages.length ? body : { ...body, messages: out };
  },
};

export const mistralAfterTool: Fix = {
  id: "mistral/after-tool",
  why:
    "A message of the user right behind a tool's result is refused: a short turn of the assistant goes between.",
  ref: "mistralai/mistral-common#169, NousResearch/hermes-agent#20154",
  symptoms: ["D3"],
  native: true,
  applies: isMistral,
  request(body) {
    if (!Array.isArray(body.messages)) return body;
    const list: readonly unknown[] = body.messages;
    const roleAt = (n: number) => isObject(list[n]) ? (list[n] as Json).role : undefined;
    const out = list.flatMap((message, n) => {
      const between = roleAt(n - 1) === "tool" && (roleAt(n) === "user" || roleAt(n) === "system");
      return between ? [{ role: "assistant", content: "Done." }, message] : [message];
    });
    return out.length === list.length ? body : { ...body, messages: out };
  },
};

export const mistralCallIds: Fix = {
  id: "mistral/call-ids",
  why:
    "Call ids have to be nine letters or digits: others are mapped, the same each time, and back in the answer.",
  ref: "anomalyco/opencode#1680, jundot/omlx#1997, karthink/gptel#1203",
  symptoms: ["D5"],
  applies: isMistral,
  request: (body) => renameCalls(body, shortIds(body)),
  response({ asked }) {
    const back = new Map<unknown, string>();
    const rename = shortIds(asked);
    for (const { id } of callIds(asked)) if (rename(id) !== id) back.set(rename(id), id);
    if (back.size === 0) return undefined;
    return deltaStage((delta) => withIds(delta, (id) => back.get(id)));
  },
};

export const mistralParameters: Fix = {
  id: "mistral/parameters",
  why:
    "Mistral's API refuses `max_completion_tokens` and `store`, whatever gateway leads there: the one becomes " +
    "`max_tokens`, the other goes.",
  ref: "pi's compat table (aliou/pi-neuralwatt#12), QuantumNous/new-api#2763",
  symptoms: ["D13"],
  applies: (target) => isMistral(target) || at("mistral.ai")(target),
  request(body) {
    const limit = body.max_tokens ?? body.max_completion_tokens;
    const rest = without(body, "max_completion_tokens", "store");
    return rest === body || limit === undefined ? rest : withField(rest, "max_tokens", limit);
  },
};

const GOOD_ID = /^[a-zA-Z0-9]{9}$/;

/** A good id for each id of a history; no two get the same. */
function shortIds(body: Json): (id: string) => string {
  const ids = callIds(body).map(({ id }) => id);
  const taken = new Set(ids.filter((id) => GOOD_ID.test(id)));
  const short = new Map<string, string>();
  for (const id of ids) {
    if (GOOD_ID.test(id) || short.has(id)) continue;
    let made = shortHash(id, 9);
    for (let salt = 1; taken.has(made); salt++) made = shortHash(`${id} ${salt}`, 9);
    taken.add(made);
    short.set(id, made);
  }
  return (id) => short.get(id) ?? id;
}

function withIds(delta: Delta, idOf: (id: unknown) => string | undefined): Delta {
  if (!Array.isArray(delta.tool_calls)) return delta;
  let same = true;
  const calls = delta.tool_calls.map((call) => {
    const id = isObject(call) ? idOf(call.id) : undefined;
    same &&= id === undefined;
    return id === undefined ? call : { ...call, id } as ToolCallDelta;
  });
  return same ? delta : { ...delta, tool_calls: calls };
}

/** Two neighbours as one message; undefined when they have to stay two. */
function together(first: Json, second: Json): Json | undefined {
  const { role } = first;
  if (role !== second.role || (role !== "user" && role !== "assistant" && role !== "system")) {
    return undefined;
  }
  if (textOr(first.name, "") !== textOr(second.name, "")) return undefined;
  const calls = [first.tool_calls, second.tool_calls].filter(Array.isArray).flat();
  return {
    ...first,
    ...second,
    content: joinContents(first.content, second.content) ?? null,
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
}
