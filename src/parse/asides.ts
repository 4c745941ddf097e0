/** What a turn says beside text and calls: reasoning tags, leaked end tokens, made-up tool results. */
import { spanCloses } from "./code.ts";
import type { Hit } from "./marker.ts";
import type { Step } from "./scanner.ts";
import { END_TOKENS, RESULT_WORD } from "./signals.ts";
import type { Turn } from "./turn.ts";

/** An opening tag of reasoning, up to `closer`. */
export function reasoningBegins(turn: Turn, { text }: Hit, closer: string): void {
  if (!turn.markdown.lineBlank || turn.place !== "content") return turn.plain(text);
  turn.tag(text, closer);
}

/** A closing tag of reasoning, with or without an opening one. */
export function* reasoningEnds(turn: Turn, { text }: Hit): Step<void> {
  const { scan } = turn;
  const { fence, lineBlank } = turn.markdown;
  const span = turn.markdown.spanAt(text);
  const inCode = fence !== undefined ? !lineBlank : span > 0 && (yield* spanCloses(scan, span));
  const closes = !inCode &&
    (turn.reasoning ? turn.isCloser(text) || lineBlank : fence === undefined &&
      (lineBlank || !turn.outbox.spoken || LINE_ENDS.includes(yield* turn.scan.peek()) ||
        // A token that prose does not hold, glued to the next: Kimi K3's prompt has opened the reasoning.
        (text.startsWith("<|") && (yield* turn.scan.peek()) === "<")));
  if (!closes) return turn.plain(text);
  turn.tag(text, undefined);
}

/** An end-of-turn token is dropped where the turn ends. */
export function* endToken(turn: Turn, { text }: Hit): Step<void> {
  const { scan } = turn;
  const behind = scan.mark();
  do yield* scan.skipSpace(); while (yield* scan.accept(...END_TOKENS));
  if ((yield* scan.peek()) === "") {
    scan.release();
    turn.outbox.problem("special-token", text);
  } else {
    scan.rewind(behind);
    turn.plain(text);
  }
}

/** A tool result behind a call was made up: it is dropped, and the answer ends there. */
export function* toolResult(turn: Turn, { text }: Hit): Step<void> {
  const { sinceCall } = turn.outbox;
  const madeUp = turn.markdown.lineBlank && turn.place === "content" &&
    (sinceCall === "space" || (sinceCall === "text" && text !== RESULT_WORD));
  if (!madeUp) return turn.plain(text);
  turn.outbox.problem("result-invented", text);
  yield* turn.scan.run(NEVER, ignore);
}

const NEVER = /[^\s\S]/g;
const LINE_ENDS: readonly string[] = ["", "\n", "\r"];
const ignore = (): void => {};
