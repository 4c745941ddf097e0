/** The fixes of one exchange: chosen for its target, run over the request, and made into stages for the answer. */
import type { Tool } from "../parse/dialect.ts";
import type { ChatRequest } from "../wire/chat_request.ts";
import type { Fetch } from "../wire/fetch.ts";
import type { Json } from "../wire/openai.ts";
import type { Report } from "../wire/problem.ts";
import type { Stage } from "../wire/stage.ts";
import type { AnswerContext, Fix, RequestContext, Target } from "./fix.ts";
import { fixes } from "./mod.ts";

/** Which fixes are on. */
export interface FixChoice {
  readonly disabledFixes: readonly string[];
  readonly enabledFixes: readonly string[];
}

/** What becomes known of fixes in the course of an exchange. */
export interface FixWatch {
  /** A fix changed something. */
  readonly applied: (id: string) => void;
  readonly problem: Report;
}

/** The stages of an answer that fixes add. */
export interface FixStages {
  /** In front of the stage that finds calls. */
  readonly before: readonly Stage[];
  /** Behind all others. */
  readonly after: readonly Stage[];
  /** Every event has to be read, also where nothing else would. */
  readonly reads: boolean;
}

/** Whether a fix is on where it applies. What is switched off stays off. */
export function isOn(fix: Fix, { disabledFixes, enabledFixes }: FixChoice): boolean {
  return !disabledFixes.includes(fix.id) && (fix.off !== true || enabledFixes.includes(fix.id));
}

/** Which fixes apply is the same for each request to a model: found once. */
const matches = new Map<string, readonly Fix[]>();
const MOST_MATCHES = 256;

/** Clients choose the names of models: one that is longer is not kept. */
const LONGEST_KEY = 512;

/** The fixes that apply where a request is going. */
export function matching(target: Target, { problem }: Pick<FixWatch, "problem">): readonly Fix[] {
  const key = `${target.host}\0${target.model}`;
  let found = matches.get(key);
  if (found === undefined) {
    found = matchingOf(fixes, target, problem);
    if (key.length > LONGEST_KEY) return found;
    if (matches.size >= MOST_MATCHES) matches.delete(matches.keys().next().value!);
    matches.set(key, found);
  }
  return found;
}

/** Those of `all` that apply. */
export function matchingOf(all: readonly Fix[], target: Target, problem: Report): readonly Fix[] {
  return all.filter((fix) => attempt(fix, false, () => fix.applies(target), { problem }));
}

export class FixPlan {
  readonly #fixes: readonly Fix[];
  readonly #context: RequestContext;
  readonly #watch: FixWatch;
  /** Finish reasons that go to the client as they are: the fix that is their switch is off. */
  readonly finishKept: ReadonlySet<string>;

  /** `chosen` are those that apply to the target. */
  constructor(choice: FixChoice, context: RequestContext, watch: FixWatch, chosen: readonly Fix[]) {
    this.#fixes = chosen.filter((fix) => isOn(fix, choice));
    this.#context = context;
    this.#watch = watch;
    const off = chosen.filter((fix) => !isOn(fix, choice)).flatMap(({ finish = [] }) => finish);
    this.finishKept = new Set(off);
  }

  /** Some fix is about the finish reason: the wire does its work, in answers that it reads. */
  get finishes(): boolean {
    return this.#fixes.some(({ finish }) => finish !== undefined);
  }

  /** The request as it goes up, or to the bridge; the same object when there is nothing to change. */
  request(body: Json, bridged = false): Json {
    let now = body;
    for (const fix of this.#fixes) {
      if (fix.request !== undefined && !(bridged && fix.native)) now = this.#asked(fix, now);
    }
    return now;
  }

