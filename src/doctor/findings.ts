/** What an examination has found, as one plain document: `--json` prints it, and the text is made from it. */
import { fixes } from "../fixes/mod.ts";
import { type Lines, linesFor, type Upstream } from "./advice.ts";
import { type Examination, form, type ModeTrial, told, works } from "./examine.ts";
import { describe } from "./quirks.ts";
import type { Means, Side, Trial } from "./trial.ts";

/** One symptom that showed. */
export interface Quirk {
  readonly symptom: string;
  readonly what: string;
  /** The checks that it showed in. */
  readonly checks: readonly string[];
  /** Where it is mended: a part of Callmend, or fixes by id. */
  readonly answeredBy: readonly string[];
}

/** One check in one form, in few words. */
export interface CheckResult {
  readonly check: string;
  readonly form: string;
  /** `good`, `bad`, or `unclear` when the model did not do what would have shown it. */
  readonly outcome: string;
  readonly said: string;
  readonly milliseconds: number;
  /** What the upstream answers by itself. */
  readonly upstream: {
    readonly status: number;
    readonly outcome: string;
    readonly said: string;
    readonly finish: string | null;
    readonly nativeCalls: number;
  };
  /** What a client gets through Callmend. */
  readonly client: { readonly finish: string | null; readonly calls: number; readonly askedAgain: boolean };
  readonly dialects: readonly string[];
  readonly fixes: readonly string[];
  readonly problems: readonly string[];
  readonly symptoms: readonly string[];
}

/** What was found of one model. */
export interface Findings {
  readonly model: string;
  readonly usable: boolean;
  readonly why: string;
  /** `native`, the dialects that calls are written in, `refused`, or `none`. */
  readonly calls: readonly string[];
  readonly streaming: string;
  /** The raw finish reasons, and those that a client gets. */
  readonly finishReasons: readonly string[];
  readonly clientFinishReasons: readonly string[];
  readonly context: string;
  readonly contextCut: boolean | null;
  readonly quirks: readonly Quirk[];
  readonly fixes: readonly string[];
  readonly bridge: { readonly works: boolean; readonly said: readonly string[] } | null;
  readonly mode: string | null;
  readonly lines: Lines | null;
  readonly checks: readonly CheckResult[];
}

/** Sums up the examinations of an upstream's models. */
export function findingsOf(
  found: readonly (readonly [Examination, Means])[],
  upstream: Upstream,
): readonly Findings[] {
  const alone = new Set(found.map(([{ mode }]) => mode)).size > 1;
  return found.map(([each, means]) => summedUp(each, means, { upstream, alone }));
}

function summedUp(
  found: Examination,
  means: Means,
  { upstream, alone }: { readonly upstream: Upstream; readonly alone: boolean },
): Findings {
  const { model, mode, trials, stopped } = found;
  const quirks = quirksOf(trials, means);
  const enabled = [...new Set(trials.flatMap((trial) => trial.enabled))];
  const cut = contextCut(trials);
  return {
    model,
    usable: mode !== undefined,
    why: why(found),
    calls: waysToCall(trials),
    streaming: streaming(trials),
    finishReasons: finishesOf(trials.map(({ direct }) => direct)),
    clientFinishReasons: finishesOf(trials.map(({ client }) => client)),
    context: stopped === undefined ? context(trials) : "not asked",
    contextCut: cut,
    quirks,
    fixes: [...new Set([...trials.flatMap((trial) => trial.fixes), ...enabled])],
    bridge: found.bridge === undefined ? null : { works: works(found.bridge), said: failures(found.bridge) },
    mode: mode ?? null,
    lines: mode === undefined
      ? null
      : linesFor({ model, mode, enabled, reasoningOpen: found.reasoningOpen, alone }, upstream),
    checks: trials.map(resultOf),
  };
}

const finishesOf = (sides: readonly Side[]) => [
  ...new Set(sides.map(({ turn }) => turn.finish).filter((word) => word !== undefined)),
];

function why({ mode, stopped, trials, bridge, fallback }: Examination): string {
  if (stopped !== undefined) return `no checks beyond this: ${stopped}`;
  if (mode === "native") return "tool calls work through Callmend";
  const failed = trials.find(({ check, client }) => check.needed && client.verdict.outcome !== "good")!;
  const native = `native calls fail (${failed.check.id}, ${
    form(failed.stream)
  }: ${failed.client.verdict.said})`;
  if (mode === undefined) return `${native}, and so does bridge mode (${failures(bridge ?? [])[0] ?? ""})`;
  return mode === "fallback" || fallback === undefined
    ? `${native}; tool calls work through ${mode} mode`
    : `${native}, in a way that fallback mode cannot tell; tool calls work through bridge mode`;
}

const failures = (trials: readonly ModeTrial[]): string[] =>
  trials.filter((trial) => !trial.works).map(({ check, stream, said }) =>
    `${check.id}, ${form(stream)}: ${said}`
  );

const withTools = (trials: readonly Trial[]) =>
  trials.filter(({ check }) => check.body["tools"] !== undefined);

