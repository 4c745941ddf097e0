/** A turn as the model wrote it: which characters are text, which are markup of which call, and where each problem struck. */
import { setImmediate } from "node:timers/promises";
import type { Field, ProblemCode, TurnEvent } from "../parse/event.ts";
import { createParser, type ParserOptions } from "../parse/parser.ts";
import { Alignment } from "./alignment.ts";
import { lookAhead } from "./look_ahead.ts";

/** Some text of a turn, in the field in which it came; or that the upstream began a call by itself. */
export type TurnPiece = { readonly field: Field; readonly text: string } | "native-call";

/**
 * What a stretch of a field is.
 * `text`: goes on as content; `reasoning`: as reasoning; `call`: markup of a call, all of it; `tag`: begins or ends
 * reasoning; `space`: white space that only separates; `dropped`: everything else that does not go on; `held`: not
 * decided yet.
 */
export type SpanKind = "text" | "reasoning" | "call" | "tag" | "space" | "dropped" | "held";

export interface Span {
  readonly kind: SpanKind;
  readonly start: number;
  readonly end: number;
  /** The number of the call, and the dialect that it was written in. */
  readonly call?: number;
  readonly dialect?: string;
  /** What goes on in its place, where that is not the same: text that was written as a JSON string. */
  readonly said?: string;
}

/** A field of the turn: its spans lie one behind the other and leave nothing out. */
export interface ReadField {
  readonly text: string;
  readonly spans: readonly Span[];
}

export interface ReadProblem {
  readonly code: ProblemCode;
  readonly detail: string;
  readonly field: Field;
  /** Where in the field. */
  readonly at: number;
}

export interface ReadCall {
  readonly index: number;
  readonly name: string;
  readonly dialect: string;
  /** Null for a call that never ended. */
  readonly arguments: string | null;
}

export interface ReadTurn {
  readonly fields: { readonly [field in Field]: ReadField };
  readonly calls: readonly ReadCall[];
  readonly problems: readonly ReadProblem[];
}

export interface ReadingOptions extends Pick<ParserOptions, "tools" | "dialects"> {
  readonly reasoning?: "split" | "keep" | "open" | undefined;
  /** The turn goes on: what is not decided yet is `held`. */
  readonly open?: boolean;
}

/** For how long reading may keep everything else waiting, in milliseconds. */
const TURN_MS = 8;

/** Reads a turn once more, character by character where something is being decided; gives way to others as it goes. */
export async function readTurn(
  pieces: readonly TurnPiece[],
  options: ReadingOptions,
): Promise<ReadTurn> {
  const alignment = new Alignment(pieces);
  const calls = new Map<number, { name: string; dialect: string; json: string; ended: boolean }>();
  const take = (events: readonly TurnEvent[], held: number) => {
    for (const event of events) {
      if (event.type === "call-start") {
        calls.set(event.index, { name: event.name, dialect: event.dialect, json: "", ended: false });
      } else if (event.type === "call-delta") calls.get(event.index)!.json += event.json;
      else if (event.type === "call-end") calls.get(event.index)!.ended = true;
      alignment.take(event, held);
    }
  };
  const parser = createParser(parserOptions(options));
  let since = performance.now();
  for (const piece of lookAhead(pieces, parserOptions(options))) {
    if (piece === "native-call") take(parser.nativeCall(), 0);
    else {
      alignment.feed(piece.text.length);
      take(parser.feed(piece.text, piece.field), parser.held);
    }
    if (performance.now() - since > TURN_MS) {
      await setImmediate();
      since = performance.now();
    }
  }
  if (!options.open) take(parser.end(), 0);
  return {
    ...alignment.end(options.open ?? false),
    calls: [...calls].map(([index, { name, dialect, json, ended }]) => ({
      index,
      name,
      dialect,
      arguments: ended ? json : null,
    })),
  };
}

function parserOptions({ tools, dialects, reasoning }: ReadingOptions): ParserOptions {
  return { tools, dialects, keepReasoning: reasoning === "keep", startsInReasoning: reasoning === "open" };
}