  #asked(fix: Fix, before: Json): Json {
    const after = attempt(fix, before, () => fix.request!(before, this.#context), this.#watch);
    if (after !== before) this.#watch.applied(fix.id);
    return after;
  }

  /** What a call may name: the tools that went up, and the same by the names that the client gave them (rule 6). */
  callable(asked: Json, { body, tools }: Pick<ChatRequest, "body" | "tools">): readonly Tool[] {
    if (body.tools === asked.tools) return tools; // as the client named them
    return this.#fixes.reduce((known, fix) => {
      const names = attempt(fix, undefined, () => fix.names?.(asked), this.#watch) ?? [];
      const own = [...names].flatMap(([name, sent]) =>
        known.some((tool) => tool.name === name)
          ? []
          : known.filter((tool) => tool.name === sent).map((tool) => ({ ...tool, name }))
      );
      return [...known, ...own];
    }, tools);
  }

  /** A fix stands in the way to the upstream. */
  get sends(): boolean {
    return this.#fixes.some((fix) => fix.send !== undefined);
  }

  /** The way to the upstream. */
  send(next: Fetch, sent: Json): Fetch {
    return this.#fixes.reduce(
      (before, fix) => fix.send === undefined ? before : this.#sent(fix, before, sent),
      next,
    );
  }

  /** The way that a fix goes; when it throws, what it had asked before, or was answered. */
  #sent(fix: Fix, next: Fetch, sent: Json): Fetch {
    return async (request) => {
      let answer: Response | undefined, refused = false; // what came of asking
      const asking: Fetch = async (request) => {
        try {
          return answer = await next(request);
        } catch (error) {
          refused = true;
          throw error;
        }
      };
      try {
        return await fix.send!(asking, { sent, applied: () => this.#watch.applied(fix.id) })(request);
      } catch (error) {
        if (refused) throw error;
        this.#watch.problem("fix-failed", `${fix.id}: ${told(error)}`);
        if (answer?.bodyUsed) throw error;
        return answer ?? await next(request);
      }
    };
  }

  /** Fresh stages for one answer. */
  stages(asked: Json, sent: Json, tools: readonly Tool[]): FixStages {
    const context: AnswerContext = { ...this.#context, asked, sent, tools };
    const before: Stage[] = [], after: Stage[] = [];
    let reads = false;
    for (let n = this.#fixes.length - 1; n >= 0; n--) {
      const fix = this.#fixes[n]!;
      const added = this.#add(fix, "response", context, before) + this.#add(fix, "after", context, after);
      reads ||= added > 0 && fix.skims !== true;
    }
    return { before, after, reads };
  }

  /** Adds the stage of a fix, if it has one; how many that is. */
  #add(fix: Fix, part: "response" | "after", context: AnswerContext, stages: Stage[]): number {
    if (fix[part] === undefined) return 0;
    const stage = attempt(fix, undefined, () => fix[part]!(context), this.#watch);
    if (stage === undefined) return 0;
    stages.push(this.#watched(fix, stage));
    return 1;
  }

  /** The upstream said a finish reason that the wire put into the protocol's words. */
  finished(word: string): void {
    for (const { id, finish } of this.#fixes) if (finish?.includes(word)) this.#watch.applied(id);
  }

  /** A stage that tells when it changes something, and is out once it has thrown. */
  #watched(fix: Fix, stage: Stage): Stage {
    const { applied, problem } = this.#watch;
    let out = false;
    const fail = (error: unknown) => {
      out = true;
      problem("fix-failed", `${fix.id}: ${told(error)}`);
    };
    return {
      chunk(item) {
        if (out) return [item];
        try {
          const now = stage.chunk(item);
          if (now.length !== 1 || now[0] !== item) applied(fix.id);
          return now;
        } catch (error) {
          fail(error);
          return [item];
        }
      },
      end() {
        if (out) return [];
        try {
          const rest = stage.end();
          if (rest.length > 0) applied(fix.id);
          return rest;
        } catch (error) {
          fail(error);
          return [];
        }
      },
    };
  }
}

/** What a fix says; `otherwise` when it throws (rule 3). */
function attempt<T>(fix: Fix, otherwise: T, work: () => T, { problem }: Pick<FixWatch, "problem">): T {
  try {
    return work();
  } catch (error) {
    problem("fix-failed", `${fix.id}: ${told(error)}`);
    return otherwise;
  }
}

function told(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
