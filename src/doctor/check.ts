/** What a check is: a question to a model, and how its answer is judged. */
import { isObject } from "../wire/call_piece.ts";
import type { Json } from "../wire/openai.ts";
import { parsed, type Turn } from "./turn.ts";

/** What an answer is worth. */
export interface Verdict {
  /** `unclear`: the model did not do what would have shown it. */
  readonly outcome: "good" | "bad" | "unclear";
  /** In a few words, why. */
  readonly said: string;
}

/** One question; one entry in the table of `checks.ts`. */
export interface Check {
  readonly id: string;
  /** What it finds out, for people. */
  readonly asks: string;
  /** The request, but for the model and the form of the answer. */
  readonly body: Json;
  /** Without it there is no tool calling. */
  readonly needed?: true;
  /** The symptom that a refusal of this request is, where its text does not say more. */
  readonly refusal?: string;
  /** The symptom that a bad answer is. */
  readonly symptom?: string;
  /** The same question without what is tried: it tells a model that cannot answer from a server that spoils it. */
  readonly control?: Json;
  /** Judges an answer that is no error. */
  judge(turn: Turn): Verdict;
}

export const good = (said: string): Verdict => ({ outcome: "good", said });
export const bad = (said: string): Verdict => ({ outcome: "bad", said });
export const unclear = (said: string): Verdict => ({ outcome: "unclear", said });

/** A tool of a check. */
export interface CheckTool {
  readonly name: string;
  readonly description: string;
  /** The types of its parameters, by name; all of them are required. */
  readonly parameters: { readonly [name: string]: "string" | "integer" };
}

/** The tool, as a request has it. */
export function declared({ name, description, parameters }: CheckTool): Json {
  const properties = Object.fromEntries(Object.entries(parameters).map(([key, type]) => [key, { type }]));
  return {
    type: "function",
    function: {
      name,
      description,
      parameters: { type: "object", properties, required: Object.keys(parameters) },
    },
  };
}

/** Why the arguments of a call are not valid for its tool; undefined when they are. What they say does not count. */
function wrongArguments(text: string, { parameters }: CheckTool): string | undefined {
  const values = parsed(text);
  if (!isObject(values)) return `arguments that are no JSON object: ${shortened(text)}`;
  for (const [name, type] of Object.entries(parameters)) {
    const value = values[name];
    if (value === undefined) return `no argument ${name}`;
    const right = type === "integer" ? Number.isInteger(value) : typeof value === "string";
    if (!right) return `${name} is no ${type}: ${shortened(JSON.stringify(value))}`;
  }
}

/** Judges whether each of the tools was called, with arguments that are valid. */
export function calls(turn: Turn, tools: readonly CheckTool[]): Verdict {
  for (const call of turn.calls) {
    const tool = tools.find(({ name }) => name === call.name);
    if (tool === undefined) {
      return bad(`calls ${shortened(call.name) || "a tool without a name"}, which is not offered`);
    }
    const wrong = wrongArguments(call.arguments, tool);
    if (wrong !== undefined) return bad(wrong);
  }
  const missing = tools.filter(({ name }) => !turn.calls.some((call) => call.name === name));
  if (turn.calls.length === 0) {
    const text = turn.content.trim() || turn.reasoning.trim();
    return bad(text === "" ? "neither text nor a call" : `no call, but text: ${shortened(text)}`);
  }
  if (turn.finish !== "tool_calls") return bad(`a call, but finish_reason ${turn.finish ?? "missing"}`);
  return missing.length === 0 ? good("called") : unclear("one call in this turn, not two");
}

/** Judges whether there is an answer in words. */
export function words({ content, reasoning, calls }: Turn): Verdict {
  if (calls.length > 0) return bad("a call, although none was asked for");
  if (content.trim() !== "") return good("answers");
  return bad(reasoning.trim() === "" ? "an empty answer" : "reasoning only, and no answer");
}

/** Judges whether a word is in the answer. */
export function repeats(turn: Turn, word: string): Verdict {
  const judged = words(turn);
  if (judged.outcome !== "good") return judged;
  const plain = (text: string) => text.toLowerCase().replace(/[^a-z0-9]/g, "");
  const heard = plain(turn.content).includes(plain(word));
  return heard ? good("knows the word") : bad("does not know the word that it was told");
}

/** The beginning of a text, in one line. */
export function shortened(text: string, most = 80): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length <= most ? line : `${line.slice(0, most - 1)}…`;
}
