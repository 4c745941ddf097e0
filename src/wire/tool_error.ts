/** Errors of upstreams that are about tools: which of them a bridge helps with, and which carry a call themselves. */
import { isObject } from "./call_piece.ts";
import type { Json } from "./openai.ts";

/** The text of an error, wherever the upstream put it. */
export function messageOf(error: Json): string {
  return [error.message, error.detail, error.msg, error.error, error.errors].map((text) =>
    typeof text === "string" ? text : text === undefined ? "" : JSON.stringify(text)
  ).join(" ").trim();
}

/**
 * Whether an error says that tools, as they were sent, are not to be had here (symptoms C22, D15). What is about the
 * key, the account or the rate never is; a `model` may have tools in its name.
 */
export function isAboutTools(status: number, error: Json, model = ""): boolean {
  if (status === 401 || status === 402 || status === 403 || status === 429) return false;
  const said = `${messageOf(error)} ${providersError(error)}`;
  const message = TOOLS.test(model) ? said.replaceAll(model, "") : said;
  return PARSER_FAILED.test(message) || (TOOLS.test(message) && CANNOT.test(message));
}

/** The text that a model wrote and llama.cpp could not parse, out of its error. */
export function salvageableText(error: Json): string | undefined {
  const text = /Failed to parse input at pos \d+\s*:\s?([^]*)$/.exec(messageOf(error))?.[1];
  return text === undefined || text.trim() === "" ? undefined : text;
}

/** What OpenRouter was told by who runs the model: its own message is `Provider returned error`. */
function providersError({ metadata }: Json): string {
  const raw = isObject(metadata) ? metadata.raw : undefined;
  return raw === undefined ? "" : typeof raw === "string" ? raw : JSON.stringify(raw);
}

/** llama.cpp, and Groq, which takes calls apart and checks them as well. */
const PARSER_FAILED =
  /Failed to parse (?:input at pos|tool)|does not match the expected [\w-]+ format|Failed to call a function|Tool call validation failed/i;
const TOOLS = /\btools?\b|tool[-_ ]?(?:choice|call|use|param)|function[-_ ]?call|\bfunctions\b/i;
const CANNOT =
  /(?:not|n['’]t|never) (?:\w+ )?(?:support|implement|enabl|allow|permit|available|accept|recogni[sz]|work|expected)|unsupported|not[- ]implemented|unavailable|disabled|unrecognized|unknown|unexpected|requires?\b|no (?:\w+ )?endpoints|without (?:tool|function)|extra inputs?/i;
