/** The pipeline: a fetch that wraps a fetch, and mends what comes back. */
import { named, planFixes } from "./fixes/exchange.ts";
import { Memory } from "./fixes/memory.ts";
import type { FixPlan, FixStages } from "./fixes/plan.ts";
import { defaultRepairConfig, type RepairConfig } from "./repair_config.ts";
import { Answer, parse } from "./wire/answer.ts";
import { answerStream } from "./wire/answer_stream.ts";
import { isObject } from "./wire/call_piece.ts";
import {
  type ChatRequest,
  isChatCompletion,
  readBody,
  readChatRequest,
  readJson,
  withBody,
} from "./wire/chat_request.ts";
import { bodyHeaders, breakage, errorIn, errorResponse, failure, statusOf, tooLarge } from "./wire/errors.ts";
import { type Exchange, type ExchangeOutcome, type Observe, openExchange } from "./wire/exchange.ts";
import type { Fetch } from "./wire/fetch.ts";
import { collect, tell, toJson, toStream } from "./wire/json_answer.ts";
import type { Json } from "./wire/openai.ts";
import { peek } from "./wire/peek.ts";
import { protocolStage } from "./wire/protocol_stage.ts";
import { turnStage } from "./wire/turn_stage.ts";
import { UpstreamBody } from "./wire/upstream_body.ts";

export type { Fetch };

/** One exchange, and what it takes to answer it. */
interface Context {
  readonly request: Request;
  readonly chat: ChatRequest;
  readonly config: RepairConfig;
  readonly exchange: Exchange;
  readonly plan: FixPlan;
  readonly fixes: FixStages;
}

/**
 * Wraps a fetch so that tool calls come out of it mended. Only chat completions are read; all else goes through
 * (rule 1). `observe` is told of each exchange when it is over.
 */
export function repair(next: Fetch, config: Partial<RepairConfig> = {}, observe?: Observe): Fetch {
  const settings: RepairConfig = { ...defaultRepairConfig, ...config };
  const memory = new Memory(settings.memory);
  return async (request) => {
    if (!isChatCompletion(request)) return (await reach(next, request)).response;
    const bytes = await readBody(request, settings.requestBytes);
    if (bytes === undefined) return tooLarge(settings.requestBytes);
    const asked = readJson(bytes);
    if (asked === undefined) return (await reach(next, withBody(request, bytes))).response;
    const exchange = openExchange(readChatRequest(asked), observe);
    const plan = await planFixes({ request, model: exchange.model, settings, memory, exchange });
    const sent = plan.request(asked);
    const chat = readChatRequest(sent);
    const upstreamRequest = withBody(request, sent === asked ? bytes : JSON.stringify(sent));
    const { response, reached } = await reach(plan.send(next, sent), upstreamRequest, exchange);
    if (!reached) return named(response, exchange);
    const fixes = plan.stages(asked, sent, chat.tools);
    return named(await mend(response, { request, chat, config: settings, exchange, plan, fixes }), exchange);
  };
}

/** The upstream's answer, or the error that says why there is none. */
async function reach(next: Fetch, request: Request, exchange?: Exchange): Promise<{
  readonly response: Response;
  readonly reached: boolean;
}> {
  try {
    return { response: await next(request), reached: true };
  } catch (error) {
    if (request.signal.aborted) {
      exchange?.end({ status: 0, outcome: "cancelled" });
      throw error;
    }
    const { status, error: body } = failure(error);
    exchange?.end({ status, outcome: "unreachable" });
    return { response: errorResponse(status, body), reached: false };
  }
}

async function mend(response: Response, context: Context): Promise<Response> {
  const { chat, exchange, fixes, request } = context;
  const { status } = response;
  const type = response.headers.get("content-type")?.toLowerCase() ?? "";
  const known = /^text\/event-stream|^application\/([\w.-]+\+)?json|^text\/plain|^$/.test(type);
  const stages = fixes.before.length + fixes.after.length;
  const nothingToDo = chat.tools.length === 0 && stages === 0 && !chat.stream && /json/.test(type);
  if (!response.ok || response.body === null || !known || nothingToDo) {
    exchange.end({ status, outcome: "untouched" });
    return response;
  }
  const body = new UpstreamBody(response.body);
  // The client may go before there is a stream that it could cancel (rule 20).
  request.signal.addEventListener("abort", () => body.cancel(request.signal.reason), { once: true });
  const form = await formOf(body, type);
  checkAborted(request, exchange);
  switch (form) {
    case "events":
      return chat.stream ? await streamed(response, body, context) : await collected(response, body, context);
    case "json":
      return await whole(response, body, context);
    case "other":
      exchange.end({ status, outcome: "untouched" });
      return new Response(body.rest(), { status, headers: response.headers });
  }
}

