/** What the pipeline does with fixes at both ends of an exchange: chooses them, and names those that did something. */
import type { RepairConfig } from "../repair_config.ts";
import type { Exchange } from "../wire/exchange.ts";
import { type Memory, scopeOf } from "./memory.ts";
import { FixPlan } from "./plan.ts";

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
  const memory = options.memory.of(await scopeOf(request.headers, host, model));
  return new FixPlan(settings, { target: { model, host }, memory }, {
    applied: exchange.fixed,
    problem: exchange.problem,
  });
}

/** The answer with the names of the fixes that have changed something so far. */
export function named(response: Response, { fixes }: Exchange): Response {
  if (fixes.size === 0) return response;
  const { status, statusText, body } = response;
  const headers = new Headers(response.headers);
  headers.set("x-callmend-fixes", [...fixes].join(", "));
  return new Response(body, { status, statusText, headers });
}
