/** Calls of `multi_tool_use.parallel`, a tool that OpenAI's models were trained on: the calls inside it. */
import { isObject } from "../wire/call_piece.ts";
import { finishReason } from "../wire/finish.ts";
import type { Choice, Delta, Json, ToolCallDelta } from "../wire/openai.ts";
import type { Item, Stage } from "../wire/stage.ts";
import { textOr } from "./body.ts";
import { touchesCalls } from "./stages.ts";

/** A call of the wrapper, as far as it has come. */
interface Wrapped {
  readonly first: Json;
  text: string;
}

export function isParallelWrapper(name: string): boolean {
  return /^(?:functions[._])?multi_tool_use[._]parallel$/.test(name.trim());
}

/** A stage that holds calls of the wrapper until the choice is over, and sends what is in them. */
export function expandParallel(): Stage {
  const held = new Map<number, Map<unknown, Wrapped>>(); // by choice, and by the call's index
  let last: Item | undefined;

  const take = (choice: Choice, position: number): Choice => {
    const calls = isObject(choice.delta) ? choice.delta.tool_calls : undefined;
    if (!Array.isArray(calls)) return choice;
    const of = indexOf(choice, position);
    const rest = calls.filter((call) => !isObject(call) || !hold(of, call));
    if (rest.length === calls.length) return choice;
    const { tool_calls: _, ...others } = choice.delta as Delta;
    return { ...choice, delta: rest.length === 0 ? others : { ...others, tool_calls: rest } };
  };

  const hold = (of: number, call: Json): boolean => {
    const called: Json = isObject(call.function) ? call.function : {};
    const name = textOr(called.name, "");
    const open = held.get(of) ?? new Map<unknown, Wrapped>();
    const going = open.get(call.index);
    if (going === undefined ? !isParallelWrapper(name) : name !== "" && !isParallelWrapper(name)) {
      return false;
    }
    const text = typeof called.arguments === "string"
      ? called.arguments
      : JSON.stringify(called.arguments ?? "");
    if (going === undefined) {
      open.set(call.index, { first: call, text: called.arguments == null ? "" : text });
    } else if (called.arguments != null) going.text += text;
    held.set(of, open);
    return true;
  };

  const release = (of: number): ToolCallDelta[] => {
    const calls = [...held.get(of)?.values() ?? []].flatMap(expand);
    held.delete(of);
    return calls;
  };

  return {
    chunk(item) {
      last = item;
      const { choices } = item.chunk;
      if (!Array.isArray(choices) || !touchesCalls(item.chunk)) return [item];
      const out: Item[] = [];
      let same = true;
      const mended = choices.map((choice, position) => {
        if (!isObject(choice)) return choice;
        const now = take(choice, position);
        same &&= now === choice;
        const of = indexOf(choice, position);
        if (finishReason(choice.finish_reason) !== null && held.has(of)) {
          out.push(itemOf(item, of, release(of)));
        }
        return now;
      });
      return [...out, same ? item : { chunk: { ...item.chunk, choices: mended } }];
    },
    end: () => [...held.keys()].map((of) => itemOf(last!, of, release(of))),
  };
}

/** The calls inside a call of the wrapper; the call itself when it cannot be read. */
function expand({ first, text }: Wrapped, n: number): ToolCallDelta[] {
  const uses = usesIn(text);
  const id = textOr(first.id, "");
  if (uses.length === 0) {
    return [
      { ...first, function: { ...(first.function as Json), arguments: text } } as unknown as ToolCallDelta,
    ];
  }
  return uses.map(({ recipient_name, parameters }, part) => ({
    index: 1000 * (n + 1) + part, // apart from those of the other calls; the wire counts them anew
    ...(id === "" ? {} : { id: part === 0 ? id : `${id}_${part}` }),
    type: "function",
    function: {
      name: textOr(recipient_name, ""),
      arguments: typeof parameters === "string" ? parameters : JSON.stringify(parameters ?? {}),
    },
  }));
}

function usesIn(text: string): readonly Json[] {
  try {
    const { tool_uses: uses } = JSON.parse(text);
    const good = (use: unknown) => isObject(use) && textOr(use.recipient_name, "") !== "";
    return Array.isArray(uses) && uses.every(good) ? uses : [];
  } catch {
    return [];
  }
}

function itemOf({ chunk }: Item, index: number, calls: ToolCallDelta[]): Item {
  const { usage: _, ...envelope } = chunk;
  return { chunk: { ...envelope, choices: [{ index, delta: { tool_calls: calls }, finish_reason: null }] } };
}

function indexOf(choice: Choice, position: number): number {
  return typeof choice.index === "number" ? choice.index : position;
}
