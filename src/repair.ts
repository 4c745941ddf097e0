/** The pipeline: a fetch that wraps a fetch, and mends what comes back. */
import { createPlanner } from "./bridge/plan.ts";
import { named, planFixes } from "./fixes/exchange.ts";
import { Memory } from "./fixes/memory.ts";
import type { FixStages } from "./fixes/plan.ts";
import { defaultRepairConfig, type RepairConfig } from "./repair_config.ts";
import { answerStream, type Replacement } from "./wire/answer_stream.ts";
import { ask, checkAborted, reach, refused, type Source } from "./wire/ask.ts";
import { isChatCompletion, readBody, readChatRequest, readJson, withBody } from "./wire/chat_request.ts";
import { beginningOf, EMPTY_TURN, jsonResponse, streamResponse, UNREADABLE } from "./wire/client_answer.ts";
import { errorResponse } from "./wire/errors.ts";
import { type Exchange, openExchange } from "./wire/exchange.ts";
import type { Fetch } from "./wire/fetch.ts";
import { collect, tell, toJson, type Told, toStream } from "./wire/json_answer.ts";
import type { Json } from "./wire/openai.ts";
import type { ProtocolStage } from "./wire/protocol_stage.ts";
import type { Watch } from "./wire/watcher.ts";
import { type Context, type WayBack, wayBack } from "./way_back.ts";

export type { Fetch };

/**
 * Wraps a fetch so that tool calls come out of it mended. Only chat completions are read; all else goes through
 * (rule 1). `watch` looks on. `memory`: what is known of earlier answers; nothing when not said.
 */
export function repair(
  next: Fetch,
  config: Partial<RepairConfig> = {},
  watch?: Watch,
  memory: Memory = newMemory(config),
): Fetch {
  const settings: RepairConfig = { ...defaultRepairConfig, ...config };
  const planner = createPlanner(settings);
  return async (request) => {
    if (!isChatCompletion(request)) return (await reach(next, request)).response;
    const bytes = await readBody(request, settings.requestBytes);
    if (bytes instanceof Response) return bytes;
    const asked = readJson(bytes);
    const read = readChatRequest(asked ?? {});
    const exchange = openExchange(request, bytes, read, watch);
    const answer = async () => {
      if (asked === undefined) return await unread(next, request, bytes, exchange);
      const plan = await planFixes({ request, model: exchange.model, settings, memory, exchange });
      const sent = readChatRequest(plan.request(asked, planner.bridges(read)));
      const chat = { ...sent, tools: plan.callable(asked, sent) };
      const course = planner.plan(chat, () => plan.request(asked, true), exchange.problem);
      const stages = () => plan.stages(asked, chat.body, chat.tools);
      let first: FixStages | undefined = stages(); // they tell whether there are any
      const watched = first.before.length + first.after.length > 0 || plan.finishes;
      const fixes = () => {
        const made = first ?? stages();
        first = undefined;
        return made;
      };
      const looksOn = exchange.watched && !plan.sends;
      const own = { next, request, bytes, asked, config: settings };
      return await respond({ ...own, chat, exchange, course, plan, fixes, watched, looksOn });
    };
    try {
      return await exchange.replying(named(await answer(), exchange));
    } catch (error) {
      exchange.failed();
      throw error;
    }
  };
}

/** A memory that holds nothing yet. */
export function newMemory({ memory }: Partial<RepairConfig> = {}): Memory {
  return new Memory(memory ?? defaultRepairConfig.memory);
}

/** A body that is no JSON object is for the upstream to answer (rule 3). */
async function unread(
  next: Fetch,
  request: Request,
  bytes: Uint8Array<ArrayBuffer>,
  exchange: Exchange,
): Promise<Response> {
  const watched = exchange.around(next, false, bytes);
  const { response, error } = await reach(watched, withBody(request, bytes), exchange);
  return error === undefined ? exchange.passing(response, true) : response;
}

/** Asks in one way after the other until an answer is of use. */
async function respond(context: Context): Promise<Response> {
  for (;;) {
    const source = await askUpstream(context);
    if (source.kind === "response") return source.response;
    const answered = source.kind === "useless" ? source : await mend(source, context);
    if (answered instanceof Response) return answered;
    if (!context.course.next(answered.why)) return emptyTurn(context);
  }
}

/** The request in its present way, sent; what came back. */
function askUpstream(context: Context): Promise<Source> {
  const { next, request, bytes, asked, chat, course: { way }, plan, exchange } = context;
  const body = way.body ?? chat.body;
  const sent = body === asked ? bytes : JSON.stringify(body);
  const watched = exchange.around(next, way.bridged, plan.sends ? undefined : sent);
  return ask(plan.send(watched, body), withBody(request, sent), context);
}

type Answered = Exclude<Source, { readonly kind: "response" | "useless" }>;

/** The answer was of no use, and nothing of it has gone out. */
type Useless = Extract<Source, { readonly kind: "useless" }>;

