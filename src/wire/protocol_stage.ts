/** The protocol around a turn: role, finish reason, envelope (rules 13 and 15), for each choice on its own. */
import { inWords, isObject } from "./call_piece.ts";
import { finishReason, isProtocolFinish } from "./finish.ts";
import type { Choice, Chunk, Delta, Json } from "./openai.ts";
import type { Report } from "./problem.ts";
import { type Item, type Stage, withChunk } from "./stage.ts";

/** What became of the calls of a choice: there was none; all that went out are whole; the turn ended inside one. */
export type Outcome = "none" | "whole" | "cut";

/** What the protocol stage needs to know. */
export interface ProtocolStageOptions {
  /** The request has tools: all of rule 15 holds. Without, only what breaks the protocol is mended. */
  readonly tools: boolean;
  /** How many choices the request asked for. */
  readonly choices: number;
  /** The model that the request names. */
  readonly model: string;
  /** What became of the calls of a choice, as the turn stage knows it; asked when the choice ends. */
  outcome?(choice: number): Outcome;
  /** Whether calls of a choice were written as text, of which the upstream knows nothing. */
  written?(choice: number): boolean;
  /** Finish reasons that stay as they are, whatever the protocol says. */
  readonly finishKept?: ReadonlySet<string>;
  /** Told of each finish reason that is not the protocol's. */
  finished?(word: string): void;
  readonly problem: Report;
}

/** The last stage of the wire's own. */
export interface ProtocolStage extends Stage {
  /** Every choice has had its finish reason. */
  readonly finished: boolean;
  /** The finish reason of the first choice that has one. */
  readonly finish: string | undefined;
  /** How many calls went out. */
  readonly calls: number;
  /** Learns the envelope of a chunk that has not come here yet, as it is held back. */
  learn(chunk: Chunk): void;
  /** A chunk that says nothing, for clients that would time out (symptoms C23). */
  keepAlive(): Item;
  /** Another answer of the upstream continues this one; what becomes of its calls is asked of `outcome`. */
  resume(outcome: (choice: number) => Outcome): void;
}

/** What has come of one choice. */
interface State {
  called: boolean; // a call came by
  finish: string | undefined;
  introduced: boolean; // the role went out in a chunk of our own: clients that join strings must not get it twice
}

