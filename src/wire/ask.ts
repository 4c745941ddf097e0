/** Asks the upstream once, and says what came: an answer to read, or what the client gets as it is. */
import type { Dialect } from "../parse/dialect.ts";
import { createParser } from "../parse/parser.ts";
import type { RepairConfig } from "../repair_config.ts";
import { parse } from "./json_text.ts";
import { isObject } from "./call_piece.ts";
import type { ChatRequest } from "./chat_request.ts";
import { jsonResponse } from "./client_answer.ts";
import { breakage, EMPTY_ANSWER, errorIn, errorResponse, failure, statusOf } from "./errors.ts";
import type { Exchange } from "./exchange.ts";
import type { Fetch } from "./fetch.ts";
import type { Json } from "./openai.ts";
import { peek } from "./peek.ts";
import { lacksChoice } from "./protocol_stage.ts";
import { isAboutTools, messageOf, salvageableText } from "./tool_error.ts";
import { UpstreamBody } from "./upstream_body.ts";

/** One exchange, and what it takes to answer it. */
export interface Asked {
  readonly request: Request;
  readonly chat: ChatRequest;
  readonly config: RepairConfig;
  readonly exchange: Exchange;
  /** A vendor's fix wants to see the answer, tools or not. */
  readonly watched: boolean;
  /** Whoever reads the answer tells the exchange of it. */
  readonly looksOn: boolean;
  readonly course: {
    readonly way: { readonly dialects: readonly Dialect[] };
    readonly judged: boolean;
    readonly mayFallBack: boolean;
  };
}

/** What came. */
export type Source =
  | { readonly kind: "events"; readonly response: Response; readonly body: UpstreamBody }
  /** `bytes`: the text of the completion. */
  | {
    readonly kind: "json";
    readonly response: Response;
    readonly completion: Json;
    readonly bytes?: Uint8Array<ArrayBuffer>;
  }
  /** Goes to the client as it is; the exchange is over. `error`: what is wrong. */
  | { readonly kind: "response"; readonly response: Response; readonly error?: Json }
  /** An error that another way of asking may help. */
  | { readonly kind: "useless"; readonly why: string };

/** What can come of an error. */
export type Refusal = Exclude<Source, { readonly kind: "events" }>;

/** The upstream's answer, or the error that says why there is none. */
export async function reach(next: Fetch, request: Request, exchange?: Exchange): Promise<{
  readonly response: Response;
  readonly error?: Json;
}> {
  try {
    return { response: await next(request) };
  } catch (error) {
    if (request.signal.aborted) {
      exchange?.end({ status: 0, outcome: "cancelled" });
      throw error;
    }
    const { status, error: body } = failure(error);
    exchange?.end({ status, outcome: "unreachable", error: messageOf(body) });
    return { response: errorResponse(status, body), error: body };
  }
}

/** Sends `upstreamRequest` and looks at what comes. */
export async function ask(next: Fetch, upstreamRequest: Request, asked: Asked): Promise<Source> {
  const { chat, exchange, request } = asked;
  const { response, error } = await reach(next, upstreamRequest, exchange);
  if (error !== undefined) return { kind: "response", response, error };
  const type = response.headers.get("content-type")?.toLowerCase() ?? "";
  const known = /^text\/event-stream|^application\/([\w.-]+\+)?json|^text\/plain|^$/.test(type);
  const nothingToDo = chat.tools.length === 0 &&
    (!response.ok || (!asked.watched && !chat.stream && /json/.test(type)));
  if (response.body === null || !known || nothingToDo) return passing(response, asked);
  if (!response.ok && response.status < 500 && !asked.course.judged) return passing(response, asked);
  const body = new UpstreamBody(response.body, asked.looksOn ? exchange : undefined);
  // The client may go before there is a stream that it could cancel (rule 20).
  request.signal.addEventListener("abort", () => body.cancel(request.signal.reason), { once: true });
  if (!response.ok) return await whole(response, body, asked);
  const form = await formOf(body, type, chat.stream ? asked.config.keepAliveMs : Infinity);
  checkAborted(asked);
  if (form === "silent") return { kind: "events", response, body }; // the client shall not time out (symptoms C24)
  if (form === "json") return await whole(response, body, asked);
  if (form === "other") return passing(rest(response, body), asked, true);
  if (!chat.stream) return { kind: "events", response, body };
  const beginning = await peek(body, asked.config.peekMs);
  checkAborted(asked);
  if (beginning.kind === "broken") return brokeOff(response, beginning.error, asked);
  // Where an answer that says nothing will not do, the model is asked again.
  if (beginning.kind === "good" || (beginning.kind === "empty" && asked.course.judged)) {
    return { kind: "events", response, body };
  }
  body.cancel();
  return refused(response, "error" in beginning ? beginning.error : EMPTY_ANSWER, asked);
}

