/** The doctor's round: every upstream, and the models of each, one request after the other. */
import type { UpstreamSettings } from "../config.ts";
import type { Upstream } from "../doctor/advice.ts";
import { type Examination, examine, type Step } from "../doctor/examine.ts";
import { type Findings, findingsOf } from "../doctor/findings.ts";
import { reach, someOf } from "../doctor/models.ts";
import type { Asking } from "../doctor/recording.ts";
import type { Means } from "../doctor/trial.ts";
import { createRouter } from "../routing/router.ts";
import { createUpstream } from "../upstream.ts";
import { version } from "../version.ts";
import type { Progress } from "./progress.ts";

/** An upstream that is asked. */
export interface Patient {
  readonly settings: UpstreamSettings;
  readonly key: string | undefined;
  readonly lines: Upstream;
}

/** How the round is made. */
export interface Round {
  /** The models to ask; undefined: some of those that are listed. */
  readonly models: readonly string[] | undefined;
  readonly limitMs: number;
  readonly progress: Progress;
}

/** What was found; `--json` prints it. */
export interface Consultation {
  readonly version: string;
  /** Tool calls of every model that was asked work. */
  readonly usable: boolean;
  readonly upstreams: readonly UpstreamFindings[];
  readonly models: readonly (Findings & { readonly upstream: string })[];
}

/** An upstream, and whether it is there. */
export interface UpstreamFindings {
  readonly name: string;
  readonly address: string;
  readonly reachable: boolean;
  /** How many models it lists. */
  readonly listed: number;
  /** Why it cannot be asked. */
  readonly why?: string;
}

/** Asks all upstreams. */
export async function consult(patients: readonly Patient[], round: Round): Promise<Consultation> {
  const router = createRouter(patients);
  const routes = round.models?.map((model) => router.route(model) ?? { upstream: router.first, model });
  const upstreams: UpstreamFindings[] = [];
  const models: (Findings & { upstream: string })[] = [];
  for (const patient of patients) {
    const own = routes?.filter(({ upstream }) => upstream === patient).map(({ model }) => model);
    if (own?.length === 0) continue; // nobody has asked for one of its models
    const found = await visit(patient, own, round);
    upstreams.push(found.upstream);
    models.push(...found.models.map((findings) => ({ upstream: found.upstream.address, ...findings })));
  }
  const usable = models.length > 0 && models.every((findings) => findings.usable) &&
    upstreams.every(({ why }) => why === undefined);
  return { version, usable, upstreams, models };
}

async function visit(
  { settings, key, lines }: Patient,
  named: readonly string[] | undefined,
  { limitMs, progress }: Round,
): Promise<{ readonly upstream: UpstreamFindings; readonly models: readonly Findings[] }> {
  const { address, host } = lines;
  // Times are watched by the checks themselves.
  const next = createUpstream({ ...settings, firstByteTimeoutMs: 0, idleTimeoutMs: 0 });
  const asking: Asking = { next, key, limitMs };
  try {
    progress.begin(`asking ${address}/models`);
    const reached = await reach(asking);
    const listed = reached.kind === "models" ? reached.models : [];
    const upstream = {
      name: settings.name,
      address,
      reachable: reached.kind !== "failed",
      listed: listed.length,
    };
    if (reached.kind === "failed") {
      // The upstream's own words may be a whole sentence already.
      const why = /^Cannot/.test(reached.why)
        ? reached.why
        : `Cannot use the upstream ${address}: ${reached.why}.`;
      return { upstream: { ...upstream, why }, models: [] };
    }
    const list = reached.kind === "models" ? `${listed.length} models` : reached.why;
    progress.done(`${address} answers; ${list} (${reached.ms} ms)`);
    const models = named ?? someOf(listed);
    if (models.length === 0) {
      const why =
        `Cannot tell which models ${address} has (its /models lists none for chat): name one with --model.`;
      return { upstream: { ...upstream, why }, models: [] };
    }
    const found: [Examination, Means][] = [];
    for (const model of models) {
      const pause = async (ms: number) => {
        progress.done(`${model}: asked too often (429); waiting ${ms / 1000} s, as the server asks`);
        await new Promise((resolve) => setTimeout(resolve, ms));
      };
      const { reasoning, dialects, bridgeProtocol, disabledFixes, enabledFixes } = settings;
      const config = {
        reasoning,
        bridgeProtocol,
        disabledFixes,
        enabledFixes,
        ...(dialects && { dialects }),
      };
      const means = { model, host, asking, pause, config };
      found.push([await examine(means, (step) => show(step, progress)), means]);
    }
    return { upstream, models: findingsOf(found, lines) };
  } finally {
    next.close();
  }
}

function show({ model, done, total, what, result, ms = 0 }: Step, progress: Progress): void {
  if (result === undefined) progress.begin(`${model} ${done + 1}/${total}: ${what}`);
  else progress.done(`${model} ${done}/${total}: ${what}: ${result} (${(ms / 1000).toFixed(1)} s)`);
}
