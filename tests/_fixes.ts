/** Running fixes in tests: one by one, or as the pipeline chooses them. */
import type { Fix, RequestContext, Target } from "../src/fixes/fix.ts";
import { forgetful } from "../src/fixes/memory.ts";
import { fixes } from "../src/fixes/mod.ts";
import { FixPlan, matchingOf } from "../src/fixes/plan.ts";
import type { Json } from "../src/wire/openai.ts";

export function fixOf(id: string): Fix {
  const fix = fixes.find((each) => each.id === id);
  if (fix === undefined) throw new Error(`there is no fix ${id}`);
  return fix;
}

export function contextOf(target: Partial<Target> = {}): RequestContext {
  return { target: { model: "m", host: "upstream.test", ...target }, memory: forgetful };
}

/** What one fix makes of a body, whether or not it applies. */
export function fixed(id: string, body: Json, target: Partial<Target> = {}): Json {
  return fixOf(id).request!(body, contextOf({ model: String(body["model"] ?? "m"), ...target }));
}

/** What all fixes that apply make of a body, and which of them did something. */
export function planned(body: Json, host = "upstream.test", all: readonly Fix[] = fixes) {
  const applied: string[] = [], problems: string[] = [];
  const context = contextOf({ model: String(body["model"]), host });
  const problem = (code: string, detail: string) => void problems.push(`${code}: ${detail}`);
  const plan = new FixPlan(
    { disabledFixes: [], enabledFixes: [] },
    context,
    { applied: (id) => applied.push(id), problem },
    matchingOf(all, context.target, problem),
  );
  return { body: plan.request(body), applied, problems, plan };
}

/** Freezes a value all the way down. */
export function frozen<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(frozen);
  }
  return value;
}