/** What came, mended, in the form that the client asked for. */
function mend(source: Answered, context: Context): Promise<Response | Useless> {
  if (source.kind === "json") return Promise.resolve(whole(source, context));
  return context.chat.stream ? streamed(source, context) : collected(source, context);
}

/** Why an answer that has been read to its end is of no use, if it is. */
function uselessness({ answer, judge }: WayBack, { course }: Context): string | undefined {
  if (answer.empty) return "neither text nor a call";
  return course.mayFallBack && judge?.lacksCall ? "finish_reason tool_calls without a call" : undefined;
}

/** Events in, events out. */
async function streamed(source: Source & { kind: "events" }, context: Context): Promise<Response> {
  const { response, body } = source;
  const { config, course, exchange, request } = context;
  let opened = wayBack(context);
  let instead: Response | undefined; // the answer, if nothing of the stream has gone out
  const { answer, protocol } = opened;
  const replace = async (error: Json | undefined): Promise<Replacement> => {
    const made = await goOn(error, source, context, protocol);
    ({ instead, opened = opened } = made);
    return made.replacement;
  };
  const stream = answerStream({
    body,
    answer,
    keepAliveMs: config.keepAliveMs,
    finishGraceMs: config.finishGraceMs,
    keepAlive: () => protocol.keepAlive(),
    keepsAliveAtFirst: context.chat.tools.length > 0,
    replace,
    signal: request.signal,
    problem: exchange.problem,
    busy: exchange.busy,
    ...(exchange.watched &&
      { sent: (bytes, asReceived) => exchange.sent(bytes, asReceived && context.looksOn) }),
    ended: (how) => {
      const why = how === "done" ? uselessness(opened, context) : undefined;
      if (why !== undefined) course.distrust(why);
      exchange.end(opened.end(response.status, how));
    },
  });
  exchange.streams = !course.judged;
  if (!course.judged) return streamResponse(response, stream);
  const begun = await beginningOf(stream); // until then an empty answer may become an error with its own status
  exchange.streams = begun !== undefined;
  return begun === undefined ? instead ?? emptyTurn(context) : streamResponse(response, begun);
}

/** A streamed answer has said nothing: what goes on in its place, and the answer if nothing has gone out yet. */
async function goOn(
  error: Json | undefined,
  { response }: Source & { kind: "events" },
  context: Context,
  protocol: ProtocolStage,
): Promise<{ replacement: Replacement; instead?: Response; opened?: WayBack }> {
  let source: Source | undefined = error === undefined ? undefined : refused(response, error, context);
  for (let why = "neither text nor a call";;) {
    if (source?.kind === "response") {
      const { error = UNREADABLE, response: instead } = source;
      return { replacement: { kind: "error", error }, instead };
    }
    if (source?.kind === "events" || source?.kind === "json") {
      const opened = wayBack(context, protocol);
      if (source.kind === "events") {
        return { replacement: { kind: "answer", body: source.body, answer: opened.answer }, opened };
      }
      const told = tell(opened.answer, source.completion);
      if (!opened.answer.empty) return { replacement: { kind: "text", text: toStream(told) }, opened };
    } else if (source !== undefined) why = source.why;
    if (!context.course.next(why)) {
      return { replacement: { kind: "error", error: EMPTY_TURN }, instead: emptyTurn(context) };
    }
    source = await askUpstream(context);
  }
}

/** Events in, JSON out: the client did not ask to stream. */
async function collected(source: Source & { kind: "events" }, context: Context): Promise<Response | Useless> {
  const { response, body } = source;
  const { config, exchange } = context;
  const opened = wayBack(context);
  const result = await collect(opened.answer, body, config.finishGraceMs);
  checkAborted(context);
  if ("told" in result) return told(result.told, response, opened, context);
  if (result.status === undefined) {
    const made = refused(response, result.error, context);
    if (made.kind === "json") return whole(made, context);
    return made.kind === "response" ? made.response : made;
  }
  exchange.end(opened.end(result.status, "broken"));
  return errorResponse(result.status, result.error, response.headers);
}

/** JSON in. */
function whole(
  { response, completion, bytes }: Source & { kind: "json" },
  context: Context,
): Response | Useless {
  const opened = wayBack(context);
  return told(context.exchange.busy(() => tell(opened.answer, completion)), response, opened, context, bytes);
}

/** A whole answer, in the form that the client asked for; `bytes` are what it was, for where nothing was changed. */
function told(
  told: Told,
  response: Response,
  opened: WayBack,
  context: Context,
  bytes?: Uint8Array<ArrayBuffer>,
): Response | Useless {
  const why = uselessness(opened, context);
  if (why !== undefined) return { kind: "useless", why };
  context.exchange.end(opened.end(response.status, "done"));
  if (context.chat.stream) return streamResponse(response, toStream(told));
  return jsonResponse(response, told.same && bytes !== undefined ? bytes : toJson(told));
}

/** The model has said nothing, and was asked again to no avail. */
function emptyTurn({ exchange }: Context): Response {
  exchange.problem("turn-empty", "again");
  exchange.end({ status: 502, outcome: "error" });
  return errorResponse(502, EMPTY_TURN);
}
