/** Calls and their results in a request's history: which belong together, and both as plain text. */
import { isObject } from "../wire/call_piece.ts";
import type { Json } from "../wire/openai.ts";
import { callsOf, isNothing, joinContents, messagesOf, readCall, textOr } from "./body.ts";

/** Results of a call that no message before them has. */
export function orphans(body: Json): ReadonlySet<Json> {
  const ids = new Set<unknown>();
  const lost = new Set<Json>();
  for (const message of messagesOf(body)) {
    for (const call of callsOf(message)) ids.add(call.id);
    if (message.role !== "tool" || textOr(message.tool_call_id, "") === "") continue; // without an id it goes by place
    if (!ids.has(message.tool_call_id)) lost.add(message);
  }
  return lost;
}

/**
 * Gives each call a result right behind its message: one that stands further down is moved up, and where there is
 * none, `stub` makes it.
 */
export function answerAll(body: Json, stub: (id: string) => Json): Json {
  if (!Array.isArray(body.messages)) return body;
  const list: readonly unknown[] = body.messages;
  const moved = new Set<unknown>();
  const out: unknown[] = [];
  let changed = false;
  for (let at = 0; at < list.length; at++) {
    const message = list[at];
    if (moved.has(message)) continue;
    out.push(message);
    const ids = isObject(message) ? callsOf(message).map((call) => readCall(call).id) : [];
    if (ids.length === 0) continue;
    let end = at + 1;
    while (isResult(list[end])) end++;
    const block = list.slice(at + 1, end).filter((each) => !moved.has(each)) as Json[];
    const given = block.map((result) => textOr(result.tool_call_id, ""));
    const nameless = given.filter((id) => id === "").length;
    const missing = ids.filter((id) => !takeOne(given, id)).slice(nameless);
    if (missing.length === 0) continue;
    out.push(...block);
    for (const id of missing) {
      const late = lateResult(list, end, id);
      if (late !== undefined) moved.add(late);
      out.push(late ?? stub(id));
    }
    changed = true;
    at = end - 1;
  }
  return changed ? { ...body, messages: out } : body;
}

/** Takes `id` out of a list, once. */
function takeOne(ids: string[], id: string): boolean {
  const at = id === "" ? -1 : ids.indexOf(id);
  if (at === -1) return false;
  ids.splice(at, 1);
  return true;
}

/** A result that stands behind other messages, but before its call's id is used again. */
function lateResult(list: readonly unknown[], from: number, id: string): Json | undefined {
  for (const message of list.slice(from)) {
    if (!isObject(message)) continue;
    if (callsOf(message).some((call) => call.id === id)) return undefined;
    if (isResult(message) && message.tool_call_id === id) return message;
  }
}

function isResult(message: unknown): message is Json {
  return isObject(message) && message.role === "tool";
}

/** Turns some calls of the history, and their results, into turns of text (the wire copy only). */
export function flatten(body: Json, chosen: (message: Json) => boolean): Json {
  if (!Array.isArray(body.messages)) return body;
  const calls = new Map<string, Json>(); // by id, of the messages that become text
  const out: unknown[] = [];
  let results: unknown; // of the calls of one message: they go up as one message of the user
  let changed = false;
  const settle = () => {
    if (!isNothing(results)) out.push({ role: "user", content: results });
    results = undefined;
  };
  for (const entry of body.messages as readonly unknown[]) {
    const message = entry as Json;
    const call = message?.role === "tool" ? calls.get(textOr(message.tool_call_id, "")) : undefined;
    if (call !== undefined) {
      results = joinContents(results, joinContents(heading(call), message.content));
      changed = true;
      continue;
    }
    if (message?.role === "user" && !isNothing(results)) {
      out.push({ ...message, content: joinContents(results, message.content) });
      results = undefined;
      continue;
    }
    settle();
    const made = typeof message === "object" && message !== null ? callsOf(message) : [];
    if (made.length === 0 || !chosen(message)) {
      for (const each of made) calls.delete(readCall(each).id); // the id is in use again
      out.push(entry);
      continue;
    }
    for (const each of made) calls.set(readCall(each).id, each);
    const names = made.map((each) => readCall(each).name).join(", ");
    const { tool_calls: _, ...rest } = message;
    out.push({ ...rest, content: joinContents(message.content, `Used tools: ${names}`) });
    changed = true;
  }
  settle();
  return changed ? { ...body, messages: out } : body;
}

function heading(call: Json): string {
  const { name, arguments: text } = readCall(call);
  return `Result of ${name} with ${text}:`;
}
