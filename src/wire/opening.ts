/** Holds back the end of an answer that has said nothing: it is not over then, as the model is asked again. */
import { isObject } from "./call_piece.ts";
import { finishReason } from "./finish.ts";
import type { Choice, Delta } from "./openai.ts";
import type { Outcome } from "./protocol_stage.ts";
import { type Item, type Stage, withChunk } from "./stage.ts";

/** Stands before the protocol stage, and hands on to it what may go out. */
export interface Opening extends Stage {
  /** Text or a call has come, or a reason why there is none: the answer counts. */
  readonly said: boolean;
  /** The upstream has said all of it. */
  readonly finished: boolean;
  /** The upstream says that it called a tool, but no call came. */
  readonly lacksCall: boolean;
}

export interface OpeningOptions {
  readonly protocol: Stage;
  /** How many choices the request asked for. */
  readonly choices: number;
  outcome(choice: number): Outcome;
}

export function opening({ protocol, choices, outcome }: OpeningOptions): Opening {
  let held: Item[] = []; // what says nothing: it goes out before what does
  let said = false, called = false, claimed = false;
  const finished = new Set<number>(); // choices that have had a finish

  const release = (): Item[] => {
    const items = held;
    held = [];
    return items.flatMap((item) => protocol.chunk(item));
  };

  const note = (choice: Choice, position: number): void => {
    const delta = isObject(choice.delta) ? choice.delta : {};
    called ||= Array.isArray(delta.tool_calls) && delta.tool_calls.length > 0;
    said ||= saysSomething(delta);
    const finish = finishReason(choice.finish_reason);
    if (finish === null) return;
    const index = choice.index ?? position;
    finished.add(index);
    claimed ||= finish === "tool_calls" || finish === "function_call";
    // The client is told why there is nothing: the model was stopped.
    said ||= finish === "length" || finish === "content_filter" || outcome(index) === "cut";
  };

  return {
    chunk(item) {
      const list = Array.isArray(item.chunk.choices) ? item.chunk.choices.filter(isObject) : [];
      list.forEach(note);
      if (said) return [...release(), ...protocol.chunk(item)];
      const thinks = list.some(({ delta }) => isObject(delta) && hasReasoning(delta));
      if (!thinks) {
        held.push(item);
        return [];
      }
      // Reasoning streams live; the finish that may come with it waits.
      const live = list.map((choice) => ({ ...choice, finish_reason: null }));
      const out = [...release(), ...protocol.chunk(withChunk(item, { ...item.chunk, choices: live }))];
      const ends = list.filter((choice) => finishReason(choice.finish_reason) !== null);
      const rest = ends.map((choice) => ({ ...choice, delta: {} }));
      if (rest.length > 0) held.push(withChunk(item, { ...item.chunk, choices: rest }));
      return out;
    },
    end() {
      said ||= Array.from({ length: choices }, (_, index) => outcome(index)).includes("cut");
      return said ? [...release(), ...protocol.end()] : [];
    },
    get said() {
      return said;
    },
    get finished() {
      return finished.size >= choices;
    },
    get lacksCall() {
      return claimed && !called;
    },
  };
}

/** White space is no text, and a role or reasoning is no answer. */
function saysSomething(delta: Delta): boolean {
  return Object.entries(delta).some(([key, value]) => {
    if (key === "role" || REASONING.test(key)) return false;
    return typeof value === "string"
      ? /\S/.test(value)
      : Array.isArray(value)
      ? value.length > 0
      : isObject(value);
  });
}

function hasReasoning(delta: Delta): boolean {
  return Object.entries(delta).some(([key, value]) =>
    REASONING.test(key) &&
    (typeof value === "string" ? value !== "" : Array.isArray(value) && value.length > 0)
  );
}

const REASONING = /^reasoning|^thinking/;
