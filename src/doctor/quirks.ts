/** From what was seen to the symptom's number: refusals by their words, problems by their code, dialects by family. */
import { isAboutTools } from "../wire/tool_error.ts";
import type { AnyProblemCode } from "../wire/problem.ts";
import type { Check } from "./check.ts";
import { symptoms } from "./symptoms.ts";
import type { Turn } from "./turn.ts";

/** What servers say when they refuse a request, by the symptom; the first that fits counts. */
const refusals: readonly (readonly [symptom: string, says: RegExp])[] = [
  ["B4", /reasoning_content/i],
  ["B5", /thought_?signature/i],
  ["B6", /thinking.*tool_choice|tool_choice.*thinking/i],
  ["C22", /Failed to parse (?:input at pos|tool)|does not match the expected [\w-]+ format/i],
  ["D1", /system message must|system.*(?:at the beginning|only one|first)/i],
  ["D3", /after role '?tool/i],
  ["D4", /must alternate/i],
  ["D5", /length of 9/i],
  ["D6", /content.*(?:non-empty|must not be (?:empty|null)|cannot be (?:empty|null)|required|be a string)/i],
  ["D18", /\/v1\/(?:responses|messages)|not a chat model/i],
  ["D16", /context (?:length|window|size)|maximum context|too many tokens|prompt is too long/i],
  ["D13", /unsupported parameter|max_completion_tokens|stream_options|unrecognized request argument/i],
  ["D2", /developer/i],
];

/** Answers of these kinds are about the key, the account or the rate. */
const ABOUT_ACCESS = new Set([401, 402, 403, 429]);

/** The symptom of an answer that is an error; undefined when it is none of those with a number. */
export function refusalOf(check: Check, turn: Turn): string | undefined {
  const { status } = turn.recording;
  const { error, errorBody } = turn;
  if (error === undefined || status === 0 || ABOUT_ACCESS.has(status)) return undefined;
  const named = refusals.find(([, says]) => says.test(error))?.[0];
  if (named !== undefined) return named;
  if (
    check.body["tools"] !== undefined && errorBody &&
    isAboutTools(status, errorBody, String(check.body["model"]))
  ) return "D15";
  return status < 500 ? check.refusal : undefined;
}

/** The whole range of them: markup of calls in the text. */
const MARKUP = "A1–A16";

/** Problems of the pipeline that are symptoms which do not show in the answer's form. */
const problemSymptoms: { readonly [Code in AnyProblemCode]?: string } = {
  "arguments-repaired": "E5",
  "call-broken": "C19",
  "call-in-reasoning": "B1",
  "call-nameless": "C14",
  "call-salvaged": "C22",
  "call-truncated": "C19",
  "call-twice": "B2",
  "event-cut": "C27",
  "fence-unwrapped": "A15",
  "markup-left": MARKUP,
  "name-resolved": "E1",
  "opener-missing": "A5",
  "parameter-type": "E2",
  "special-token": "A3",
  "unknown-tool": "E1",
  draft: "B2",
};

/** The symptom that a problem is; undefined for those that only say what was done. */
export function symptomOf(code: AnyProblemCode, native: boolean): string | undefined {
  return code === "arguments-repaired" && native ? "C17" : problemSymptoms[code];
}

/** The rows of the table of symptoms that are about one family. */
const families: readonly (readonly [symptom: string, dialects: RegExp])[] = [
  ["A1", /^(?:dsml|deepseek)$/],
  ["A5", /^qwen3-coder$/],
  ["A6", /^tool-elements$/],
  ["A7", /^glm$/],
  ["A8", /^kimi/],
  ["A9", /^minimax/],
  ["A10", /^harmony$/],
  ["A12", /gemma/],
  ["A13", /^(?:anthropic|invoke)/],
  ["A14", /^mistral/],
  ["A15", /^bare-json$/],
];

/** The symptom of calls that are written in a dialect; the whole range where no row is about that family. */
export function dialectSymptom(dialect: string): string {
  return families.find(([, dialects]) => dialects.test(dialect))?.[0] ?? MARKUP;
}

/** What a symptom is, and where it is mended beside fixes. */
export function describe(number: string): { readonly what: string; readonly by: string | undefined } {
  const row = symptoms.find((each) => each.number === number) ??
    (number.startsWith("A") ? symptoms.find((each) => each.number === MARKUP) : undefined);
  return { what: row?.what ?? "", by: row?.by };
}
