/** Call ids of a history mapped to ones that a model takes, the same in calls and in results. */
import type { Json } from "../wire/openai.ts";
import { callsOf, mapCalls, mapMessages, messagesOf, readCall } from "./body.ts";

/** The ids of a history's calls, in order, with the names that were called. */
export function callIds(body: Json): readonly { id: string; name: string }[] {
  return messagesOf(body).flatMap(callsOf).map(readCall);
}

/**
 * Gives each call of the history another id. `rename` is asked once for each call, in order; a result follows the last
 * call before it that had its id.
 */
export function renameCalls(body: Json, rename: (id: string, name: string) => string): Json {
  const now = new Map<unknown, string>(); // of the calls so far: the new id by the old one
  return mapMessages(body, (message) => {
    if (message.role === "tool") {
      const id = now.get(message.tool_call_id);
      return id === undefined || id === message.tool_call_id ? message : { ...message, tool_call_id: id };
    }
    return mapCalls(message, (call) => {
      const { id, name } = readCall(call);
      const renamed = rename(id, name);
      if (call.id !== undefined) now.set(call.id, renamed);
      return renamed === call.id ? call : { ...call, id: renamed };
    });
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