/** What a body is. Some servers name no type, or answer an error in JSON under the type of a stream (symptoms C20). */
async function formOf(
  body: UpstreamBody,
  type: string,
  patience: number,
): Promise<"events" | "json" | "other" | "silent"> {
  const events = type.startsWith("text/event-stream");
  const text = await body.sniff(
    (text) => events ? text !== "" : text.length >= 6 || /^[{:]/.test(text),
    events ? patience : Infinity,
  );
  if (text === "" && body.waiting) return "silent";
  if (text.startsWith("{")) return "json";
  if (events || /^(?::|data:|event:|id:|retry:)/.test(text)) return "events";
  return type.includes("json") ? "json" : "other";
}

/** An answer in JSON, or an error of whatever status. */
async function whole(response: Response, body: UpstreamBody, asked: Asked): Promise<Source> {
  const { status, ok } = response;
  let bytes: Uint8Array<ArrayBuffer> | undefined;
  try {
    bytes = await body.all(asked.config.requestBytes);
  } catch (error) {
    checkAborted(asked);
    return brokeOff(response, error, asked);
  }
  checkAborted(asked);
  if (bytes === undefined) {
    return passing(ok ? jsonResponse(response, body.rest()) : rest(response, body), asked, true);
  }
  const text = new TextDecoder().decode(bytes);
  const completion = parse(text);
  if (!ok) {
    const error = errorIn(completion) ??
      (isObject(completion) ? completion : { message: text.slice(0, 65_536) });
    const passed = new Response(bytes, { status, headers: response.headers });
    return helped(response, status, error, asked) ?? untouched(passed, asked, error);
  }
  const choices = isObject(completion) && Array.isArray(completion.choices) ? completion.choices : [];
  const error = choices.length === 0 ? errorIn(completion) : undefined;
  if (isObject(completion) && error !== undefined) return refused(response, error, asked);
  if (text.trim() === "") return nothing({ choices: [] }, jsonResponse(response, bytes), asked);
  if (!isObject(completion)) return untouched(jsonResponse(response, bytes), asked);
  if (choices.length === 0) return nothing(completion, jsonResponse(response, bytes), asked);
  return { kind: "json", response, completion, bytes };
}

/** JSON without a choice: an answer that says nothing, or what is not for Callmend to judge. */
function nothing(completion: Json, response: Response, asked: Asked): Source {
  const { chat, course } = asked;
  const wanted = chat.tools.length > 0 || chat.stream;
  if (!wanted || !lacksChoice(completion)) return untouched(response, asked);
  return course.judged ? { kind: "useless", why: "no choice" } : refused(response, EMPTY_ANSWER, asked);
}

/** An error that came with status 200, as what it is. */
export function refused(response: Response, error: Json, asked: Asked): Refusal {
  const status = statusOf(error);
  const source = helped(response, status, error, asked);
  if (source !== undefined) return source;
  if (error === EMPTY_ANSWER) asked.exchange.problem("answer-empty", "");
  else asked.exchange.problem("upstream-error", JSON.stringify(error).slice(0, 1000));
  asked.exchange.end({ status, outcome: "error" });
  return { kind: "response", response: errorResponse(status, error, response.headers), error };
}

/** What can be made of an error: the call that it carries (symptoms C22), or another way of asking. */
function helped(response: Response, status: number, error: Json, asked: Asked): Refusal | undefined {
  const { course, chat } = asked;
  const text = salvaged(error, asked);
  if (text !== undefined) {
    const message = { role: "assistant", content: text };
    const completion = { object: "chat.completion", choices: [{ index: 0, message, finish_reason: "stop" }] };
    return { kind: "json", response: new Response(null, { headers: response.headers }), completion };
  }
  if (!course.mayFallBack || !isAboutTools(status, error, chat.model)) return undefined;
  return { kind: "useless", why: messageOf(error).slice(0, 200) };
}

/** The text of an error, if a whole call stands in it (symptoms C22). */
export function salvaged(error: Json, { chat, course, exchange }: Asked): string | undefined {
  const text = chat.tools.length === 0 ? undefined : salvageableText(error);
  if (text === undefined) return undefined;
  const parser = createParser({ tools: chat.tools, dialects: course.way.dialects });
  const whole = [...parser.feed(text), ...parser.end()].some(({ type }) => type === "call-end");
  if (whole) exchange.problem("call-salvaged", messageOf(error).slice(0, 200));
  return whole ? text : undefined;
}

/** Goes to the client as it comes; `tapped`: its pieces are looked at where they are read. */
function passing(response: Response, { exchange, looksOn }: Asked, tapped = false): Source {
  return { kind: "response", response: exchange.passing(response, looksOn && !tapped, looksOn) };
}

/** Has come whole, and goes to the client as it is. */
function untouched(response: Response, { exchange }: Asked, error?: Json): Source {
  exchange.end({ status: response.status, outcome: "untouched" });
  return { kind: "response", response, ...(error === undefined ? {} : { error }) };
}

function brokeOff(response: Response, reason: unknown, { exchange }: Asked): Source {
  const { status, error } = breakage(reason);
  exchange.end({ status, outcome: "broken", error: messageOf(error) });
  return { kind: "response", response: errorResponse(status, error, response.headers), error };
}

/** An answer whose body has been begun to be read. */
function rest({ status, headers }: Response, body: UpstreamBody): Response {
  return new Response(body.rest(), { status, headers });
}

/** The client is gone: there is nobody left to answer. */
export function checkAborted({ request, exchange }: Pick<Asked, "request" | "exchange">): void {
  if (!request.signal.aborted) return;
  exchange.end({ status: 0, outcome: "cancelled" });
  throw request.signal.reason;
}
