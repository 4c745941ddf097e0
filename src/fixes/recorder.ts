/** A stage that watches what the client gets, and hands on each call with its message once the message is over. */
import { isObject } from "../wire/call_piece.ts";
import type { Choice, Json } from "../wire/openai.ts";
import type { Stage } from "../wire/stage.ts";
import { textOr } from "./body.ts";
import type { CallKey } from "./memory.ts";

/** A call as the client got it. */
export interface SeenCall extends CallKey {
  /** All fields of its deltas; what came later wins. */
  readonly fields: Json;
}

/** One message as the client got it. */
export interface SeenMessage {
  readonly calls: readonly SeenCall[];
  readonly reasoning: string;
}

interface State {
  calls: Map<number, { id: string; name: string; arguments: string; fields: Json }>;
  reasoning: string;
}

/** More text than this is not kept. */
const LONGEST = 4 * 1024 * 1024;

/** `over` is told of each message that ended with calls. */
export function recorder(over: (message: SeenMessage) => void): Stage {
  const states = new Map<number, State>();
  const finish = (state: State) => {
    if (state.calls.size > 0) over({ calls: [...state.calls.values()], reasoning: state.reasoning });
    state.calls = new Map();
  };
  const note = (choice: Choice, position: number) => {
    const index = typeof choice.index === "number" ? choice.index : position;
    let state = states.get(index);
    if (state === undefined) states.set(index, state = { calls: new Map(), reasoning: "" });
    const delta: Json = isObject(choice.delta) ? choice.delta : {};
    const reasoning = textOr(delta.reasoning_content, textOr(delta.reasoning, ""));
    if (state.reasoning.length + reasoning.length <= LONGEST) state.reasoning += reasoning;
    for (const call of Array.isArray(delta.tool_calls) ? delta.tool_calls.filter(isObject) : []) {
      noteCall(state, call);
    }
    if (typeof choice.finish_reason === "string") finish(state);
  };
  return {
    chunk(item) {
      const { choices } = item.chunk;
      if (Array.isArray(choices)) choices.filter(isObject).forEach(note);
      return [item];
    },
    end() {
      states.forEach(finish);
      return [];
    },
  };
}

function noteCall(state: State, delta: Json): void {
  const index = typeof delta.index === "number" ? delta.index : state.calls.size;
  let call = state.calls.get(index);
  if (call === undefined) state.calls.set(index, call = { id: "", name: "", arguments: "", fields: {} });
  const { id, function: called, ...fields } = delta;
  call.id = textOr(id, call.id);
  const { name, arguments: text, ...inner }: Json = isObject(called) ? called : {};
  call.name += textOr(name, "");
  if (call.arguments.length < LONGEST) call.arguments += textOr(text, "");
  call.fields = { ...call.fields, ...fields, ...inner };
}