export function protocolStage(options: ProtocolStageOptions): ProtocolStage {
  const { tools, problem } = options;
  let outcomeOf = options.outcome;
  const states = new Map<number, State>();
  let finished = 0; // how many of them have their finish reason
  const envelope: Json = {}; // as the chunks so far have it
  let calls = 0; // how many went out
  let missing = false; // the lack of an envelope has been reported
  let resumed = false; // chunks of another answer of the upstream continue this one

  const stateOf = (index: number): State => {
    let state = states.get(index);
    if (state === undefined) {
      states.set(index, state = { called: false, finish: undefined, introduced: false });
    }
    return state;
  };

  const chunk = (item: Item): Item[] => {
    const before = item.chunk;
    learn(envelope, before);
    let chunk = withChoices(before, problem);
    if (tools && chunk.choices !== undefined) chunk = withEnvelope(chunk);
    if (resumed) chunk = { ...chunk, ...envelope };
    const { choices } = chunk;
    if (Array.isArray(choices) && choices.length > 0) {
      let mended: Choice[] | undefined; // most chunks need none: no list is made for them
      choices.forEach((choice, position) => {
        const now = mendChoice(choice, position, chunk);
        if (mended === undefined && now !== choice) mended = choices.slice(0, position);
        if (now !== undefined) mended?.push(now);
      });
      if (mended?.length === 0 && !isObject(chunk.usage)) return [];
      if (mended !== undefined) chunk = { ...chunk, choices: mended };
    }
    return [withChunk(item, chunk)];
  };

  const withEnvelope = (chunk: Chunk): Chunk => {
    const complete = typeof chunk.id === "string" && typeof chunk.object === "string" &&
      typeof chunk.created === "number" && typeof chunk.model === "string";
    if (complete) return chunk;
    if (!missing) problem("envelope-missing", Object.keys(chunk).join(", "));
    missing = true;
    const filled: Chunk = { ...chunk };
    for (const [key, value] of Object.entries(made())) {
      if (typeof filled[key] !== typeof value) filled[key] = value;
    }
    return filled;
  };

  /** The envelope for a chunk of our own. */
  const made = (): Json => {
    envelope.id ??= `chatcmpl-${crypto.randomUUID().replaceAll("-", "")}`;
    envelope.created ??= Math.floor(Date.now() / 1000);
    envelope.model ??= options.model;
    return { ...envelope, object: "chat.completion.chunk" };
  };

  /** A choice as it goes out; undefined when nothing of it does. */
  const mendChoice = (before: Choice, position: number, chunk: Chunk): Choice | undefined => {
    if (!isObject(before)) return before;
    const index = typeof before.index === "number" ? before.index : position;
    const first = !states.has(index);
    const state = stateOf(index);
    let choice = before;
    if (tools && before.index !== index) choice = { ...choice, index };
    if (!isObject(choice.delta)) choice = { ...choice, delta: {} };
    const delta = choice.delta!;
    note(state, delta);
    if (tools && first && delta.role !== "assistant") {
      problem("role-missing", `choice ${index}`);
      const { role: _, ...rest } = delta;
      choice = { ...choice, delta: { role: "assistant", ...rest } };
      state.introduced = true;
    } else if (state.introduced && delta.role !== undefined) {
      const { role: _, ...rest } = delta;
      choice = { ...choice, delta: rest };
    }
    const word = choice.finish_reason;
    const reason = finishReason(word);
    if (reason === null) {
      return word === null || word === undefined ? choice : { ...choice, finish_reason: null };
    }
    if (state.finish !== undefined) {
      problem("finish-repeated", inWords(word)); // OpenRouter, symptoms C10
      const empty = Object.values(delta).every((value) =>
        value === null || value === "" || value === "assistant"
      );
      return empty && !("logprobs" in choice && choice.logprobs !== null) && (chunk.usage ?? null) !== null
        ? undefined
        : { ...choice, finish_reason: null };
    }
    state.finish = options.finishKept?.has(inWords(word))
      ? inWords(word)
      : finishOf(index, state, reason, word);
    finished++;
    return state.finish === word ? choice : { ...choice, finish_reason: state.finish };
  };

  const finishOf = (index: number, state: State, reason: string, word: unknown): string => {
    const outcome = outcomeOf?.(index) ?? (state.called ? "whole" : "none");
    let finish = reason;
    if (outcome === "cut") finish = "length";
    else if (outcome === "whole" && tools) finish = "tool_calls";
    else if (outcome === "none" && reason === "tool_calls") finish = "stop";
    else if (outcome === "none" && reason === "function_call" && tools) finish = "stop";
    if (!isProtocolFinish(word)) options.finished?.(inWords(word));
    // The upstream cannot know of calls that were written as text: to it, the answer was one in words.
    const expected = word === "stop" && finish === "tool_calls" && options.written?.(index);
    if (finish !== word && !expected) problem("finish-changed", `${inWords(word)} → ${finish}`);
    return finish;
  };

  const note = (state: State, delta: Delta): void => {
    if (isObject(delta.function_call)) state.called = true;
    if (!Array.isArray(delta.tool_calls) || delta.tool_calls.length === 0) return;
    state.called = true;
    for (const call of delta.tool_calls) if (isObject(call) && call.id !== undefined) calls++;
  };

  const end = (): Item[] => {
    const silent = states.size === 0; // not even a role came
    if (silent) stateOf(0);
    const delta: Delta = silent && tools ? { role: "assistant", content: "" } : {};
    return [...states].filter(([, state]) => state.finish === undefined).map(([index, state]) => {
      const outcome = outcomeOf?.(index) ?? (state.called ? "whole" : "none");
      finished++;
      state.finish = outcome === "cut" ? "length" : outcome === "whole" ? "tool_calls" : "stop";
      problem("finish-missing", `choice ${index}: ${state.finish}`);
      return { chunk: { ...made(), choices: [{ index, delta, finish_reason: state.finish }] } };
    });
  };

  return {
    chunk,
    end,
    get finished() {
      return finished === states.size && finished >= options.choices;
    },
    get finish() {
      return [...states.values()].find((state) => state.finish !== undefined)?.finish;
    },
    get calls() {
      return calls;
    },
    learn: (chunk) => learn(envelope, chunk),
    resume(outcome) {
      resumed = true;
      outcomeOf = outcome;
      for (const state of states.values()) state.introduced = true;
    },
    keepAlive() {
      const delta: Delta = states.has(0) ? {} : { role: "assistant" };
      if (delta.role !== undefined) stateOf(0).introduced = true;
      return { chunk: { ...made(), choices: [{ index: 0, delta, finish_reason: null }] } };
    },
  };
}

/** `choices` as a list: some usage chunks have null there, or nothing (symptoms C8). */
function withChoices(chunk: Chunk, problem: Report): Chunk {
  if (Array.isArray(chunk.choices) || !lacksChoice(chunk)) return chunk;
  problem("choices-missing", Object.keys(chunk).join(", "));
  return { ...chunk, choices: [] };
}

const OBJECTS: readonly unknown[] = ["chat.completion.chunk", "chat.completion"];

/** Whether a chunk or a whole answer is the protocol's, but has no choice in it. */
export function lacksChoice({ choices, usage, object }: Json): boolean {
  if (Array.isArray(choices)) return choices.length === 0;
  return choices === null ||
    (choices === undefined && (usage !== undefined || OBJECTS.includes(object)));
}

function learn(envelope: Json, chunk: Chunk): void {
  if (envelope.id !== undefined && envelope.created !== undefined && envelope.model !== undefined) return;
  if (typeof chunk.id === "string" && chunk.id !== "") envelope.id ??= chunk.id;
  if (typeof chunk.created === "number" && chunk.created > 0) envelope.created ??= chunk.created;
  if (typeof chunk.model === "string" && chunk.model !== "") envelope.model ??= chunk.model;
}
