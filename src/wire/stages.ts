/** Runs the stages of one answer, and goes on without one that fails (rule 3). */
import type { Report } from "./problem.ts";
import type { Item, Stage } from "./stage.ts";

/** The stages of an answer as one. */
export interface Stages extends Stage {
  /** Sends items through the stages behind the `from`-th. */
  after(from: number, items: readonly Item[]): readonly Item[];
}

/**
 * Runs items through `stages` in order; `end()` of each feeds the ones after it. A stage that throws is out for the rest
 * of the answer, and what it was given goes on.
 */
export function failOpen(stages: readonly Stage[], problem: Report): Stages {
  const out = new Set<Stage>(); // stages that have thrown
  const fail = (stage: Stage, error: unknown) => {
    out.add(stage);
    problem("stage-failed", error instanceof Error ? `${error.name}: ${error.message}` : String(error));
  };
  const chunk = (stage: Stage, item: Item): readonly Item[] => {
    if (out.size > 0 && out.has(stage)) return [item];
    try {
      return stage.chunk(item);
    } catch (error) {
      fail(stage, error);
      return [item];
    }
  };
  const end = (stage: Stage): readonly Item[] => {
    if (out.has(stage)) return [];
    try {
      return stage.end();
    } catch (error) {
      fail(stage, error);
      return [];
    }
  };
  const after = (from: number, items: readonly Item[]): readonly Item[] => {
    let all = items;
    for (let n = from; n < stages.length && all.length > 0; n++) {
      const stage = stages[n]!;
      all = all.length === 1 ? chunk(stage, all[0]!) : all.flatMap((item) => chunk(stage, item));
    }
    return all;
  };
  return {
    after,
    chunk: (item) => after(0, [item]) as Item[],
    end: () => stages.flatMap((stage, n) => after(n + 1, end(stage))),
  };
}
