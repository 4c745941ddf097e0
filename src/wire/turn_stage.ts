/** The turn as a stage: for now only its native calls; the dialects of text come on top. */
import { beginnings, resolver } from "../parse/names.ts";
import type { Tool } from "../parse/dialect.ts";
import type { RepairConfig } from "../repair_config.ts";
import { fromFunctionCall, isObject } from "./call_piece.ts";
import { finishReason } from "./finish.ts";
import { NativeCalls } from "./native_calls.ts";
import type { Choice, Delta, Json } from "./openai.ts";
import type { Report } from "./problem.ts";
import type { Outcome } from "./protocol_stage.ts";
import type { Item, Stage } from "./stage.ts";

/** The stage that finds and mends the calls of a turn. */
export interface TurnStage extends Stage {
  /** Something is held back that may become a call. */
  readonly holding: boolean;
  /** What became of the calls of a choice. */
  outcome(choice: number): Outcome;
  /** The answer breaks off: text that is still held, where it is safe to send; never the end of a call. */
  flush?(): Item[];
  /** The dialects that calls were found in. */
  readonly dialects?: readonly string[];
}

export interface TurnStageOptions {
  readonly tools: readonly Tool[];
  readonly config: RepairConfig;
  readonly problem: Report;
}

export function turnStage({ tools, config, problem }: TurnStageOptions): TurnStage {
  const resolve = resolver(tools), begins = beginnings(tools);
  const barely = (name: string) => {
    const tool = tools.find((tool) => tool.name === name);
    return tool !== undefined && Object.keys(tool.parameters?.properties ?? {}).length === 0;
  };
  const choices = new Map<number, NativeCalls>();
  const callsOf = (index: number): NativeCalls => {
    let next = 0;
    const known = choices.get(index);
    if (known !== undefined) return known;
    const whole = config.arguments === "whole";
    const calls = new NativeCalls({
      resolve,
      begins,
      barely,
      newId,
      nextIndex: () => next++,
      problem,
      whole,
    });
    choices.set(index, calls);
    return calls;
  };

  let base: Json = {}; // the envelope of the chunks so far

  return {
    get holding() {
      for (const calls of choices.values()) if (calls.holding) return true;
      return false;
    },
    outcome(choice) {
      const calls = choices.get(choice);
      if (calls === undefined) return "none";
      return calls.truncated ? "cut" : calls.count > 0 ? "whole" : "none";
    },
    chunk(item) {
      const { chunk } = item;
      if (!Array.isArray(chunk.choices)) return [item];
      const before: Choice[] = [];
      const mended = chunk.choices.map((choice, position) => {
        if (!isObject(choice)) return choice;
        const index = typeof choice.index === "number" ? choice.index : position;
        const said = isObject(choice.delta) ? choice.delta as Delta : {};
        const delta = fromFunctionCall(said);
        const reason = finishReason(choice.finish_reason);
        const called = Array.isArray(delta.tool_calls) || isObject(delta.tool_calls);
        if (!called && (reason === null || !choices.has(index))) return choice;
        const calls = callsOf(index);
        const { deltas, same } = calls.delta(delta.tool_calls);
        const owed = reason === null ? [] : calls.end(reason === "length");
        const { tool_calls: _, ...rest } = delta;
        if (owed.length === 0) {
          if (same && delta === said) return choice;
          return { ...choice, delta: deltas.length === 0 ? rest : { ...rest, tool_calls: deltas } };
        }
        const tool_calls = [...deltas, ...owed];
        before.push({ ...choice, index, delta: { ...rest, tool_calls }, finish_reason: null });
        return { ...choice, delta: {} };
      });
      const { choices: _, usage: __, ...head } = chunk;
      base = head;
      const same = mended.every((choice, n) => choice === chunk.choices![n]);
      if (same) return [item];
      const owed = before.map((choice) => ({ chunk: { ...head, choices: [choice] } }));
      return [...owed, { chunk: { ...chunk, choices: mended } }];
    },
    end() {
      return [...choices].flatMap(([index, calls]) => {
        const tool_calls = calls.end(true); // no finish reason came: it may have broken off
        const choice = { index, delta: { tool_calls }, finish_reason: null };
        return tool_calls.length === 0 ? [] : [{ chunk: { ...base, choices: [choice] } }];
      });
    },
  };
}

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** `call_` and 24 random characters, as OpenAI's are. */
export function newId(): string {
  let id = "call_";
  for (const byte of crypto.getRandomValues(new Uint8Array(24))) id += LETTERS[byte % LETTERS.length];
  return id;
}
