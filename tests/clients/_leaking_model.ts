/** A model server whose model reads one file with whatever tool a client has for it, and leaks or breaks the protocol. */
import { type DemoCall, demoModels } from "../../src/cli/demo_models.ts";
import { isObject } from "../../src/wire/call_piece.ts";
import type { Json } from "../../src/wire/openai.ts";

/** One way to go wrong. */
export interface Fault {
  readonly id: string;
  /** How the call is written; undefined when it comes as the protocol has it. */
  readonly write?: ((call: DemoCall) => string) | undefined;
  /** What ends each answer; null for nothing at all. */
  readonly finish?: string | null;
  /** Whether `data: [DONE]` comes. */
  readonly done?: boolean;
}

const leaks = (id: string, model: string): Fault => ({
  id,
  write: demoModels.find((each) => each.id === model)!.write,
});

export const faults: readonly Fault[] = [
  leaks("dsml", "demo-dsml"),
  leaks("hermes", "demo-hermes"),
  leaks("qwen3-coder", "demo-qwen3-coder"),
  leaks("glm", "demo-glm"),
  { id: "end-turn", finish: "end_turn" }, // Claude through resellers
  { id: "cut", finish: null, done: false }, // Gemini through resellers; a missing [DONE] alone harms no client
];

/** What the final answer ends with: it has come whole. */
export const MARK = "CLIENT-DONE";

/** What happened at the model server. */
export interface Seen {
  /** Requests with tools. */
  asked: number;
  /** What went wrong, in words. */
  readonly wrong: string[];
}

/** Makes the server's handler. `file` is what the model wants to read. */
export function leakingModel(
  fault: Fault,
  file: string,
  seen: Seen,
): (request: Request) => Promise<Response> {
  return async (request) => {
    if (request.method !== "POST") return Response.json({ object: "list", data: [] });
    const body = await request.json() as Json;
    const tools = (Array.isArray(body.tools) ? body.tools : []) as { function: Tool }[];
    if (tools.length > 0) seen.asked++;
    const messages = body.messages as Json[];
    const results = messages.filter(({ role }) => role === "tool").map(({ content }) =>
      JSON.stringify(content)
    );
    const secret = /secret word is ([\w-]+)/.exec(results.join("\n"))?.[1];
    if (tools.length === 0 && results.length === 0) return answer(body, fault, "A title");
    if (results.length > 0) {
      if (secret === undefined) seen.wrong.push(`no secret in ${results.join("\n").slice(0, 500)}`);
      return answer(body, fault, `The secret word is ${secret}. ${MARK}`);
    }
    const call = readCall(tools.map((tool) => tool.function), file);
    if (call !== undefined) return answer(body, fault, "I will look at the file.\n", call);
    seen.wrong.push("no tool that reads files");
    return answer(body, fault, "I cannot read.");
  };
}

interface Tool {
  readonly name: string;
  readonly parameters: Schema;
}

interface Schema {
  readonly type?: string;
  readonly properties?: { readonly [name: string]: Schema };
  readonly items?: Schema;
}

/** The call that reads the file: the tool's name and the path's place differ from client to client. */
function readCall(tools: readonly Tool[], file: string): DemoCall | undefined {
  const tool = tools.find(({ name }) => /^(?:read|read_?files?|view)$/i.test(name));
  if (tool === undefined) return undefined;
  const path = (schema: Schema): Json => {
    const [name, inner] = Object.entries(schema.properties ?? {}).find(([each]) =>
      /path|^files?$/i.test(each)
    )!;
    if (inner.type !== "array") return { [name]: file };
    return { [name]: [inner.items?.type === "object" ? path(inner.items) : file] };
  };
  return { name: tool.name, arguments: path(tool.parameters) };
}

function answer(body: Json, { write, finish, done = true }: Fault, text: string, call?: DemoCall): Response {
  const content = call !== undefined && write !== undefined ? text + write(call) : text;
  const native = call !== undefined && write === undefined
    ? [{
      id: "call_1",
      type: "function",
      function: { name: call.name, arguments: JSON.stringify(call.arguments) },
    }]
    : undefined;
  const finished = finish === undefined ? native ? "tool_calls" : "stop" : finish;
  const head = { id: "chatcmpl-leak", created: 1, model: body.model };
  const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
  if (body.stream !== true) {
    const message = { role: "assistant", content, ...(native && { tool_calls: native }) };
    const choices = [{ index: 0, message, finish_reason: finished }];
    return Response.json({ ...head, object: "chat.completion", choices, usage });
  }
  const event = (more: Json) =>
    `data: ${JSON.stringify({ ...head, object: "chat.completion.chunk", ...more })}\n\n`;
  const chunk = (delta: Json, reason: string | null = null) =>
    event({ choices: [{ index: 0, delta, finish_reason: reason }] });
  const events = [
    chunk({ role: "assistant", content: "" }),
    ...(content.match(/[^]{1,4}/gu) ?? []).map((piece) => chunk({ content: piece })),
    ...(native ? [chunk({ tool_calls: native.map((each, index) => ({ index, ...each })) })] : []),
    ...(finished === null ? [] : [chunk({}, finished)]),
    ...(isObject(body.stream_options) ? [event({ choices: [], usage })] : []),
    ...(done ? ["data: [DONE]\n\n"] : []),
  ].map((each) => new TextEncoder().encode(each));
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      const next = events.shift();
      if (next === undefined) controller.close();
      else controller.enqueue(next);
    },
  });
  return new Response(stream, { headers: { "content-type": "text/event-stream" } });
}
