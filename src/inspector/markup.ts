/** A stretch of a turn that did not come out as text: which of it belongs to which call, and what was dropped. */
import {
  closerOfReasoning,
  closesReasoning,
  END_TOKENS,
  RESULT_TAGS,
  RESULT_WORD,
} from "../parse/signals.ts";
import type { Span } from "./reading.ts";

/** A call that came out of the stretch. */
export interface MarkupCall {
  readonly index: number;
  readonly name: string;
  readonly dialect: string;
  /** How much of the turn had been read when it began, and when it ended. */
  readonly begun: number;
  ended: number | undefined;
}

/** The spans of `source` from `start` to `end`, one behind the other. */
export function markup(source: string, start: number, end: number, calls: readonly MarkupCall[]): Span[] {
  const text = source.slice(start, end);
  const first = start + (/^[ \t\r\n]*/.exec(text)?.[0].length ?? 0);
  if (first === end && calls.length === 0) return [{ kind: "space", start, end }];
  const last = Math.max(first, start + text.trimEnd().length);
  const core = calls.length === 0 ? plain(source, first, last) : called(source, first, last, calls);
  return [space(start, first), ...core, space(last, end)].filter((span) => span.end > span.start);
}

const space = (start: number, end: number): Span => ({ kind: "space", start, end });

function plain(source: string, start: number, end: number): Span[] {
  const text = source.slice(start, end);
  const isTag = text.length < 64 && (closesReasoning(text) || closerOfReasoning(text) !== undefined);
  return [{ kind: isTag ? "tag" : "dropped", start, end }];
}

function called(source: string, start: number, end: number, calls: readonly MarkupCall[]): Span[] {
  const tag = tagBefore(source, start, end);
  const over = droppedFrom(source, calls.at(-1)!.ended ?? end, end);
  const spans: Span[] = [...(tag > start ? plain(source, start, tag) : [])];
  let at = tag;
  for (const [n, call] of calls.entries()) {
    const next = calls[n + 1];
    const to = next === undefined ? over : Math.min(over, Math.max(at, boundary(source, at, call, next)));
    const text = source.slice(at, to);
    const begin = to - text.trimStart().length;
    const last = Math.max(begin, at + text.trimEnd().length);
    const { index, dialect } = call;
    spans.push(
      space(at, begin),
      { kind: "call", start: begin, end: last, call: index, dialect },
      space(last, to),
    );
    at = to;
  }
  if (over < end) spans.push({ kind: "dropped", start: over, end });
  return spans;
}

/** Where a tag of reasoning ends that stands before the first call. */
function tagBefore(source: string, start: number, end: number): number {
  const tag = /^(?:<[^<>]{2,40}>|\[[^[\]]{2,30}\]|◁[^◁▷]{2,10}▷)/.exec(
    source.slice(start, Math.min(end, start + 64)),
  )?.[0];
  return tag !== undefined && (closesReasoning(tag) || closerOfReasoning(tag) !== undefined)
    ? start + tag.length
    : start;
}

/** Where, behind the last call, a made-up result or a token begins that was dropped. */
function droppedFrom(source: string, from: number, end: number): number {
  if (from >= end) return end;
  const rest = source.slice(from, end);
  const found = [...END_TOKENS, ...RESULT_TAGS, RESULT_WORD].map((word) => rest.indexOf(word)).filter((at) =>
    at !== -1
  );
  return found.length === 0 ? end : from + Math.min(...found);
}

/** Where one call's markup ends and the next one's begins. */
function boundary(source: string, from: number, call: MarkupCall, next: MarkupCall): number {
  // They came one after the other: behind the end of the first, and what closes it.
  if (call.ended !== undefined && call.ended < next.begun && call.ended > from) {
    return call.ended + (/^\s*<\/[^<>]*>/.exec(source.slice(call.ended, call.ended + 64))?.[0].length ?? 0);
  }
  // They came at once, as the block was decided as a whole: before the next one's name.
  const own = source.indexOf(call.name, from);
  const behind = own === -1 ? from : own + call.name.length;
  const name = source.indexOf(next.name, behind);
  if (name === -1) return behind;
  const between = source.slice(behind, name);
  const line = between.lastIndexOf("\n");
  const at = line === -1 ? Math.max(...["<", "{", "["].map((open) => between.lastIndexOf(open))) : line + 1;
  return at === -1 ? name : behind + at;
}
