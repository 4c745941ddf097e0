/** Stages of a bridged answer: no more calls than the model may make, no usage that the client did not ask for. */
import { isObject } from "./call_piece.ts";
import type { Choice } from "./openai.ts";
import type { Report } from "./problem.ts";
import type { Outcome } from "./protocol_stage.ts";
import { type Item, type Stage, withChunk } from "./stage.ts";

export interface CallLimit extends Stage {
  /** What became of a choice's calls that may go out, out of what became of all of them. */
  outcome(choice: number, of: Outcome): Outcome;
}

/** Drops the calls behind the first `most` of each choice. */
export function callLimit(most: number, problem: Report): CallLimit {
  const reported = new Set<string>(); // calls whose loss has been told
  const over = new Set<number>(); // choices that have made too many
  const limit = (choice: Choice): Choice => {
    const calls = isObject(choice.delta) ? choice.delta.tool_calls : undefined;
    if (!Array.isArray(calls) || !calls.some(({ index }) => index >= most)) return choice;
    for (const { index, function: called } of calls) {
      const key = `${choice.index} ${index}`;
      if (index < most || reported.has(key)) continue;
      reported.add(key);
      over.add(choice.index ?? 0);
      problem("call-limit", `${called?.name ?? "a call"}: at most ${most} in one answer`);
    }
    const { tool_calls: _, ...rest } = choice.delta!;
    const kept = calls.filter(({ index }) => index < most);
    return { ...choice, delta: kept.length === 0 ? rest : { ...rest, tool_calls: kept } };
  };
  return {
    chunk(item) {
      const { choices } = item.chunk;
      if (!Array.isArray(choices) || !choices.every(isObject)) return [item];
      const limited = choices.map(limit);
      if (limited.every((choice, n) => choice === choices[n])) return [item];
      const left = limited.filter(saysAnything);
      return left.length === 0 ? [] : [withChunk(item, { ...item.chunk, choices: left })];
    },
    end: () => [],
    outcome: (choice, of) => of === "cut" && over.has(choice) ? "whole" : of, // what was cut off is dropped anyway
  };
}

function saysAnything({ delta, finish_reason }: Choice): boolean {
  return Object.keys(delta ?? {}).length > 0 || (finish_reason ?? null) !== null;
}

/** Drops the chunk that holds nothing but usage: Callmend asked for it, not the client. */
export function withoutUsage(): Stage {
  return {
    chunk(item: Item): Item[] {
      const { choices, usage } = item.chunk;
      return isObject(usage) && (!Array.isArray(choices) || choices.length === 0) ? [] : [item];
    },
    end: () => [],
  };
}
