/** Tool names that every server takes, and the client's own ones again in the answer. */
import { isObject } from "../wire/call_piece.ts";
import type { Delta, Json } from "../wire/openai.ts";
import type { Stage } from "../wire/stage.ts";
import { mapCalls, mapFunctions, mapMessages, textOr, withField } from "./body.ts";
import { shortHash } from "./call_ids.ts";
import { deltaStage } from "./stages.ts";

/** A name that every server takes, for each tool of a request whose name is none. */
export type ToolNames = ReadonlyMap<string, string>;

const GOOD_NAME = /^[a-zA-Z0-9_-]{1,64}$/;

/** The same names each time, whatever the order of the tools; no two tools get the same one. */
export function toolNames(body: Json): ToolNames {
  const tools: readonly unknown[] = Array.isArray(body.tools) ? body.tools : [];
  const names = tools.map((tool) =>
    isObject(tool) && isObject(tool.function) ? textOr(tool.function.name, "") : ""
  );
  const taken = new Set(names.filter((name) => GOOD_NAME.test(name)));
  const made = new Map<string, string>();
  for (const name of names.filter((name) => name !== "" && !GOOD_NAME.test(name)).toSorted()) {
    if (made.has(name)) continue;
    let plain = plainName(name);
    for (let salt = 0; taken.has(plain); salt++) plain = shortened(plainName(name), `${name} ${salt}`);
    taken.add(plain);
    made.set(name, plain);
  }
  return made;
}

/** The body with these names wherever tools are named. */
export function renameTools(body: Json, names: ToolNames): Json {
  // Past calls may be of tools that are offered no more; their names have to be good ones all the same.
  const rename = (name: unknown): unknown =>
    typeof name !== "string" || name === "" || GOOD_NAME.test(name)
      ? name
      : names.get(name) ?? plainName(name);
  const named = (called: Json) => "name" in called ? withField(called, "name", rename(called.name)) : called;
  const tools = mapFunctions(body, named);
  const messages = mapMessages(
    tools,
    (message) =>
      message.role === "tool" ? named(message) : mapCalls(
        message,
        (call) => isObject(call.function) ? withField(call, "function", named(call.function)) : call,
      ),
  );
  const choose = (choice: unknown): unknown => {
    if (!isObject(choice)) return choice;
    if (isObject(choice.function)) return withField(choice, "function", named(choice.function));
    const { allowed_tools: allowed } = choice;
    return isObject(allowed) ? withField(choice, "allowed_tools", among(allowed)) : among(named(choice));
  };
  /** With the names of the tools to which a choice is narrowed. */
  const among = (allowed: Json): Json => {
    const given: readonly unknown[] = Array.isArray(allowed.tools) ? allowed.tools : [];
    const tools = given.map(choose);
    return tools.every((tool, n) => tool === given[n]) ? allowed : withField(allowed, "tools", tools);
  };
  return "tool_choice" in messages
    ? withField(messages, "tool_choice", choose(messages.tool_choice))
    : messages;
}

/** A stage that gives calls the names that the client knows; undefined when all of them are. */
export function namesBack(names: ToolNames): Stage | undefined {
  if (names.size === 0) return undefined;
  const own = new Map([...names].map(([name, plain]) => [plain, name]));
  return deltaStage((delta: Delta) => {
    if (!Array.isArray(delta.tool_calls)) return delta;
    let same = true;
    const calls = delta.tool_calls.map((call) => {
      const name = isObject(call) && isObject(call.function)
        ? own.get(textOr(call.function.name, ""))
        : undefined;
      same &&= name === undefined;
      return name === undefined ? call : { ...call, function: { ...call.function, name } };
    });
    return same ? delta : { ...delta, tool_calls: calls };
  });
}

function plainName(name: string): string {
  const plain = name.replace(/[^a-zA-Z0-9_-]/g, "_");
  return plain.length <= 64 ? plain : shortened(plain, name);
}

function shortened(plain: string, text: string): string {
  return `${plain.slice(0, 55)}_${shortHash(text, 8)}`;
}
