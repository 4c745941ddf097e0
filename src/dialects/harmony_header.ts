/** The header of a Harmony message: who says it, in which channel, to whom. */
import type { Out } from "../parse/dialect.ts";
import { MarkerSet } from "../parse/marker.ts";
import type { Scanner, Step } from "../parse/scanner.ts";
import { readName } from "./named_json.ts";

/** What a header says. */
export interface Header {
  readonly role: string;
  readonly channel: string | undefined;
  /** The tool that is called. */
  readonly recipient: string | undefined;
  /** What follows is code, not JSON. */
  readonly code: boolean;
}

/** Reads up to the body; undefined when what is behind `opener` is no header. */
export function* readHeader(scan: Scanner, opener: string): Step<string | undefined> {
  const header = yield* scan.take(HEADER_END, LONGEST_HEADER);
  if (header === undefined) return undefined;
  if (header.hit.text === "{") scan.rewind(scan.mark("{"));
  return opener + header.text + header.hit.text;
}

/** Understands a header as it was written, with its opener and its last marker. */
export function headerOf(text: string | undefined, out: Out): Header | undefined {
  if (text === undefined) return undefined;
  const [, to] = /\bto=\s*([^\s<{]+)/.exec(text) ?? [];
  const words = text.replace(/\bto=\s*[^\s<{]*/, " ").replace(/<\|\w+\|>/g, " ").replace(/\{$/, "").trim()
    .split(/\s+/);
  const channel = words.find((word) => CHANNELS.includes(word));
  const recipient = to === undefined || NOBODY.includes(to) ? undefined : to.replace(/^functions\./, "");
  const role = /^(?:<\|start\|>)+\s*([\w.:-]+)/.exec(text)?.[1] ?? "assistant";
  const header = {
    role: CHANNELS.includes(role) ? "assistant" : role,
    channel,
    recipient,
    code: words.includes("code"),
  };
  if (words.length > MOST_WORDS || !words.every((word) => /^[\w.:-]*$/.test(word))) return undefined;
  if (recipient === undefined) return channel === undefined || text.endsWith("{") ? undefined : header;
  // Built-in tools (`python`, `browser.search`) have no namespace; they count if the request has them.
  return /^functions\./.test(to!) || out.knows(recipient) ? header : undefined;
}

/** Reads what is left of a header without its tokens, behind `to=functions.`, up to the arguments. */
export function* strippedHeader(scan: Scanner, out: Out): Step<Header | undefined> {
  let name = yield* readName(scan);
  while (!out.knows(name)) {
    const shorter = name.replace(/(?:json|code|commentary|analysis)$/, ""); // what stood behind a token
    if (shorter === name) return undefined;
    name = shorter;
  }
  for (;;) {
    yield* scan.skipSpace();
    if (!(yield* scan.accept(...LEFTOVERS))) break;
  }
  if ((yield* scan.peek()) !== "{") return undefined;
  return { role: "assistant", channel: undefined, recipient: name, code: false };
}

const CHANNELS: readonly string[] = ["analysis", "commentary", "final"];
const NOBODY: readonly string[] = ["assistant", "user", "all", "self"];
const LEFTOVERS = ["<|channel|>", "<|constrain|>", "<|message|>", "commentary", "analysis", "json", "code"];
const HEADER_END = new MarkerSet(["<|message|>", "{"]);
const LONGEST_HEADER = 256;
const MOST_WORDS = 6;
