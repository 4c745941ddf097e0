/** The text that teaches a model the tools of a request: the same for the same request, byte for byte. */
import type { Schema } from "../parse/dialect.ts";
import type { ToolChoice } from "../wire/tool_choice.ts";
import { type Bridge, lines, type OfferedTool, type PastCall } from "./bridge.ts";

/** What a request wants of its calls. */
export interface Wishes {
  /** The tools, in the order of the request. */
  readonly tools: readonly OfferedTool[];
  /** Whether there has to be a call, and of which tool. */
  readonly choice: ToolChoice["call"];
  /** The most calls in one answer. */
  readonly most: number;
}

/** Tools with which clients such as Cline and Roo let a model end its work, or ask (symptoms E6). */
const TERMINAL: { readonly [name: string]: string } = {
  attempt_completion: "when the task is done: give the result with it, not in an answer in words",
  ask_followup_question: "when you need to ask the user something: ask with it, not in an answer in words",
};

/** The instructions for a request with tools. */
export function instructions(bridge: Bridge, { tools, choice, most }: Wishes): string {
  const schemas = new Map(tools.map(({ name, parameters }) => [name, parameters]));
  const terminal = tools.filter(({ name }) => Object.hasOwn(TERMINAL, name));
  return lines(
    "# Tools",
    "",
    "You can call the tools that are listed below. The only way to call them is to write as described here; whatever",
    "else you know of calling tools does not work in this conversation.",
    "",
    bridge.teach(exampleOf(tools[0]!), most > 1, (name) => schemas.get(name)),
    "",
    "Rules:",
    "- Call only tools from the list, by their exact names, with the arguments that their schema describes.",
    most > 1
      ? `- At most ${most} calls in one answer; the rest would be dropped.`
      : "- Exactly one call in one answer: wait for its result before the next.",
    "- Do not announce a call and stop: make it in the same answer.",
    "- Never answer with nothing.",
    ...terminal.map(({ name }) => `- Call ${name} ${TERMINAL[name]}.`),
    "",
    "## The tools",
    ...tools.flatMap(toolLines),
    // Last, as it may change from one request to the next: what stands before stays in the prefix cache.
    choice !== undefined && "\n## Now",
    choice === "required" && "\nIn this answer you must call at least one tool.",
    typeof choice === "object" && `\nIn this answer you must call the tool ${choice.name}.`,
  );
}

function toolLines({ name, description, parameters }: OfferedTool): string[] {
  return [
    "",
    `### ${name}`,
    ...(description === undefined || description === "" ? [] : [description]),
    parameters === undefined
      ? "It takes no arguments."
      : `Arguments, as JSON Schema: ${JSON.stringify(parameters)}`,
  ];
}

/** A call of a tool with the arguments that it requires. */
function exampleOf({ name, parameters }: OfferedTool): PastCall {
  const properties = isRecord(parameters?.["properties"]) ? parameters["properties"] : {};
  const required = Array.isArray(parameters?.["required"]) ? parameters["required"] : [];
  const named = Object.keys(properties).filter((key) => required.includes(key));
  const shown = named.length > 0 ? named : Object.keys(properties).slice(0, 1);
  const values = shown.map((key) => [key, placeholder(properties[key])]);
  return { name, json: JSON.stringify(Object.fromEntries(values)) };
}

function placeholder(schema: unknown): unknown {
  if (!isRecord(schema)) return "…";
  if (Array.isArray(schema["enum"]) && schema["enum"].length > 0) return schema["enum"][0];
  switch (Array.isArray(schema["type"]) ? schema["type"][0] : schema["type"]) {
    case "integer":
    case "number":
      return 1;
    case "boolean":
      return true;
    case "array":
      return [];
    case "object":
      return {};
    default:
      return "…";
  }
}

function isRecord(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
