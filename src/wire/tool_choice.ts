/** What a request's `tool_choice` wants, in whichever form it is written. */
import { isObject } from "./call_piece.ts";
import type { Json } from "./openai.ts";

export interface ToolChoice {
  /** `required`: some call; a name: a call of that tool; undefined: as the model likes. */
  readonly call: "required" | { readonly name: string } | undefined;
  /** The tools that are left to choose from; undefined: all of the request. */
  readonly among: readonly string[] | undefined;
}

/**
 * Reads a `tool_choice`: a word, a tool with its name in a `function` or beside the type, or `allowed_tools`; `any`, and
 * the word as the `type` of an object, are how Anthropic and Mistral write it.
 * See https://platform.openai.com/docs/api-reference/chat/create
 */
export function readToolChoice(choice: unknown): ToolChoice {
  const allowed = allowedIn(choice);
  if (allowed === undefined) return { call: callOf(choice), among: undefined };
  const among = Array.isArray(allowed.tools)
    ? allowed.tools.flatMap((tool) => nameOf(tool) ?? [])
    : undefined;
  return { call: callOf(allowed.mode), among };
}

/** Whether a `tool_choice` says that no tool may be called. */
export function forbidsCalls(choice: unknown): boolean {
  return wordOf(choice) === "none";
}

/** A choice among some tools; the Responses API has it in the choice itself. */
function allowedIn(choice: unknown): Json | undefined {
  if (!isObject(choice)) return undefined;
  const { allowed_tools: allowed, type } = choice;
  return isObject(allowed) ? allowed : type === "allowed_tools" ? choice : undefined;
}

function callOf(choice: unknown): ToolChoice["call"] {
  const word = wordOf(choice);
  if (word === "required" || word === "any") return "required";
  const name = nameOf(choice);
  return name === undefined ? undefined : { name };
}

function wordOf(choice: unknown): unknown {
  return isObject(choice) ? choice.type : choice;
}

function nameOf(tool: unknown): string | undefined {
  if (!isObject(tool)) return undefined;
  const { name } = isObject(tool.function) ? tool.function : tool;
  return typeof name === "string" && name !== "" ? name : undefined;
}
