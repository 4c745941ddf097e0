/** What the pipeline does with fixes at both ends of an exchange: chooses them, and names those that did something. */
import type { RepairConfig } from "../repair_config.ts";
import { type Exchange, withHeader } from "../wire/exchange.ts";
import { forgetful, type Memory, scopeOf } from "./memory.ts";
import { FixPlan, matching } from "./plan.ts";

export interface PlanOptions {
  readonly request: Request;
  readonly model: string;
  readonly settings: RepairConfig;
  readonly memory: Memory;
  readonly exchange: Exchange;
}

/** The fixes for where a request is going. */
export async function planFixes(options: PlanOptions): Promise<FixPlan> {
  const { request, model, settings, exchange } = options;
  const host = settings.upstreamHost ?? new URL(request.url).hostname;
  const watch = { applied: exchange.fixed, problem: exchange.problem };
  const target = { model, host };
  const chosen = matching(target, watch);
  const remembers = chosen.some((fix) => fix.remembers);
  const memory = remembers ? options.memory.of(await scopeOf(request.headers, host, model)) : forgetful;
  return new FixPlan(settings, { target, memory }, watch, chosen);
}

/** The answer with the names of the fixes that have changed something so far. */
export function named(response: Response, { fixes }: Exchange): Response {
  if (fixes.size === 0) return response;
  return withHeader(response, "x-callmend-fixes", [...fixes].join(", "));
}
