/** The request of a chat completion, as far as the way back needs it. */
import type { Schema, Tool } from "../parse/dialect.ts";
import { parse } from "./answer.ts";
import { isObject } from "./call_piece.ts";
import type { Json } from "./openai.ts";
import { concat } from "./upstream_body.ts";

/** What a request asks for. */
export interface ChatRequest {
  readonly model: string;
  readonly stream: boolean;
  /** How many choices. */
  readonly choices: number;
  /** The tools that may be called: none with `tool_choice: "none"`. */
  readonly tools: readonly Tool[];
  /** The whole body. */
  readonly body: Json;
}

/** Whether a request is Callmend's business at all (rule 1). */
export function isChatCompletion(request: Pick<Request, "method" | "url">): boolean {
  return request.method === "POST" && /\/chat\/completions\/*$/.test(new URL(request.url).pathname);
}

/** The body of a request; undefined when it is larger than `limit`. */
export async function readBody(
  request: Request,
  limit: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (Number(request.headers.get("content-length") ?? 0) > limit) return undefined;
  if (request.body === null) return new Uint8Array();
  const reader = request.body.getReader();
  const pieces: Uint8Array[] = [];
  let size = 0;
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    pieces.push(read.value);
    size += read.value.length;
    if (size <= limit) continue;
    reader.cancel().catch(() => {}); // refused: how the rest fares does not matter
    return undefined;
  }
  return concat(pieces, size);
}

/** What a body asks for; undefined when it is no JSON object: then the upstream answers it. */
export function readChatRequest(bytes: Uint8Array): ChatRequest | undefined {
  const body = parse(new TextDecoder().decode(bytes));
  if (!isObject(body)) return undefined;
  const list: readonly unknown[] = Array.isArray(body.tools) ? body.tools : [];
  return {
    model: typeof body.model === "string" ? body.model : "",
    stream: body.stream === true,
    choices: typeof body.n === "number" && body.n > 1 ? body.n : 1,
    tools: body.tool_choice === "none" ? [] : list.flatMap(readTool),
    body,
  };
}

function readTool(entry: unknown): Tool[] {
  if (!isObject(entry)) return [];
  const tool: Json = isObject(entry.function) ? entry.function : entry;
  if (typeof tool.name !== "string" || tool.name === "") return [];
  return [{
    name: tool.name,
    ...(isObject(tool.parameters) ? { parameters: tool.parameters as Schema } : {}),
  }];
}
