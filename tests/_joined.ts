/** What a stream says, however finely it is cut: how many pieces a text comes in depends on what came in one read. */
import { isObject } from "../src/wire/call_piece.ts";

/** One thing that a stream says. */
export interface Said {
  /** All of it but the text. */
  readonly what: string;
  readonly text: string;
}

/** A text that goes on in the next chunk, or something that is whole. */
interface Part {
  readonly what: unknown;
  readonly text?: string;
}

/** Reads a stream; text of one field, or of one call's arguments, is one thing. */
export function joined(stream: string): readonly Said[] {
  const said: { what: string; text: string; readonly goesOn: boolean }[] = [];
  for (const event of stream.match(/[^]*?(?:\r?\n){2}|[^]+$/g) ?? []) {
    for (const { what, text } of partsOf(event)) {
      const key = JSON.stringify(what);
      const last = said.at(-1);
      if (text !== undefined && last?.goesOn && last.what === key) last.text += text;
      else if (text !== "") said.push({ what: key, text: text ?? "", goesOn: text !== undefined });
    }
  }
  return said.map(({ what, text }) => ({ what, text }));
}

/** Whether a stream that broke off said what `whole` says, as far as it came. */
export function beginsAs(broken: readonly Said[], whole: readonly Said[]): boolean {
  return broken.every(({ what, text }, n) => {
    const other = whole[n];
    if (other?.what !== what) return false;
    return n === broken.length - 1 ? other.text.startsWith(text) : other.text === text;
  });
}

function partsOf(event: string): Part[] {
  const chunk = jsonIn(event);
  if (!isObject(chunk) || !Array.isArray(chunk.choices) || chunk.choices.length === 0) {
    return [{ what: event }];
  }
  const { choices, ...envelope } = chunk;
  return choices.flatMap(({ delta, ...choice }): Part[] => {
    const around = { envelope, choice };
    if (!isObject(delta)) return [{ what: event }];
    const { content, reasoning, reasoning_content, tool_calls, ...others } = delta;
    const texts = Object.entries({ content, reasoning, reasoning_content }).flatMap(([field, text]) =>
      typeof text === "string" ? [{ what: { around, field }, text }] : []
    );
    const calls = Array.isArray(tool_calls) ? tool_calls : [];
    const parts = calls.flatMap((call): Part[] => {
      const { index, function: { arguments: text = "", ...inner } = {}, ...outer } = call;
      const head = Object.keys({ ...outer, ...inner }).length > 0 ? [{ what: { outer, inner, index } }] : [];
      return [...head, { what: { around, index }, text }];
    });
    const says = choice.finish_reason != null || choice.logprobs != null || envelope.usage != null;
    const rest = Object.keys(others).length > 0 || says ? [{ what: { around, others } }] : [];
    return [...rest.slice(0, says ? 0 : 1), ...texts, ...parts, ...(says ? rest : [])];
  });
}

function jsonIn(event: string): unknown {
  try {
    return JSON.parse(/^data: ([^]*?)\s*$/.exec(event)?.[1] ?? "");
  } catch {
    return undefined;
  }
}