/** What a body is. Some servers name no type, or answer an error in JSON under the type of a stream (symptoms C20). */
async function formOf(body: UpstreamBody, type: string): Promise<"events" | "json" | "other"> {
  const events = type.startsWith("text/event-stream");
  const text = await body.sniff((text) => events ? text !== "" : text.length >= 6 || /^[{:]/.test(text));
  if (text.startsWith("{")) return "json";
  if (events || /^(?::|data:|event:|id:|retry:)/.test(text)) return "events";
  return type.includes("json") ? "json" : "other";
}

/** The answer's way through the stages. */
function open({ chat, config, plan, fixes, exchange: { problem } }: Context) {
  const { tools, choices, model } = chat;
  const turn = tools.length > 0 ? turnStage({ tools, config, problem }) : undefined;
  const outcome = turn === undefined ? {} : { outcome: (choice: number) => turn.outcome(choice) };
  const { finishKept } = plan;
  const finished = (word: string) => plan.finished(word);
  const protocol = protocolStage({
    tools: turn !== undefined,
    choices,
    model,
    problem,
    finishKept,
    finished,
    ...outcome,
  });
  const answer = new Answer({ turn, protocol, fixes, several: choices > 1, problem });
  const end = (status: number, outcome: ExchangeOutcome) => ({
    status,
    outcome,
    finish: protocol.finish,
    calls: protocol.calls,
    dialects: turn?.dialects ?? [],
  });
  return { answer, protocol, end };
}

/** Events in, events out. */
async function streamed(response: Response, body: UpstreamBody, context: Context): Promise<Response> {
  const { config, exchange, request } = context;
  const beginning = await peek(body, config.peekMs);
  checkAborted(request, exchange);
  if (beginning.kind === "error") return refused(response, body, beginning.error, exchange);
  if (beginning.kind === "broken") {
    const { status, error } = breakage(beginning.error);
    exchange.end({ status, outcome: "broken" });
    return errorResponse(status, error, response.headers);
  }
  context.fixes.foresee(beginning.items);
  const { answer, protocol, end } = open(context);
  const stream = answerStream({
    body,
    answer,
    keepAliveMs: config.keepAliveMs,
    finishGraceMs: config.finishGraceMs,
    keepAlive: () => protocol.keepAlive(),
    signal: request.signal,
    problem: exchange.problem,
    ended: (how) => exchange.end(end(response.status, how)),
  });
  return new Response(stream, { status: response.status, headers: streamHeaders(response.headers) });
}

/** Events in, JSON out: the client did not ask to stream (rule 18). */
async function collected(response: Response, body: UpstreamBody, context: Context): Promise<Response> {
  const { config, exchange, request } = context;
  const { answer, end } = open(context);
  const result = await collect(answer, body, config.finishGraceMs);
  checkAborted(request, exchange);
  if ("error" in result) {
    if (result.status === undefined) return refused(response, body, result.error, exchange);
    exchange.end(end(result.status, "broken"));
    return errorResponse(result.status, result.error, response.headers);
  }
  exchange.end(end(response.status, "done"));
  return json(response, toJson(result.told));
}

/** JSON in; out comes what the client asked for. */
async function whole(response: Response, body: UpstreamBody, context: Context): Promise<Response> {
  const { chat, config, exchange } = context;
  const { status } = response;
  let bytes: Uint8Array<ArrayBuffer> | undefined;
  try {
    bytes = await body.all(config.requestBytes);
  } catch (error) {
    checkAborted(context.request, exchange);
    const broken = breakage(error);
    exchange.end({ status: broken.status, outcome: "broken" });
    return errorResponse(broken.status, broken.error, response.headers);
  }
  checkAborted(context.request, exchange);
  const answered = (original: BodyInit) => {
    exchange.end({ status, outcome: "untouched" });
    return json(response, original);
  };
  if (bytes === undefined) return answered(body.rest());
  const completion = parse(new TextDecoder().decode(bytes));
  const choices = isObject(completion) && Array.isArray(completion.choices) ? completion.choices : [];
  const error = choices.length === 0 ? errorIn(completion) : undefined;
  if (isObject(completion) && error !== undefined) return refused(response, body, error, exchange);
  if (!isObject(completion) || choices.length === 0) return answered(bytes);
  const { answer, end } = open(context);
  const told = tell(answer, completion);
  exchange.end(end(status, "done"));
  if (!chat.stream) return json(response, told.same ? bytes : toJson(told));
  return new Response(toStream(told), { status, headers: streamHeaders(response.headers) });
}

function checkAborted({ signal }: Request, exchange: Exchange): void {
  if (!signal.aborted) return;
  exchange.end({ status: 0, outcome: "cancelled" });
  throw signal.reason;
}

/** An error that came with status 200, as what it is. */
function refused(response: Response, body: UpstreamBody, error: Json, exchange: Exchange): Response {
  const status = statusOf(error);
  body.cancel();
  exchange.problem("upstream-error", JSON.stringify(error).slice(0, 1000));
  exchange.end({ status, outcome: "error" });
  return errorResponse(status, error, response.headers);
}

function json(response: Response, body: BodyInit): Response {
  const headers = bodyHeaders(response.headers);
  if (!/json/.test(headers.get("content-type") ?? "")) headers.set("content-type", "application/json");
  return new Response(body, { status: response.status, headers });
}

function streamHeaders(from: Headers): Headers {
  const headers = bodyHeaders(from);
  if (!headers.get("content-type")?.startsWith("text/event-stream")) {
    headers.set("content-type", "text/event-stream");
  }
  headers.set("cache-control", "no-cache, no-transform"); // Deno.serve compresses unless told not to
  headers.set("x-accel-buffering", "no");
  return headers;
}
