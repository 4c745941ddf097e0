/** Call ids of a history mapped to ones that a model takes, the same in calls and in results. */
import type { Json } from "../wire/openai.ts";
import { callsOf, mapCalls, mapMessages, messagesOf, readCall } from "./body.ts";

/** The ids of a history's calls, in order, with the names that were called; calls without an id are left out. */
export function callIds(body: Json): readonly { id: string; name: string }[] {
  return messagesOf(body).flatMap(callsOf).map(readCall).filter(({ id }) => id !== "");
}

/**
 * Gives each call of the history another id. `rename` is asked once for each call, in order; a result follows the call
 * before it that had its id: of calls that share one, each has a result of its own, in order.
 */
export function renameCalls(body: Json, rename: (id: string, name: string) => string): Json {
  let now = new Map<unknown, string[]>(); // of the calls so far: the new ids by the old one, the next one first
  return mapMessages(body, (message) => {
    if (message.role === "tool") {
      const ids = now.get(message.tool_call_id) ?? [];
      const id = ids.length > 1 ? ids.shift() : ids[0];
      return id === undefined || id === message.tool_call_id ? message : { ...message, tool_call_id: id };
    }
    const here = new Map<unknown, string[]>(); // of this message
    const renamed = mapCalls(message, (call) => {
      const { id, name } = readCall(call);
      if (id === "") return call; // its result goes by its place
      const renamed = rename(id, name);
      here.set(id, [...here.get(id) ?? [], renamed]);
      return renamed === id ? call : { ...call, id: renamed };
    });
    if (here.size > 0) now = new Map([...now, ...here]);
    return renamed;
  });
}

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** Letters and digits that stand for a text, the same each time. */
export function shortHash(text: string, length: number): string {
  // FNV-1a over 64 bits: nothing secret is in an id, and nine characters hold no more.
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  let out = "";
  for (let n = 0; n < length; n++) {
    out += LETTERS[Number(hash % 62n)];
    hash /= 62n;
  }
  return out;
}
