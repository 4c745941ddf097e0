/** A captured exchange as the files of a fixture: what a bug report needs, and what `fixtures/exchanges` holds. */
import { defaultRepairConfig } from "../repair_config.ts";
import type { Capture, CapturedAttempt } from "./capture.ts";
import { withoutMadeUp } from "./made_up.ts";
import { messageIn, textOf } from "./replay.ts";

/** The files of a bundle, by name. */
export type Bundle = { readonly [name: string]: string | Uint8Array };

/** Makes the bundle of an exchange that is over. Throws when it holds too little to be one. */
export function bundleOf(capture: Capture): Bundle {
  const { request, attempts, answer } = capture;
  if (answer === null) {
    throw new Error("the exchange is not over, or its client went away before it was answered");
  }
  if (capture.truncated) throw new Error("it was too large to be kept whole; raise --capture-memory");
  const upstream = attempts.map(({ body }) => textOf(body)).join("\n");
  const streams = (answer.headers["content-type"] ?? "").startsWith("text/event-stream");
  const client = withoutMadeUp(textOf(answer.body), upstream, request.body);
  return {
    "README.md": readme(capture),
    "request.json": request.body,
    ...Object.assign({}, ...attempts.map(filesOf)),
    [streams ? "client.sse" : "client.json"]: client,
    "exchange.json": `${JSON.stringify(settingsOf(capture), null, 2)}\n`,
    "capture.json": `${JSON.stringify(capture, null, 2)}\n`,
  };
}

/** What one attempt adds: the first without a number, the others with theirs. */
function filesOf({ request, headers = {}, body }: CapturedAttempt, n: number): Bundle {
  const number = n === 0 ? "" : `-${n + 1}`;
  const kind = (headers["content-type"] ?? "").includes("json") ? "json" : "sse";
  return {
    [`upstream${number}-request.json`]: request.body,
    [`upstream${number}.${kind}`]: textOf(body),
  };
}

/** What `exchange.json` says: where the exchange went, and settings that are not the usual ones. */
function settingsOf({ upstream, config, attempts }: Capture): object {
  const usual = defaultRepairConfig as unknown as { readonly [name: string]: unknown };
  const own = Object.entries(config).filter(([name, value]) =>
    name !== "upstreamHost" && JSON.stringify(value) !== JSON.stringify(usual[name])
  );
  const status = attempts[0]?.status ?? 200;
  const host = config.upstreamHost ??
    (URL.canParse(upstream.address) ? new URL(upstream.address).hostname : "");
  return {
    ...(host !== "" && { upstreamHost: host }),
    ...(status !== 200 && { status }),
    ...Object.fromEntries(own),
  };
}

function readme({ id, time, callmend, upstream, request, report, answer }: Capture): string {
  const count = (list: readonly string[]) => list.length === 0 ? "none" : [...new Set(list)].join(", ");
  const asked = messageIn(request.body);
  return [
    `# Exchange ${id}`,
    "",
    `Model \`${asked?.["model"] ?? ""}\` at ${upstream.name}, on ${time}, with Callmend ${callmend}.`,
    "",
    `- Status ${answer?.status}, outcome ${report?.outcome}, finish ${report?.finish ?? "none"}`,
    `- Calls: ${JSON.stringify(report?.callsByDialect ?? {})}`,
    `- Fixes: ${count(report?.fixes ?? [])}`,
    `- Problems: ${count(report?.problems.map(({ code }) => code) ?? [])}`,
    "",
    "What is wrong with it, and what should have come of it: (say so here)",
    "",
    "Keys are taken out; what was said to the model and what it said is in the files. `callmend replay capture.json`",
    "shows what today's code makes of it; the folder can be put under `fixtures/exchanges` as it is.",
    "",
  ].join("\n");
}
