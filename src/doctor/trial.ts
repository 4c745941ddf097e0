/** One check in one form: asked of the upstream itself, and the same answer put through the pipeline. */
import { fixes } from "../fixes/mod.ts";
import { repair } from "../repair.ts";
import type { RepairConfig } from "../repair_config.ts";
import type { Json } from "../wire/openai.ts";
import { type ExchangeReport, onEnd } from "../wire/watcher.ts";
import { bad, type Check, shortened, unclear, type Verdict } from "./check.ts";
import { faultsOf } from "./faults.ts";
import { dialectSymptom, refusalOf, symptomOf } from "./quirks.ts";
import { type Asking, record, type Recording, replay } from "./recording.ts";
import { readTurn, type Turn } from "./turn.ts";

/** How a trial is made. */
export interface Means {
  readonly model: string;
  /** The upstream's host, by which fixes know it. */
  readonly host: string;
  readonly asking: Asking;
  readonly config: Partial<RepairConfig>;
  /** Waits before the upstream is asked again. */
  readonly pause: (ms: number) => Promise<void>;
}

/** What one side got, and what it is worth. */
export interface Side {
  readonly turn: Turn;
  readonly verdict: Verdict;
}

/** What came of one check in one form. */
export interface Trial {
  readonly check: Check;
  readonly stream: boolean;
  /** What the upstream answered by itself. */
  readonly direct: Side;
  /** What a client gets through Callmend. */
  readonly client: Side;
  /** The client's answer is not made of the direct one: the upstream was asked again, as Callmend asks it. */
  readonly askedAgain: boolean;
  readonly dialects: readonly string[];
  readonly fixes: readonly string[];
  readonly problems: ExchangeReport["problems"];
  /** Numbers of symptoms. */
  readonly symptoms: readonly string[];
  /** Fixes that are off by default, and were needed. */
  readonly enabled: readonly string[];
}

const CHAT = "/chat/completions";

/** Makes one trial. */
export async function tryCheck(check: Check, stream: boolean, means: Means): Promise<Trial> {
  const body = requestOf(check.body, stream, means);
  let first = await directly(check, body, stream, means);
  // A model may do something else once; what it does twice is what it does.
  if (check.needed && first.client.verdict.outcome === "bad" && first.direct.turn.error === undefined) {
    first = await directly(check, body, stream, means);
  }
  if (first.client.verdict.outcome === "good" || first.direct.turn.error === undefined) return first;
  const symptom = refusalOf(check, first.direct.turn);
  const enabled = fixes.filter((fix) =>
    fix.off && symptom !== undefined && fix.symptoms.includes(symptom) && fix.applies(means)
  ).map(({ id }) => id);
  if (!first.changed && enabled.length === 0) return first;
  for (const extra of first.changed && enabled.length > 0 ? [[], enabled] : [enabled]) {
    const { side, report } = await through(check, body, withFixes(means, extra));
    if (side.verdict.outcome === "bad" && extra !== enabled && enabled.length > 0) continue;
    return {
      ...first,
      client: side,
      askedAgain: true,
      dialects: report?.dialects ?? [],
      fixes: report?.fixes ?? [],
      problems: report?.problems ?? [],
      symptoms: [...first.symptoms, ...found(readTurn(side.turn.recording), report)],
      enabled: side.verdict.outcome === "bad" ? [] : extra,
    };
  }
  return first;
}

const withFixes = (means: Means, ids: readonly string[]): Means => ({
  ...means,
  config: { ...means.config, enabledFixes: [...means.config.enabledFixes ?? [], ...ids] },
});

const requestOf = (body: Json, stream: boolean, { model }: Means): Json => ({ model, ...body, stream });

