/** Asks one model all checks, and finds the mode in which its tool calls work. */
import type { Check } from "./check.ts";
import { checks } from "./checks.ts";
import { type Means, type Trial, tryCheck, tryThrough } from "./trial.ts";

/** How far the examination is. */
export interface Step {
  readonly model: string;
  readonly done: number;
  readonly total: number;
  /** The check, its form and its mode. */
  readonly what: string;
  /** What came of it; undefined while it runs. */
  readonly result?: string;
  readonly ms?: number;
}

/** A needed check that was asked in another mode. */
export interface ModeTrial {
  readonly check: Check;
  readonly stream: boolean;
  readonly works: boolean;
  readonly said: string;
}

/** What was found of one model. */
export interface Examination {
  readonly model: string;
  /** No more was asked, and why. */
  readonly stopped: string | undefined;
  readonly trials: readonly Trial[];
  /** What native calling could not do was tried in these modes too. */
  readonly bridge: readonly ModeTrial[] | undefined;
  readonly fallback: readonly ModeTrial[] | undefined;
  /** The mode in which tool calls work; undefined when there is none. */
  readonly mode: "native" | "fallback" | "bridge" | undefined;
  /** The prompt has opened the model's reasoning: only its end is in the text. */
  readonly reasoningOpen: boolean;
}

const FORMS = [true, false] as const;
const needed = checks.filter((check) => check.needed);

/** Examines a model; `tell` hears of each step twice, when it begins and when it is done. */
export async function examine(means: Means, tell: (step: Step) => void): Promise<Examination> {
  const { model } = means;
  const trials: Trial[] = [];
  let present = means;
  let stopped: string | undefined;
  let [done, total] = [0, checks.length * FORMS.length];
  const step = async <Result>(
    what: string,
    run: () => Promise<Result>,
    said: (result: Result) => string,
  ): Promise<Result> => {
    tell({ model, done, total, what });
    const start = Date.now();
    const result = await run();
    done++;
    tell({ model, done, total, what, result: said(result), ms: Date.now() - start });
    return result;
  };

  for (const check of checks) {
    for (const stream of FORMS) {
      if (stopped !== undefined) continue;
      const trial = await step(`${check.id}, ${form(stream)}`, () => tryCheck(check, stream, present), told);
      trials.push(trial);
      stopped = whyToStop(trials);
      if (opensReasoning(trial)) present = { ...means, config: { ...means.config, reasoning: "open" } };
    }
  }
  const enabled = [...new Set(trials.flatMap((trial) => trial.enabled))];
  present = {
    ...present,
    config: { ...present.config, enabledFixes: [...present.config.enabledFixes ?? [], ...enabled] },
  };
  const reasoningOpen = present.config.reasoning === "open" && means.config.reasoning !== "open";
  const native = stopped === undefined &&
    trials.every(({ check, client }) => !check.needed || client.verdict.outcome === "good");
  if (native || stopped !== undefined) {
    const mode = native ? "native" : undefined;
    return { model, stopped, trials, bridge: undefined, fallback: undefined, mode, reasoningOpen };
  }

  const inMode = async (mode: "bridge" | "fallback"): Promise<ModeTrial[]> => {
    const tried: ModeTrial[] = [];
    total += needed.length * FORMS.length;
    for (const check of needed) {
      for (const stream of FORMS) {
        const run = () => tryThrough(check, stream, { ...present, config: { ...present.config, mode } });
        const { side } = await step(
          `${check.id}, ${form(stream)}, ${mode}`,
          async () => {
            const tried = await run();
            return tried.side.verdict.outcome === "good" || tried.side.turn.error !== undefined
              ? tried
              : await run();
          },
          ({ side }) => side.verdict.outcome === "good" ? "ok" : side.verdict.said,
        );
        const { outcome, said } = side.verdict;
        tried.push({ check, stream, works: outcome === "good", said });
      }
    }
    return tried;
  };
  const bridge = await inMode("bridge");
  if (!works(bridge)) {
    return { model, stopped, trials, bridge, fallback: undefined, mode: undefined, reasoningOpen };
  }
  // Native first is worth it only where a native answer that is of no use can be told from one that is.
  const fallback = await inMode("fallback");
  const mode = works(fallback) ? "fallback" : "bridge";
  return { model, stopped, trials, bridge, fallback, mode, reasoningOpen };
}

export const form = (stream: boolean): string => stream ? "stream" : "JSON";

/** Whether every one of them works. */
export const works = (trials: readonly ModeTrial[]): boolean => trials.every((trial) => trial.works);

/** What a trial came to, in a few words. */
export function told({ direct, client, dialects, askedAgain }: Trial): string {
  const { verdict } = client;
  if (verdict.outcome !== "good") return verdict.said;
  if (direct.verdict.outcome === "good") return "ok";
  const how = askedAgain
    ? "as Callmend asks it"
    : dialects.length > 0
    ? `mended, from ${dialects.join(", ")}`
    : "mended";
  return `ok, ${how}`;
}

/** Nothing more can be found out: the first question is refused in both forms, or the upstream has gone. */
function whyToStop(trials: readonly Trial[]): string | undefined {
  const { turn, verdict } = trials.at(-1)!.direct;
  const { status, failure } = turn.recording;
  if (failure?.kind === "unreachable") return failure.message;
  if (status === 401 || status === 402 || status === 403) return verdict.said;
  const last = trials.slice(-FORMS.length);
  if (last.length < FORMS.length) return undefined;
  if (last.every(({ direct }) => direct.turn.recording.failure?.kind === "timeout")) return verdict.said;
  if (trials.length > FORMS.length) return undefined;
  return last.every(({ direct }) => direct.turn.error !== undefined) ? verdict.said : undefined;
}

/** Only the end of the reasoning stands in the text, and reading it as opened by the prompt takes it out. */
function opensReasoning({ client, check }: Trial): boolean {
  return check.id === "plain" && client.turn.content.includes("</think>") &&
    !client.turn.content.includes("<think>");
}
