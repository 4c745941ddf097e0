/** Whether the upstream is there, and which models it has. */
import { isObject } from "../wire/call_piece.ts";
import { shortened } from "./check.ts";
import { type Asking, record } from "./recording.ts";
import { readTurn } from "./turn.ts";

/** What the upstream answers to `/models`. */
export type Reached =
  | { readonly kind: "models"; readonly models: readonly string[]; readonly ms: number }
  /** It answers, but has no such list. */
  | { readonly kind: "no-list"; readonly why: string; readonly ms: number }
  /** Asking for more is of no use. */
  | { readonly kind: "failed"; readonly why: string };

/** So many models are asked when none is named. */
export const MOST_MODELS = 3;

/** Asks for the list of models. */
export async function reach(asking: Asking): Promise<Reached> {
  const turn = readTurn(await record(asking, "/models"));
  const { status, failure, ms } = turn.recording;
  if (failure !== undefined) return { kind: "failed", why: failure.message };
  if (status === 401 || status === 403) {
    const key = asking.key === undefined ? "it wants a key" : "it refuses the key";
    return { kind: "failed", why: `${key} (${status}: ${shortened(turn.error ?? "", 160)})` };
  }
  const data = turn.parts[0]?.json["data"];
  if (status !== 200 || !Array.isArray(data)) {
    return { kind: "no-list", why: `/models answers ${status}`, ms };
  }
  const models = (data as unknown[]).filter(isObject).map(({ id }) => id).filter((id) =>
    typeof id === "string"
  );
  return { kind: "models", models, ms };
}

/** Names of models that answer no chat. */
const NO_CHAT = /embed|rerank|whisper|tts|dall-e|moderation|(?:^|[-/])(?:bge|e5|gte)-|transcri|speech|image/i;

/** The models to ask when none is named. */
export function someOf(models: readonly string[]): readonly string[] {
  return (models.length === 1 ? models : models.filter((id) => !NO_CHAT.test(id))).slice(0, MOST_MODELS);
}
