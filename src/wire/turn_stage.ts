/** The stage that finds and mends calls: each choice of an answer is a turn of its own. */
import type { Look } from "../parse/marker.ts";
import { isObject } from "./call_piece.ts";
import { ChoiceTurn, type TurnOptions } from "./choice_turn.ts";
import type { Choice } from "./openai.ts";
import type { Outcome } from "./protocol_stage.ts";
import type { Item, Stage } from "./stage.ts";

/** Calls written as text become `tool_calls`, native calls are mended, text passes. */
export interface TurnStage extends Stage {
  /** A call, or what may be one, is held. */
  readonly holding: boolean;
  /** What became of the calls of a choice. */
  outcome(choice: number): Outcome;
  /** What comes next of the only choice does not go out in the chunks that it comes in. */
  readonly apart: boolean;
  /** Looks for what may be more than text in content of the only choice; see `Parser.look()`. */
  look(text: string, from: number): Look;
  /** Chunks go by that hold nothing but this text, in which `look()` found nothing. */
  pass(text: string): void;
  /** Whether calls of a choice were written as text. */
  written(choice: number): boolean;
  /** The answer breaks off: text that is still held; never the end of a call. */
  flush(): Item[];
  /** How many calls were found in each dialect. */
  readonly callsByDialect: { readonly [dialect: string]: number };
}

/** Makes the stage for one answer. */
export function turnStage(options: TurnOptions): TurnStage {
  const turns = new Map<number, ChoiceTurn>();
  const turnOf = (index: number): ChoiceTurn => {
    let turn = turns.get(index);
    if (turn === undefined) turns.set(index, turn = new ChoiceTurn(options, index));
    return turn;
  };
  const take = (item: Item, choice: Choice, position: number): Item[] =>
    turnOf(typeof choice.index === "number" ? choice.index : position).chunk(item, choice);
  const each = (of: (turn: ChoiceTurn) => Item[]) => (): Item[] => [...turns.values()].flatMap(of);
  return {
    chunk(item) {
      const list = item.chunk.choices;
      if (!Array.isArray(list) || list.length === 0 || !list.every(isObject)) return [item];
      if (list.length === 1) return take(item, list[0]!, 0);
      const { choices, usage, ...envelope } = item.chunk;
      return choices!.flatMap((choice: Choice, position) => {
        const last = position === list.length - 1 && usage !== undefined ? { usage } : {};
        return take({ chunk: { ...envelope, choices: [choice], ...last } }, choice, position);
      });
    },
    get apart() {
      return turns.size === 1 && (turns.get(0)?.apart ?? false);
    },
    look: (text, from) => turns.size === 1 && turns.get(0)?.look(text, from) || { at: from, starts: false },
    pass: (text) => turns.get(0)?.pass(text),
    end: each((turn) => turn.end()),
    flush: each((turn) => turn.flush()),
    get holding() {
      for (const turn of turns.values()) if (turn.holding) return true;
      return false;
    },
    outcome: (choice) => turns.get(choice)?.outcome ?? "none",
    written: (choice) => (turns.get(choice)?.callsByDialect.size ?? 0) > 0,
    get callsByDialect() {
      const all: Record<string, number> = {};
      for (const turn of turns.values()) {
        for (const [dialect, calls] of turn.callsByDialect) all[dialect] = (all[dialect] ?? 0) + calls;
      }
      return all;
    },
  };
}
