/** One answer on its way through the stages, whatever form it came in: what goes out for what came in. */
import { isObject } from "./call_piece.ts";
import { errorEvent, errorOf } from "./event_error.ts";
import { EMPTY_ANSWER, toApiError } from "./errors.ts";
import { isWholeAnswer, toChunks } from "./fold.ts";
import { endOfPlain, isPlain } from "./is_plain.ts";
import { parse } from "./json_text.ts";
import type { Chunk, Json } from "./openai.ts";
import type { Report } from "./problem.ts";
import { lacksChoice, type ProtocolStage } from "./protocol_stage.ts";
import { Events } from "./events.ts";
import { encodeEvent, type SseEvent } from "./sse_event.ts";
import type { Opening } from "./opening.ts";
import type { Item, Stage } from "./stage.ts";
import { failOpen, type Stages } from "./stages.ts";
import { TextRuns } from "./text_runs.ts";
import type { TurnStage } from "./turn_stage.ts";
import { type Usage, usageOf } from "./usage.ts";

/** What goes out: an event as it came, or a chunk. */
export type Out = SseEvent | Item;

export interface AnswerOptions {
  /** Not there when the request has no tools. */
  readonly turn: TurnStage | undefined;
  readonly protocol: ProtocolStage;
  /** What stands between the two. */
  readonly between?: readonly Stage[];
  /** Stands before the protocol stage when an answer that says nothing will not do. */
  readonly opening?: Opening | undefined;
  /** Vendors' stages, in front of the turn and behind the protocol. */
  readonly fixes?: {
    readonly before: readonly Stage[];
    readonly after: readonly Stage[];
    /** They have to read every event. */
    readonly reads: boolean;
  };
  /** The text that an error carries, if there is a call in it. */
  salvage?(error: Json): string | undefined;
  /** Several choices: each event has to be read to know which one it belongs to. */
  readonly several: boolean;
  readonly problem: Report;
}

const NO_FIXES: NonNullable<AnswerOptions["fixes"]> = {
  before: [],
  after: [],
  reads: false,
};

export class Answer {
  readonly #options: AnswerOptions;
  readonly #stages: Stages;
  /** Not there where each event has to be read. */
  readonly #runs: TextRuns | undefined;
  #read = false; // a chunk has been read: the envelope is known
  #spoken = false; // a choice has come, or what is not the protocol's
  #done = false; // `[DONE]` has gone out
  #usage: Usage | undefined;
  #error: Json | undefined; // what the upstream reported in the middle of its answer
  #unchanged = false; // see `unchanged`

  constructor(options: AnswerOptions) {
    this.#options = options;
    const { turn, between = [], opening, protocol, fixes = NO_FIXES, problem } = options;
    if (turn !== undefined && !options.several) {
      const passed = (text: string) => between.forEach((stage) => stage.text?.(0, text));
      this.#runs = new TextRuns({ turn, chunk: (item) => this.#stages.chunk(item), passed });
    }
    const last = opening ?? protocol;
    const own = turn === undefined ? [last] : [turn, ...between, last];
    this.#stages = failOpen([...fixes.before, ...own, ...fixes.after], problem);
  }

  /** `[DONE]` has gone out: nothing more may. */
  get done(): boolean {
    return this.#done;
  }

  /** The error that the upstream reported, if it did. */
  get error(): Json | undefined {
    return this.#error;
  }

  /** What the upstream counted, as far as it has said it. */
  get usage(): Usage | undefined {
    return this.#usage;
  }

  /** Every choice has had its finish reason. */
  get finished(): boolean {
    return this.#options.protocol.finished || (this.#options.opening?.finished ?? false);
  }

  /** Nothing has been said so far, and that will not do. */
  get empty(): boolean {
    return this.#options.opening?.said === false;
  }

  /** Something is held back. */
  get holding(): boolean {
    return this.empty || (this.#options.turn?.holding ?? false);
  }

  /** Of what was taken last, and of what had waited before it, all that does not wait now goes out as it came. */
  get unchanged(): boolean {
    return this.#unchanged;
  }

  /** The text of events that have come and wait; what comes next goes out behind them. */
  get waiting(): string {
    return this.#runs?.waiting ?? "";
  }

  /** Only what is not plain need be read (rule 2). */
  get #skims(): boolean {
    const { turn, several, fixes = NO_FIXES } = this.#options;
    return turn === undefined && !several && !fixes.reads && this.#read && this.#spoken && !this.#done;
  }