function waysToCall(trials: readonly Trial[]): string[] {
  const asked = withTools(trials);
  const ways = asked.flatMap(({ direct, dialects }) => direct.turn.calls.length > 0 ? ["native"] : dialects);
  if (ways.length > 0) return [...new Set(ways)];
  return [
    asked.length > 0 && asked.every(({ direct }) => direct.turn.error !== undefined) ? "refused" : "none",
  ];
}

function streaming(trials: readonly Trial[]): string {
  const plain = trials.find(({ check, stream, direct }) =>
    check.id === "plain" && stream && direct.turn.error === undefined
  );
  if (plain === undefined) return "not known";
  const { form, recording } = plain.direct.turn;
  if (form !== "events") return "no: it answers JSON to a request for a stream";
  if (plain.symptoms.includes("C25")) return `no: the whole stream comes at once, after ${recording.ms} ms`;
  return `yes, ${recording.pieces.length} pieces; the first after ${recording.pieces[0]?.ms ?? 0} ms`;
}

/** Fewer tokens are no count, and more than these were nearly all of the long prompt. */
const [LEAST_TOKENS, MOST_TOKENS] = [64, 6_000];

const longOnes = (trials: readonly Trial[]) => trials.filter(({ check }) => check.id === "long-prompt");

/** How many tokens of the long prompt got through, where the server counts far fewer than there are. */
function tokensLeft(trials: readonly Trial[]): number | undefined {
  const counts = longOnes(trials).map(({ direct }) => direct.turn.promptTokens ?? 0);
  return counts.find((count) => count >= LEAST_TOKENS && count <= MOST_TOKENS);
}

function contextCut(trials: readonly Trial[]): boolean | null {
  const outcomes = longOnes(trials).map(({ direct }) => direct.verdict.outcome);
  if (outcomes.includes("bad") || tokensLeft(trials) !== undefined) return true;
  return outcomes.includes("good") ? false : null;
}

function context(trials: readonly Trial[]): string {
  const asked = longOnes(trials);
  const refused = asked.find(({ direct }) => direct.turn.error !== undefined);
  if (refused !== undefined) return `a prompt of about 8,000 tokens fails: ${refused.direct.verdict.said}`;
  const count = asked.map(({ direct }) => direct.turn.promptTokens ?? 0).find((tokens) =>
    tokens >= LEAST_TOKENS
  );
  const counted = count === undefined ? "" : ` (the server counts ${count} tokens of it)`;
  if (contextCut(trials) === true) {
    return `CUT: the front of a prompt of about 8,000 tokens is lost${counted}; raise the server's context ` +
      "(Ollama: OLLAMA_CONTEXT_LENGTH=32768, llama.cpp: --ctx-size, vLLM: --max-model-len), or tools will vanish";
  }
  if (contextCut(trials) === false) return `at least about 8,000 tokens${counted}`;
  return `not known: ${asked[0]?.direct.verdict.said ?? "not asked"}`;
}

function quirksOf(trials: readonly Trial[], means: Means): Quirk[] {
  const seen = new Map<string, Set<string>>();
  for (const { check, symptoms } of trials) {
    for (const symptom of symptoms) seen.set(symptom, (seen.get(symptom) ?? new Set()).add(check.id));
  }
  for (const [id] of differing(trials)) seen.set("C28", (seen.get("C28") ?? new Set()).add(id));
  const applied = new Set(trials.flatMap((trial) => [...trial.fixes, ...trial.enabled]));
  const natural = new Intl.Collator("en", { numeric: true });
  return [...seen].sort(([one], [other]) => natural.compare(one, other)).map(([symptom, ids]) => {
    const { what, by } = describe(symptom);
    const ofFixes = fixes.filter((fix) =>
      fix.symptoms.includes(symptom) && (applied.has(fix.id) || (!fix.off && fix.applies(means)))
    );
    const answeredBy = [...(by === undefined ? [] : [by]), ...ofFixes.map(({ id }) => id)];
    return { symptom, what, checks: [...ids], answeredBy };
  });
}

/** Checks whose calls come in one way in a stream, and in another in JSON (symptoms C28). */
function differing(trials: readonly Trial[]): [string, readonly Trial[]][] {
  const way = ({ direct, dialects }: Trial) =>
    direct.turn.error !== undefined ? "refused" : direct.turn.calls.length > 0 ? "native" : dialects.join();
  return [...Map.groupBy(withTools(trials), ({ check }) => check.id)].filter(([, [one, other]]) =>
    one !== undefined && other !== undefined && one.check.needed && way(one) !== way(other)
  );
}

function resultOf(trial: Trial): CheckResult {
  const { check, stream, direct, client, askedAgain, dialects, fixes, problems, symptoms } = trial;
  return {
    check: check.id,
    form: form(stream),
    outcome: client.verdict.outcome,
    said: told(trial),
    milliseconds: direct.turn.recording.ms,
    upstream: {
      status: direct.turn.recording.status,
      outcome: direct.verdict.outcome,
      said: direct.verdict.said,
      finish: direct.turn.finish ?? null,
      nativeCalls: direct.turn.calls.length,
    },
    client: { finish: client.turn.finish ?? null, calls: client.turn.calls.length, askedAgain },
    dialects,
    fixes,
    problems: [...new Set(problems.map(({ code }) => code))],
    symptoms: [...new Set(symptoms)],
  };
}
