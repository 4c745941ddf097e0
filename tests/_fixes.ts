/** Running fixes in tests: one by one, or as the pipeline chooses them. */
import type { Fix, RequestContext, Target } from "../src/fixes/fix.ts";
import { forgetful } from "../src/fixes/memory.ts";
import { fixes } from "../src/fixes/mod.ts";
import { FixPlan } from "../src/fixes/plan.ts";
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
  const plan = new FixPlan(
    { disabledFixes: [], enabledFixes: [] },
    contextOf({ model: String(body["model"]), host }),
    { applied: (id) => applied.push(id), problem: (code, detail) => problems.push(`${code}: ${detail}`) },
    all,
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
