/** What differs between what came of an exchange then and what comes of it now. */
import { parse } from "../wire/json_text.ts";
import { isObject } from "../wire/call_piece.ts";
import { withoutMadeUp } from "./made_up.ts";
import { messageIn, type Played } from "./replay.ts";

/** One thing that is not the same; undefined where it is not there at all. */
export interface Difference {
  /** Where: `answer.choices[0].message.content`. */
  readonly path: string;
  readonly then: unknown;
  readonly now: unknown;
}

/** Compares what the upstream was asked, what the client got, and what was noticed on the way. */
export function differences(then: Played, now: Played, upstream: string): readonly Difference[] {
  const facts = (played: Played) => ({
    asked: played.asked.map((body) => parse(body) ?? body),
    status: played.status,
    answer: messageIn(withoutMadeUp(played.answer, upstream)) ?? played.answer,
    ...(then.report !== null && played.report && {
      problems: played.report.problems.map(({ code }) => code),
      fixes: [...played.report.fixes].sort(),
      dialects: played.report.dialects,
      outcome: played.report.outcome,
    }),
  });
  return compare("", facts(then), facts(now));
}

/** Every leaf that differs. */
function compare(path: string, then: unknown, now: unknown): Difference[] {
  if (Array.isArray(then) && Array.isArray(now)) {
    const length = Math.max(then.length, now.length);
    return Array.from({ length }, (_, n) => compare(`${path}[${n}]`, then[n], now[n])).flat();
  }
  if (isObject(then) && isObject(now)) {
    const names = [...new Set([...Object.keys(then), ...Object.keys(now)])];
    return names.flatMap((name) => compare(path === "" ? name : `${path}.${name}`, then[name], now[name]));
  }
  return Object.is(then, now) ? [] : [{ path, then, now }];
}
