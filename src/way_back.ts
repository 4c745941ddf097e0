/** The way back of one answer: its stages, put together for how it was asked. */
import type { Course } from "./bridge/plan.ts";
import type { FixPlan, FixStages } from "./fixes/plan.ts";
import { Answer } from "./wire/answer.ts";
import { type Asked, salvaged } from "./wire/ask.ts";
import { callLimit, withoutUsage } from "./wire/call_limit.ts";
import type { Fetch } from "./wire/fetch.ts";
import type { Json } from "./wire/openai.ts";
import { opening } from "./wire/opening.ts";
import { type ProtocolStage, protocolStage } from "./wire/protocol_stage.ts";
import { turnStage } from "./wire/turn_stage.ts";
import { unconverted } from "./wire/unconverted.ts";
import type { ExchangeOutcome } from "./wire/watcher.ts";

/** One exchange, and what it takes to answer it. */
export interface Context extends Asked {
  readonly next: Fetch;
  /** The client's request body. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The same, read. */
  readonly asked: Json;
  /** How the upstream is asked; it may be asked more than once. */
  readonly course: Course;
  readonly plan: FixPlan;
  /** Fresh stages of the vendors' fixes. */
  readonly fixes: () => FixStages;
}

/** The answer's way through the stages; `before` is the end of the way of an answer that this one goes on with. */
export function wayBack(context: Context, before?: ProtocolStage) {
  const { chat, config, course, plan, exchange } = context;
  const { problem } = exchange;
  const { tools, choices, model } = chat;
  const { way, judged } = course;
  const turn = tools.length > 0 ? turnStage({ tools, config, dialects: way.dialects, problem }) : undefined;
  const limit = callLimit(way.most, problem);
  const outcome = turn && ((choice: number) => limit.outcome(choice, turn.outcome(choice)));
  if (outcome !== undefined) before?.resume(outcome);
  const { finishKept } = plan;
  const finished = (word: string) => plan.finished(word);
  const protocol = before ?? protocolStage({
    tools: turn !== undefined,
    choices,
    model,
    problem,
    finishKept,
    finished,
    ...(outcome && { outcome }),
    ...(turn && { written: turn.written }),
  });
  const between = [
    ...(way.most < Infinity ? [limit] : []),
    ...(way.dropsUsage ? [withoutUsage()] : []),
    ...(turn && exchange.watched ? [unconverted(tools, problem)] : []),
  ];
  const judge = judged && outcome ? opening({ protocol, choices, outcome }) : undefined;
  const salvage = (error: Json) => salvaged(error, context);
  const fixes = context.fixes();
  const several = choices > 1;
  const answer = new Answer({ turn, between, opening: judge, protocol, fixes, several, problem, salvage });
  const end = (status: number, outcome: ExchangeOutcome) => ({
    status,
    outcome,
    finish: protocol.finish,
    calls: protocol.calls,
    dialects: Object.keys(turn?.callsByDialect ?? {}),
    callsByDialect: turn?.callsByDialect ?? {},
    usage: answer.usage,
  });
  return { answer, protocol, judge, fixes, end };
}

/** The stages, and what they tell. */
export type WayBack = ReturnType<typeof wayBack>;
