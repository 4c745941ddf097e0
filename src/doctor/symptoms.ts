/** Each symptom of the field by its number, and where it is mended beside the fixes that name it themselves. */

/** A symptom's number, what goes wrong, where it is mended beside fixes, and what is left and why. */
export interface Symptom {
  readonly number: string;
  readonly what: string;
  /** `parser`: markup in the text; `wire`: for every vendor; `bridge`: in these modes; `upstream`: the connection. */
  readonly by?: "parser" | "wire" | "bridge" | "upstream";
  /** What is not mended, and why. */
  readonly left?: string;
}

const row = (number: string, what: string, by?: Symptom["by"], left?: string): Symptom => ({
  number,
  what,
  ...(by === undefined ? {} : { by }),
  ...(left === undefined ? {} : { left }),
});

const BRIDGE = "with `--mode bridge` or `fallback` only";

export const symptoms: readonly Symptom[] = [
  row("A1–A16", "markup in the text", "parser"),
  row("B1", "a call before `</think>`", "parser"),
  row("B2", "a draft and the call itself", "parser"),
  row("B3", "`<think>` in the content", "parser"),
  row(
    "B4",
    "`reasoning_content` must be passed back",
    undefined,
    "turns without calls: nothing tells them apart for sure",
  ),
  row("B5", "`thought_signature` is missing"),
  row("B6", "thinking does not support this `tool_choice`"),
  row(
    "B7",
    "thinking in another field",
    "wire",
    "`reasoning` keeps its name, as clients read either; both names at once: policy",
  ),
  row("B8", "thinking parameters refused"),
  row("C1", "`stop` beside calls", "wire"),
  row("C2", "vendors' finish reasons", "wire"),
  row("C3", "`tool_calls` without calls", "wire", `asking again: ${BRIDGE}`),
  row("C4", '`""` or `"null"` as finish reason', "wire"),
  row("C5", "no finish reason", "wire"),
  row("C6", "no `[DONE]`, left open", "wire"),
  row("C7", "the connection breaks", "wire"),
  row("C8", "usage without `choices`", "wire", "usage in the final chunk: policy"),
  row("C9", "no token counts"),
  row("C10", "two final chunks", "wire"),
  row("C11", "no index", "wire"),
  row("C12", "one index for several calls", "wire"),
  row("C13", "ids missing or repeated", "wire"),
  row("C14", "names doubled, split or late", "wire"),
  row("C15", "no arguments", "wire"),
  row("C16", "arguments as an object", "wire", "Ollama's own API, which wants objects, is not spoken"),
  row(
    "C17",
    "broken JSON in native arguments",
    "wire",
    "only what is certain (a lost `{`, extra closers): the rest would be guessed",
  ),
  row("C18", "several objects in one call", "wire"),
  row(
    "C19",
    "cut off, but said to be whole",
    "wire",
    "a larger limit: policy; past arguments that are no JSON: what was meant is not known",
  ),
  row("C20", "an error inside a 200", "wire", `asking again: ${BRIDGE}`),
  row("C21", "200 without a choice", "wire", `asking again: ${BRIDGE}`),
  row(
    "C22",
    "the server's parser fails",
    "wire",
    "where the error does not hold the text",
  ),
  row("C23", "silence while a call is held", "wire", "an upstream's own comments count as signs of life"),
  row(
    "C24",
    "time limits",
    "upstream",
    "before the upstream's headers nothing goes out: its status is not known",
  ),
  row("C25", "a buffered stream", "wire"),
  row("C26", "compression", "upstream"),
  row("C27", "characters and events cut", "wire"),
  row("C28", "stream and JSON differ", "wire", "asking without a stream: policy"),
  row("C29", "empty `tool_calls`", "wire"),
  row("C30", "`/v1/messages`", undefined, "not spoken here"),
  row("C31", "no id, object, created or model", "wire"),
  row("D1", "more than one system message"),
  row("D2", "the role `developer`"),
  row("D3", "a user behind a tool"),
  row("D4", "roles must alternate"),
  row("D5", "ids of nine characters"),
  row(
    "D6",
    "empty or null content",
    undefined,
    "the two camps cannot both be right: `any/null-content` is off by default",
  ),
  row("D7", "tool results as lists, with images"),
  row("D8", "orphan results, unanswered calls"),
  row("D9", "`tool_calls: []` in the history"),
  row("D10", "schema keywords", undefined, "`additionalProperties` stays: Google takes it now"),
  row("D11", "`$ref` in a tool's result"),
  row("D12", "`strict: null`"),
  row("D13", "parameters refused", undefined, "learning from the text of a 400: policy"),
  row(
    "D14",
    "tools that are no functions",
    undefined,
    "vendors have such tools of their own (GLM, Moonshot, OpenRouter): which are meant is not known",
  ),
  row("D15", "the server takes no tools", "bridge", BRIDGE),
  row("D16", "the prompt is cut silently", undefined, "a server's limit does not show in its answers"),
  row("D17", "characters in tool names"),
  row("D18", "models on another endpoint", undefined, "Claude on `/v1/messages`"),
  row("E1", "a tool's name misspelled", "wire", `asking again: ${BRIDGE}`),
  row("E2", "arguments of the wrong type", "parser"),
  row("E3", "the same call again and again", undefined, "policy: users disagree on what to do"),
  row("E4", "an empty turn", "bridge", BRIDGE),
  row("E5", "malformed JSON inside arguments", "wire", "what no object can be made of"),
  row("E6", "final tools of a client", "bridge", BRIDGE),
  row("E7", "too many calls in a turn", "bridge", BRIDGE),
  row("E8", "`multi_tool_use.parallel`"),
  row("E9", "“you did not use a tool”", "parser", BRIDGE),
  row("E10", "the prompt changes between turns", "wire"),
];
