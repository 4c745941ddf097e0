/** The request of a chat completion, as far as the way back needs it. */
import type { Schema, Tool } from "../parse/dialect.ts";
import { concat } from "./bytes.ts";
import { isObject } from "./call_piece.ts";
import { bodyBroken, tooLarge } from "./client_answer.ts";
import { parseExact } from "./exact_json.ts";
import type { Json } from "./openai.ts";
import { isTooDeep } from "./too_deep.ts";
import { forbidsCalls } from "./tool_choice.ts";

/** What a request asks for. */
export interface ChatRequest {
  readonly model: string;
  readonly stream: boolean;
  /** How many choices. */
  readonly choices: number;
  /** The tools that may be called: none where `tool_choice` forbids it. */
  readonly tools: readonly Tool[];
  /** The whole body. */
  readonly body: Json;
}

/** Whether a request is Callmend's business at all (rule 1). */
export function isChatCompletion(request: Pick<Request, "method" | "url">): boolean {
  return request.method === "POST" && isChatPath(new URL(request.url).pathname);
}

/** Whether a path is that of chat completions; some clients put a slash behind it. */
export function isChatPath(path: string): boolean {
  return /\/chat\/completions\/*$/.test(path);
}

/**
 * Up to this, a body is taken by `arrayBuffer()`: under Bun, who as much as looks at its stream pays for a buffer of
 * 256 KB. For large ones, Deno then takes several times the memory.
 */
const TAKEN_WHOLE = 1024 * 1024;

/** Of a body that is too large, so many times the limit are read before the connection is given up. */
const MOST_DRAINED = 4;

/** The body of a request; the answer to it when it is larger than `limit`, or cannot be read. */
export async function readBody(request: Request, limit: number): Promise<Uint8Array<ArrayBuffer> | Response> {
  const length = request.headers.get("content-length");
  let refused = Number(length ?? 0) > limit;
  try {
    const here = length === null && !request.headers.has("transfer-encoding"); // made in this process
    if (here || (length !== null && Number(length) <= TAKEN_WHOLE)) {
      const bytes = new Uint8Array(await request.arrayBuffer());
      return refused || bytes.length > limit ? tooLarge(limit) : bytes;
    }
    if (request.body === null) return new Uint8Array();
    const reader = request.body.getReader();
    let pieces: Uint8Array[] = [];
    let size = 0;
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      size += read.value.length;
      refused ||= size > limit;
      if (!refused) pieces.push(read.value);
      else pieces = []; // the rest is read all the same: while they send, most clients do not see an answer
      if (size <= MOST_DRAINED * limit) continue;
      reader.cancel().catch(() => {}); // how the rest fares does not matter
      break;
    }
    return refused ? tooLarge(limit) : concat(pieces);
  } catch (error) {
    if (request.signal.aborted) throw error; // there is nobody to be told
    return bodyBroken();
  }
}

/** The request with another body. */
export function withBody(request: Request, body: string | Uint8Array<ArrayBuffer>): Request {
  const made = new Request(request, { body, signal: request.signal });
  if (typeof body !== "string") return made;
  for (const name of ["content-length", "content-encoding", "content-md5"]) made.headers.delete(name); // of the other
  return made;
}

/** A body as JSON; undefined when it is no object, or nested too deep to be worked on: then the upstream answers it. */
export function readJson(bytes: Uint8Array): Json | undefined {
  try {
    const text = new TextDecoder().decode(bytes);
    const body = isTooDeep(text) ? undefined : parseExact(text);
    return isObject(body) ? body : undefined;
  } catch {
    return undefined;
  }
}

/** What a body asks for. */
export function readChatRequest(body: Json): ChatRequest {
  const list: readonly unknown[] = Array.isArray(body.tools) ? body.tools : [];
  return {
    model: typeof body.model === "string" ? body.model : "",
    stream: body.stream === true,
    choices: typeof body.n === "number" && body.n > 1 ? body.n : 1,
    tools: forbidsCalls(body.tool_choice) ? [] : list.flatMap(readTool),
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
