/** The playground: raw text as a model would stream it, and what goes to the client for each piece. */
import * as z from "zod";
import { bridgeOf, bridges } from "../bridge/mod.ts";
import { dialects, liveDialects } from "../dialects/mod.ts";
import { defaultRepairConfig } from "../repair_config.ts";
import { Answer, chunksIn, type Out } from "../wire/answer.ts";
import { readChatRequest } from "../wire/chat_request.ts";
import { fold } from "../wire/fold.ts";
import type { Chunk, Json } from "../wire/openai.ts";
import type { AnyProblemCode } from "../wire/problem.ts";
import { protocolStage } from "../wire/protocol_stage.ts";
import { Events } from "../wire/events.ts";
import { encodeEvent } from "../wire/sse_event.ts";
import { turnStage } from "../wire/turn_stage.ts";
import { unconverted } from "../wire/unconverted.ts";
import { InvalidRequest } from "../error_answer.ts";
import { type ReadTurn, readTurn } from "./reading.ts";

/** More pieces than this would help nobody; a finer cut is made coarser. */
const MOST_STEPS = 5_000;
const MOST_CHARACTERS = 1_000_000;

const Tools = z.union([
  z.array(z.looseObject({})),
  z.looseObject({ tools: z.array(z.looseObject({})).default([]) }).transform(({ tools }) => tools),
]);

const Wanted = z.object({
  text: z.string().max(MOST_CHARACTERS),
  /** A list of tools, or a request that holds one. */
  tools: Tools.default([]),
  dialects: z.array(z.enum(dialects.map(({ id }) => id) as [string, ...string[]])).optional(),
  reasoning: z.enum(["split", "keep", "open"]).default(defaultRepairConfig.reasoning),
  arguments: z.enum(["stream", "whole"]).default(defaultRepairConfig.arguments),
  protocol: z.enum(bridges.map(({ id }) => id) as [string, ...string[]]).optional(),
  field: z.enum(["content", "reasoning"]).default("content"),
  cut: z.int().min(1).default(4),
});

/** What came in one piece, and what went out for it. */
export interface ConvertStep {
  /** How much of the text had come. */
  readonly end: number;
  readonly out: readonly Json[];
  readonly problems: readonly { readonly code: AnyProblemCode; readonly detail: string }[];
}

export interface Converted {
  /** The cut that was used. */
  readonly cut: number;
  readonly steps: readonly ConvertStep[];
  readonly turn: ReadTurn;
  readonly message: Json;
}

/** Converts as the server would. Throws `InvalidRequest` for what cannot be used. */
export async function convertText(body: unknown): Promise<Converted> {
  const read = Wanted.safeParse(body);
  if (!read.success) {
    const [issue] = read.error.issues;
    throw new InvalidRequest(`Cannot convert: ${issue!.path.join(".") || "the body"}: ${issue!.message}.`);
  }
  const { text, reasoning, protocol, field, ...wanted } = read.data;
  const tools = wanted.tools.map((tool) => "function" in tool ? tool : { type: "function", function: tool });
  const asked = readChatRequest({ tools });
  const bridged = protocol === undefined ? [] : [bridgeOf(protocol).dialect(asked.tools)];
  const dialectsUsed = [...bridged, ...liveDialects(wanted.dialects)];
  const problems: { code: AnyProblemCode; detail: string }[] = [];
  const problem = (code: AnyProblemCode, detail: string) => void problems.push({ code, detail });
  const config = { arguments: wanted.arguments, reasoning };
  const turn = turnStage({ tools: asked.tools, config, dialects: dialectsUsed, problem });
  const outcome = (choice: number) => turn.outcome(choice);
  const protocolOf = protocolStage({
    ...{ tools: true, choices: 1, model: "playground", problem, outcome, written: turn.written },
  });
  const between = [unconverted(asked.tools, problem)];
  const answer = new Answer({ turn, between, protocol: protocolOf, several: false, problem });

  const all: Json[] = [];
  const take = (outs: readonly Out[]): Json[] => {
    const said: Json[] = outs.flatMap((out) => [...chunksIn(out)]);
    all.push(...said);
    return said;
  };
  const steps: ConvertStep[] = [];
  const step = (end: number, delta: Json, finish_reason: string | null) => {
    const data = JSON.stringify({ ...ENVELOPE, choices: [{ index: 0, delta, finish_reason }] });
    const out = take(answer.take(new Events(encodeEvent(data))));
    steps.push({ end, out: out.map(changesOf), problems: problems.splice(0) });
  };
  const name = field === "content" ? field : "reasoning_content";
  const cut = Math.max(wanted.cut, Math.ceil(text.length / MOST_STEPS));
  step(0, { role: "assistant", content: "" }, null);
  for (let at = 0; at < text.length;) {
    let end = Math.min(text.length, at + cut);
    if (/[\ud800-\udbff]/.test(text[end - 1]!) && end < text.length) end++; // half a character is none
    step(end, { [name]: text.slice(at, end) }, null);
    at = end;
  }
  step(text.length, {}, "stop");
  take(answer.take(new Events(encodeEvent("[DONE]"))));
  return {
    cut,
    steps,
    turn: await readTurn([{ field, text }], { tools: asked.tools, dialects: dialectsUsed, reasoning }),
    message: fold(all as Chunk[]),
  };
}

const ENVELOPE = {
  id: "chatcmpl-playground",
  object: "chat.completion.chunk",
  created: 0,
  model: "playground",
};

/** What a chunk adds; its envelope is the same each time. */
function changesOf(chunk: Json): Json {
  const [choice] = (chunk as Chunk).choices ?? [];
  const { delta = {}, finish_reason = null } = choice ?? {};
  return finish_reason === null ? { delta } : { delta, finish_reason };
}
