/** A small model server that needs no model: it calls the first tool it is offered, in one dialect a model name. */
import type { Json } from "../wire/openai.ts";
import { type DemoCall, type DemoModel, demoModels } from "./demo_models.ts";
import { isResult, readInstructions, textOf } from "./demo_taught.ts";
import { plausible } from "./demo_values.ts";

export { type DemoCall, type DemoModel, demoModels } from "./demo_models.ts";

const json = JSON.stringify;
const asText = (value: unknown) => typeof value === "string" ? value : json(value);

interface Message {
  readonly role?: string;
  readonly content?: unknown;
}

interface DemoRequest {
  readonly model?: string;
  readonly stream?: boolean;
  readonly messages?: readonly Message[];
  readonly tools?: readonly { function?: { name: string; parameters?: Json } }[];
  readonly tool_choice?: unknown;
}

/** What a model says in one turn, as the pieces of its message. */
interface Said {
  readonly finish: "stop" | "tool_calls";
  readonly deltas: readonly Json[];
}

/** The call that a demo model makes for a request; undefined when it answers in words. */
export function demoCall(request: DemoRequest): DemoCall | undefined {
  const tool = request.tools?.find((each) => each.function)?.function;
  const answered = request.messages?.at(-1)?.role === "tool";
  if (tool === undefined || answered || request.tool_choice === "none") return undefined;
  const values = plausible(tool.parameters ?? {}, "");
  return { name: tool.name, arguments: typeof values === "object" && values !== null ? values as Json : {} };
}

function say(model: DemoModel, request: DemoRequest): Said {
  if (model.taught && !request.tools?.length) {
    return { finish: "stop", deltas: texts(taughtWords(model, request)) };
  }
  const call = demoCall(request);
  if (call === undefined) return { finish: "stop", deltas: texts(words(model, request)) };
  if (model.write !== undefined) return { finish: "stop", deltas: texts(model.write(call)) };
  const start = { index: 0, id: "call_demo", type: "function", function: { name: call.name, arguments: "" } };
  const rest = pieces(json(call.arguments)).map((text) => ({ index: 0, function: { arguments: text } }));
  return { finish: "tool_calls", deltas: [start, ...rest].map((piece) => ({ tool_calls: [piece] })) };
}

/** What a model says that was told in words how to call the first tool. */
function taughtWords(model: DemoModel, request: DemoRequest): string {
  const messages = (request.messages ?? []) as readonly Json[];
  const taught = readInstructions(messages);
  const last = messages.at(-1);
  const call = isResult(last)
    ? undefined
    : demoCall({ tools: taught?.tools.map((tool) => ({ function: tool })) ?? [] });
  if (taught !== undefined && call !== undefined) return taught.call("", call);
  const text = isResult(last) ? `The tool answered: “${textOf(last!).trim()}”` : words(model, {});
  return taught?.final(text) ?? text;
}

function words(model: DemoModel, { messages, tools }: DemoRequest): string {
  const last = messages?.at(-1);
  if (last?.role === "tool") return `The tool answered: “${asText(last.content).trim()}”`;
  return tools?.length
    ? "I was told not to call a tool."
    : `I am ${model.id}. Offer me a tool and I will call it.`;
}

const texts = (text: string) => pieces(text).map((content) => ({ content }));

/** Cuts text as tokens would: three to five characters each. */
function pieces(text: string): string[] {
  const cut: string[] = [];
  const characters = [...text];
  for (let at = 0, size = 3; at < characters.length; at += size, size = size % 3 + 3) {
    cut.push(characters.slice(at, at + size).join(""));
  }
  return cut;
}

/** Answers one request to the demo's model server; `delayMs` lies between two pieces. */
export async function demoUpstream(request: Request, delayMs = 4): Promise<Response> {
  const path = new URL(request.url).pathname;
  if (path === "/v1/models") {
    const data = demoModels.map(({ id }) => ({ id, object: "model", created: 0, owned_by: "callmend" }));
    return Response.json({ object: "list", data });
  }
  if (path !== "/v1/chat/completions" || request.method !== "POST") {
    return refuse(404, `There is no ${path}.`);
  }
  const asked: DemoRequest = await request.json().catch(() => ({}));
  const model = demoModels.find(({ id }) => id === asked.model);
  if (model === undefined) {
    const known = demoModels.map(({ id }) => id).join(", ");
    return refuse(404, `There is no model ${json(asked.model)}; there are: ${known}.`);
  }
  const said = say(model, asked);
  return asked.stream ? streamed(model, said, delayMs) : whole(model, said);
}

function refuse(status: number, message: string): Response {
  return Response.json({ error: { message, type: "invalid_request_error", code: null, param: null } }, {
    status,
  });
}

const head = (model: DemoModel, object: string) => ({
  id: "chatcmpl-demo",
  object,
  created: 0,
  model: model.id,
});
const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };

function whole(model: DemoModel, { finish, deltas }: Said): Response {
  const content = deltas.map((delta) => delta.content ?? "").join("");
  const calls = (deltas as { tool_calls?: { function: { arguments: string } }[] }[])
    .flatMap((delta) => delta.tool_calls ?? []);
  const text = calls.map((call) => call.function.arguments).join("");
  const [first] = calls;
  const message = first === undefined ? { role: "assistant", content } : {
    role: "assistant",
    content: null,
    tool_calls: [{ ...first, function: { ...first.function, arguments: text } }],
  };
  const choices = [{ index: 0, message, finish_reason: finish }];
  return Response.json({ ...head(model, "chat.completion"), choices, usage });
}

function streamed(model: DemoModel, { finish, deltas }: Said, delayMs: number): Response {
  const chunk = (delta: Json, finish_reason: string | null) => ({
    ...head(model, "chat.completion.chunk"),
    choices: [{ index: 0, delta, finish_reason }],
  });
  const events = [
    chunk({ role: "assistant", content: "" }, null),
    ...deltas.map((delta) => chunk(delta, null)),
    { ...chunk({}, finish), usage },
  ].map((event) => `data: ${json(event)}\n\n`);
  const encoder = new TextEncoder();
  let at = 0; // the next event
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (at === events.length) {
        controller.enqueue(encoder.encode("data: [DONE]\n\n"));
        return controller.close();
      }
      if (at > 0 && delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
      controller.enqueue(encoder.encode(events[at++]));
    },
  }, { highWaterMark: 0 });
  return new Response(body, {
    headers: { "content-type": "text/event-stream", "cache-control": "no-cache" },
  });
}
