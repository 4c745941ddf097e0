/** Parsing a turn in tests: feed, merge, fold. */
import assert from "node:assert/strict";
import { dialects } from "../src/dialects/mod.ts";
import type { Dialect, Tool } from "../src/parse/dialect.ts";
import type { Field, TurnEvent } from "../src/parse/event.ts";
import { createParser, type ParserOptions } from "../src/parse/parser.ts";

/** A piece of a turn: text of the content, or of one field. */
export type Piece = string | { readonly [field in Field]?: string };

/** A turn as any parser could report it. */
export interface Turn {
  content: string;
  reasoning: string;
  calls: { name: string; arguments: unknown; id?: string }[];
  problems: string[];
  /** A call was cut off. */
  cut: boolean;
}

export type Options = Partial<Omit<ParserOptions, "dialects">> & { readonly dialects?: readonly Dialect[] };

/** Parses pieces, fed one by one. */
export function parse(pieces: readonly Piece[], tools: readonly Tool[], options: Options = {}): TurnEvent[] {
  const parser = createParser({ dialects, ...options, tools });
  const events = pieces.flatMap((piece) => {
    if (typeof piece === "string") return parser.feed(piece);
    return [...parser.feed(piece.reasoning ?? "", "reasoning"), ...parser.feed(piece.content ?? "")];
  });
  events.push(...parser.end());
  return events;
}

/** Adjacent deltas of one kind are one event: how text was cut must not show. */
export function merge(events: readonly TurnEvent[]): TurnEvent[] {
  const merged: TurnEvent[] = [];
  for (const event of events) {
    const last = merged.at(-1);
    if ((event.type === "content-delta" || event.type === "reasoning-delta") && last?.type === event.type) {
      merged[merged.length - 1] = { ...event, text: last.text + event.text };
    } else if (event.type === "call-delta" && last?.type === "call-delta" && last.index === event.index) {
      merged[merged.length - 1] = { ...event, json: last.json + event.json };
    } else merged.push(event);
  }
  return merged;
}

/** Folds events into a turn, and asserts that they nest and that ended calls have whole arguments. */
export function fold(events: readonly TurnEvent[]): Turn {
  const turn: Turn = { content: "", reasoning: "", calls: [], problems: [], cut: false };
  let open = -1, next = 0, json = "", name = "", id: string | undefined;
  for (const event of events) {
    switch (event.type) {
      case "content-delta":
        turn.content += event.text;
        break;
      case "reasoning-delta":
        turn.reasoning += event.text;
        break;
      case "problem":
        turn.problems.push(event.code);
        break;
      case "call-start":
        assert.equal(open, -1, "calls overlap");
        assert.equal(event.index, next, "calls are numbered 0, 1, 2");
        open = next++;
        json = "";
        ({ name, id } = event);
        break;
      case "call-delta":
        assert.equal(event.index, open, "arguments inside their call");
        json += event.json;
        break;
      case "call-end":
        assert.equal(event.index, open, "an end has a start");
        open = -1;
        turn.calls.push({ name, arguments: JSON.parse(json), ...(id === undefined ? {} : { id }) });
        break;
    }
    if (open !== -1 && event.type === "problem" && /^call-(truncated|broken)$/.test(event.code)) {
      assert.throws(() => JSON.parse(json), "a call that was cut off must not read as whole");
      open = -1;
      turn.cut = true;
    }
    if (event.type === "problem" && event.code === "call-truncated") turn.cut = true;
  }
  assert.equal(open, -1, "a call that never ended is reported");
  return turn;
}

/** Every way to cut a text in two. */
export function* splits(text: string): Generator<[string, string]> {
  for (let at = 0; at <= text.length; at++) yield [text.slice(0, at), text.slice(at)];
}