/** Asks the upstream itself; the same answer then goes through the pipeline. `changed`: Callmend asks otherwise. */
async function directly(
  check: Check,
  body: Json,
  stream: boolean,
  means: Means,
): Promise<Trial & { readonly changed: boolean }> {
  const recording = await politely(body, means);
  const turn = readTurn(recording);
  let verdict = judged(check, turn);
  let report: ExchangeReport | undefined;
  let changed = false;
  const next = replay(recording, (sent) => changed ||= sent !== JSON.stringify(body));
  const answer = readTurn(
    await record(
      { next: repairing(next, means, (seen) => report = seen), key: undefined, limitMs: REPLAY_MS },
      CHAT,
      body,
    ),
  );
  let client = judged(check, answer);
  if (client.outcome === "bad" && check.control !== undefined && turn.error === undefined) {
    const control = readTurn(await politely(requestOf(check.control, stream, means), means));
    if (judged(check, control).outcome !== "good") {
      verdict = client = unclear("accepted; the model repeats no words, not in a short prompt either");
    }
  }
  const symptoms = [...faultsOf(turn), ...found(turn, report)];
  const refusal = refusalOf(check, turn);
  if (refusal !== undefined) symptoms.push(refusal);
  else if (turn.error === undefined && verdict.outcome === "bad" && check.symptom) {
    symptoms.push(check.symptom);
  }
  return {
    check,
    stream,
    direct: { turn, verdict },
    client: { turn: answer, verdict: client },
    askedAgain: false,
    dialects: report?.dialects ?? [],
    fixes: report?.fixes ?? [],
    problems: report?.problems ?? [],
    symptoms,
    enabled: [],
    changed,
  };
}

/** The pipeline reads a recording: nothing to wait for. */
const REPLAY_MS = 30_000;

const repairing = (
  next: Asking["next"],
  { config, host }: Means,
  observe: (report: ExchangeReport) => void,
) => repair(next, { ...config, upstreamHost: host }, onEnd(observe));

/** Asks through the pipeline. */
export async function through(
  check: Check,
  body: Json,
  means: Means,
): Promise<{ readonly side: Side; readonly report: ExchangeReport | undefined }> {
  let report: ExchangeReport | undefined;
  const next = repairing(means.asking.next, means, (seen) => report = seen);
  const turn = readTurn(await politely(body, { ...means, asking: { ...means.asking, next } }));
  return { side: { turn, verdict: judged(check, turn) }, report };
}

/** Asks a check in one form through the pipeline as it is set up. */
export function tryThrough(check: Check, stream: boolean, means: Means): ReturnType<typeof through> {
  return through(check, requestOf(check.body, stream, means), means);
}

function judged(check: Check, turn: Turn): Verdict {
  if (turn.error === undefined) return check.judge(turn);
  const { status, failure } = turn.recording;
  if (failure !== undefined) return bad(failure.message);
  return bad(
    status === 200
      ? `an error inside a 200: ${shortened(turn.error, 160)}`
      : `${status}: ${shortened(turn.error, 160)}`,
  );
}

/** The symptoms that the pipeline's own report names. */
function found(turn: Turn, report: ExchangeReport | undefined): string[] {
  const native = turn.calls.length > 0;
  const problems = report?.problems.map(({ code }) => symptomOf(code, native)) ?? [];
  const dialects = native ? [] : report?.dialects.map(dialectSymptom) ?? [];
  return [...dialects, ...problems.filter((symptom) => symptom !== undefined)];
}

/** No longer than this is waited when the upstream says that it is asked too often. */
const MOST_WAIT_SECONDS = 60;

/** Asks; once more where the upstream says after which time it may be. */
async function politely(body: Json, { asking, pause }: Means): Promise<Recording> {
  const recording = await record(asking, CHAT, body);
  if (recording.status !== 429) return recording;
  const seconds = Number(recording.headers.get("retry-after") ?? NaN);
  if (!(seconds >= 0 && seconds <= MOST_WAIT_SECONDS)) return recording;
  await pause(seconds * 1000);
  return await record(asking, CHAT, body);
}