  /** What goes out for some events; the events themselves where nothing is changed. */
  take(come: Events): readonly Out[] {
    if (come.done) return []; // a part of an event: what waits goes on waiting
    const outs: Out[] = [];
    const events = come.behind(this.#runs?.release() ?? "");
    for (let skimmed = false; !events.done;) {
      if (!skimmed && this.#skims) {
        skimmed = true;
        if (this.#skim(events, outs)) continue;
      }
      if (this.empty || this.#done || !this.#runs?.take(events, outs)) {
        outs.push(...this.#take(events.next()!));
      }
    }
    this.#unchanged = events.same(outs, this.waiting.length);
    return outs;
  }

  /** Lets events go by up to the first that is not plain; whether there were any. */
  #skim(events: Events, outs: Out[]): boolean {
    const { rest } = events;
    const end = rest && endOfPlain(rest.text, rest.at);
    if (end === undefined || end === rest!.at) return false;
    outs.push(events.piece(end));
    return true;
  }

  /** Of events that wait, what goes out when nothing more comes. */
  #released(): readonly Out[] {
    return [...new Events(this.#runs?.release() ?? "")].flatMap((event) => this.#take(event));
  }

  #take(event: SseEvent): readonly Out[] {
    const { data, name } = event;
    if (this.#done) return [];
    if (data === undefined) return this.#aside(event);
    if (data.startsWith("[DONE]") || (data.length < 16 && data.trim() === "[DONE]")) {
      if (this.#silent) return [this.#nothing()];
      const rest = this.#error === undefined ? this.#stages.end() : [];
      this.#done = true;
      return this.empty ? [] : [...rest, event];
    }
    if (name === undefined && this.#skims && isPlain(data)) return [event];
    const chunk = parse(data);
    const error = errorOf(event, chunk);
    if (error !== undefined) return this.#failed(event, chunk, error);
    this.#spoken ||= data !== "" && !(isObject(chunk) && lacksChoice(chunk));
    if (!isObject(chunk)) {
      if (data !== "") this.#options.problem("event-unreadable", data.slice(0, 200));
      return [event];
    }
    this.#read = true;
    this.#count(chunk);
    this.#options.protocol.learn(chunk as Chunk);
    if (isWholeAnswer(chunk)) return toChunks(chunk).flatMap((part) => this.#stages.chunk({ chunk: part }));
    const learned = this.#runs?.learn(event, chunk) ?? false;
    const items = this.#stages.chunk({ chunk: chunk as Chunk, raw: event.raw });
    if (items.length !== 1 || items[0]!.raw !== event.raw) return items;
    if (learned) this.#runs!.passed();
    return [event];
  }

  /** An event without data: a comment, or an error that is no event. */
  #aside(event: SseEvent): readonly Out[] {
    const error = errorOf(event, undefined);
    if (error !== undefined) return this.#failed(event, undefined, error);
    return this.empty ? [] : [event];
  }

  /** The upstream reports an error in the middle of its answer. */
  #failed(event: SseEvent, chunk: unknown, error: Json): readonly Out[] {
    const text = this.#options.salvage?.(error);
    if (text !== undefined) return this.#ended(text);
    this.#error = error;
    this.#options.problem("upstream-error", (event.data ?? event.raw).slice(0, 1000));
    const flushed = this.#flushed();
    return this.empty ? flushed : [...flushed, errorEvent(event, chunk, error)]; // an empty one may be replaced
  }

  /** The answer ends with a text that came in an error. */
  #ended(text: string): readonly Out[] {
    const choices = [{ index: 0, delta: { content: text }, finish_reason: null }];
    const last = [...this.#stages.chunk({ chunk: { choices } }), ...this.#stages.end()];
    this.#done = true;
    return [...last, { raw: encodeEvent("[DONE]"), data: "[DONE]" }];
  }

  /** What goes out for a chunk that came in no event. */
  chunk(item: Item): readonly Item[] {
    this.#count(item.chunk);
    return this.#stages.chunk(item);
  }

  /** The stages are done; what they still owe. */
  close(): readonly Item[] {
    return this.#stages.end();
  }

  /** The upstream is done: what is still owed, and `[DONE]`. After an error nothing is made up. */
  end(): readonly Out[] {
    if (this.#done || this.#error !== undefined) return [];
    this.#options.problem("done-missing", "");
    const waited = this.#released();
    if (this.#silent) return [...waited, this.#nothing()];
    this.#done = true;
    const rest = this.#stages.end();
    return this.empty ? [] : [...waited, ...rest, { raw: encodeEvent("[DONE]"), data: "[DONE]" }];
  }

  /** All has come, and not one choice was in it; when an answer that says nothing will not do, it is asked again. */
  get #silent(): boolean {
    const { opening } = this.#options;
    return !this.#spoken && opening === undefined && this.#error === undefined;
  }

  /** The answer was none. */
  #nothing(): SseEvent {
    this.#error = EMPTY_ANSWER;
    this.#options.problem("answer-empty", "");
    const data = JSON.stringify({ error: toApiError(EMPTY_ANSWER) });
    return { raw: encodeEvent(data), data };
  }

  /** The upstream's connection broke: text that is still held, and the error; no finish is made up. */
  break(error: Json): readonly Out[] {
    const data = JSON.stringify({ error });
    const waited = this.#released();
    return [...waited, ...this.#flushed(), { raw: encodeEvent(data), data }];
  }

  #count({ usage }: Json): void {
    if (isObject(usage)) this.#usage = usageOf(usage);
  }

  #flushed(): readonly Item[] {
    const { turn, fixes = NO_FIXES } = this.#options;
    return this.#stages.after(fixes.before.length + 1, turn?.flush?.() ?? []);
  }
}

/** The text of what goes out. */
export function encode(out: Out): string {
  return out.raw ?? encodeEvent(JSON.stringify((out as Item).chunk));
}

/** The chunks in what goes out. */
export function* chunksIn(out: Out): Generator<Chunk, void, undefined> {
  if ("chunk" in out) return yield out.chunk;
  for (const { data } of out.several ? new Events(out.raw) : [out]) {
    const chunk = data === undefined ? undefined : parse(data);
    if (isObject(chunk)) yield chunk as Chunk;
  }
}
