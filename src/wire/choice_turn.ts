/** One choice of an answer: the parser over its text, its native calls, and the chunks that both become. */
import type { Dialect, Tool } from "../parse/dialect.ts";
import type { Field, TurnEvent } from "../parse/event.ts";
import type { Look } from "../parse/marker.ts";
import { beginnings, resolver } from "../parse/names.ts";
import { createParser, type Parser } from "../parse/parser.ts";
import type { RepairConfig } from "../repair_config.ts";
import { newId } from "./call_id.ts";
import { fromFunctionCall, isObject } from "./call_piece.ts";
import { finishReason, saysFinish } from "./finish.ts";
import { Introduction } from "./introduction.ts";
import { takesAny } from "./native_call.ts";
import { NativeCalls } from "./native_calls.ts";
import type { Choice, Chunk, Delta, ToolCallDelta } from "./openai.ts";
import type { Report } from "./problem.ts";
import type { Outcome } from "./protocol_stage.ts";
import { Relay, type Relayed, restOf, says, type Text } from "./relay.ts";
import type { Item } from "./stage.ts";
import { WrittenCalls } from "./written_calls.ts";

/** What a turn needs to know of its request. */
export interface TurnOptions {
  readonly tools: readonly Tool[];
  readonly config: Pick<RepairConfig, "arguments" | "reasoning">;
  /** The dialects to look for. */
  readonly dialects: readonly Dialect[];
  readonly problem: Report;
}

/** The turn of one choice: its text, its native calls, and what goes out for them. */
export class ChoiceTurn {
  readonly #parser: Parser;
  readonly #native: NativeCalls;
  readonly #relay = new Relay();
  readonly #introduction = new Introduction();
  readonly #options: TurnOptions;
  readonly #index: number;
  readonly callsByDialect = new Map<string, number>();
  readonly #written = new WrittenCalls();
  #calls = 0; // calls that have gone out
  #last: Chunk = {}; // the last chunk: chunks of our own have its envelope
  #reasoningName: "reasoning" | "reasoning_content" = "reasoning_content"; // what this upstream calls it
  #textSinceNative = true; // text has come that may hold calls, since the last native call
  #ended = false;

  constructor(options: TurnOptions, index: number) {
    const { tools, config, dialects, problem } = options;
    this.#options = options;
    this.#index = index;
    const nextIndex = (): number => this.#calls++;
    const whole = config.arguments === "whole";
    const keepReasoning = config.reasoning === "keep";
    const startsInReasoning = config.reasoning === "open";
    this.#parser = createParser({
      tools,
      dialects,
      nextIndex,
      wholeCalls: whole,
      keepReasoning,
      startsInReasoning,
    });
    this.#native = new NativeCalls({
      resolve: resolver(tools),
      begins: beginnings(tools),
      barely: (name) => tools.some((tool) => tool.name === name && !takesAny(tool)),
      newId,
      nextIndex,
      problem,
      written: this.#written,
      whole,
    });
  }

  get holding(): boolean {
    return this.#parser.holding || this.#native.holding;
  }

  get outcome(): Outcome {
    if (this.#parser.cut || this.#native.truncated) return "cut";
    return this.#calls > 0 ? "whole" : "none";
  }

  /** Text that comes next does not go out in the chunks that it comes in. */
  get apart(): boolean {
    return !this.#ended && this.#relay.apart && !this.#parser.idle;
  }

  /** Looks for what may be more than text; see `Parser.look()`. */
  look(text: string, from: number): Look {
    const held = this.#ended || this.#relay.waiting;
    return held ? { at: from, starts: false } : this.#parser.look(text, from);
  }

  /** Chunks go by that hold nothing but this text, in which `look()` found nothing. */
  pass(text: string): void {
    this.#parser.pass(text);
    this.#textSinceNative = true;
  }

  chunk(item: Item, choice: Choice): Item[] {
    const out = this.#chunk(item, choice);
    return this.#introduction.over ? out : this.#introduction.pass(out, choice.delta);
  }

  #chunk(item: Item, choice: Choice): Item[] {
    if (this.#ended) return this.#late(item, choice);
    this.#last = item.chunk;
    const delta = fromFunctionCall(isObject(choice.delta) ? choice.delta : NO_DELTA);
    const calls = delta.tool_calls;
    if (Array.isArray(calls) && calls.length === 0) {
      // vLLM sends an empty list with every piece of content: clients take it for the start of a call.
      const { tool_calls: _calls, ...others } = delta;
      const mended = { ...choice, delta: others };
      return this.#chunk({ chunk: { ...item.chunk, choices: [mended] } }, mended);
    }
    const texts = this.#textsOf(delta);
    if (calls == null && !saysFinish(choice.finish_reason) && texts.length <= 1) {
      return this.#text(item, texts[0]);
    }
    return this.#mixed(item, choice, delta, texts);
  }

  /** What comes behind the finish: nothing is looked for in it, but calls have to keep the protocol. */
  #late(item: Item, choice: Choice): Item[] {
    const { tool_calls: calls, ...rest } = isObject(choice.delta) ? choice.delta : NO_DELTA;
    const { deltas, same } = this.#native.delta(calls);
    if (same) return [item];
    const delta = deltas.length === 0 ? rest : { ...rest, tool_calls: deltas };
    return [{ chunk: { ...item.chunk, choices: [{ ...choice, delta }] } }];
  }

  /** The answer breaks off. */
  flush(): Item[] {
    return this.#ended ? [] : this.#introduction.pass(this.#write(this.#parser.breakOff(), true));
  }

  /** The answer is over without a word from this choice. */
  end(): Item[] {
    if (this.#ended) return this.#native.end().map((each) => this.#item({ tool_calls: [each] }));
    const { events, owed } = this.#finish("length"); // without a finish, a call that has not begun is cut off
    const rest = owed.map((each) => this.#item({ tool_calls: [each] }));
    return this.#introduction.pass([...this.#write(events, true), ...rest]);
  }

  /** A chunk with text of one field, or none: it goes on whole if its text does. */
  #text(item: Item, text: Text = NO_TEXT): Item[] {
    const [field, value] = text;
    const whole = this.#relay.push(item, field, value, this.#parser.idle);
    if (value === "") return whole ? this.#send(this.#relay.release()) : [item];
    this.#textSinceNative = true;
    const out = this.#write(this.#parser.feed(value, field));
    if (this.#relay.overdue) out.push(...this.#send(this.#relay.split()));
    if (!whole) out.push(...restOf(item));
    return out;
  }

  /** A chunk with calls, several fields of text, or the end. */
  #mixed(item: Item, choice: Choice, delta: Delta, texts: readonly Text[]): Item[] {
    const idle = this.#parser.idle && !this.#relay.waiting;
    const events = texts.flatMap(([field, text]) => this.#parser.feed(text, field));
    let same = delta === choice.delta || delta === NO_DELTA;
    let deltas: ToolCallDelta[] = [];
    if (delta.tool_calls != null) {
      if (this.#textSinceNative) events.push(...this.#parser.nativeCall());
      this.#textSinceNative = false;
      const mended = this.#native.delta(delta.tool_calls);
      same &&= mended.same;
      deltas = mended.deltas;
    }
    const finishes = saysFinish(choice.finish_reason);
    const last = finishes ? this.#finish(choice.finish_reason) : NOTHING;
    same &&= last.owed.length === 0;
    if (idle && same && says([...events, ...last.events], texts)) return [item];
    const out = this.#write(events);
    if (texts.length === 0 && same) return [...out, ...this.#write(last.events, true), item];
    const {
      content: _content,
      reasoning: _reasoning,
      reasoning_content: _long,
      tool_calls: _calls,
      ...rest
    } = delta;
    if (deltas.length > 0) {
      out.push(...this.#send(this.#relay.split()), this.#item({ ...rest, tool_calls: deltas }));
    }
    out.push(
      ...this.#write(last.events, finishes),
      ...last.owed.map((owed) => this.#item({ tool_calls: [owed] })),
    );
    const left = deltas.length > 0 ? {} : rest;
    const empty = Object.keys(left).length === 0 && choice.logprobs == null && item.chunk["usage"] == null;
    if (!empty || finishes) out.push({ chunk: { ...item.chunk, choices: [{ ...choice, delta: left }] } });
    return out;
  }

  /** The turn is over: what the parser still held, and what native calls still lack. */
  #finish(reason?: string | null): Last {
    this.#ended = true;
    return { events: this.#parser.end(), owed: this.#native.end(finishReason(reason) === "length") };
  }

  /** Turns what the parser says into items. */
  #write(events: readonly TurnEvent[], last = false): Item[] {
    const out: Item[] = [];
    let calls: ToolCallDelta[] = []; // pieces of calls that go out in one chunk
    const flush = (): void => {
      if (calls.length === 0) return;
      out.push({ ...this.#item({ tool_calls: calls }), typed: true });
      calls = [];
    };
    for (const event of events) {
      if (event.type === "problem") this.#options.problem(event.code, event.detail);
      else if (event.type === "content-delta" || event.type === "reasoning-delta") {
        flush();
        const field = event.type === "content-delta" ? "content" : "reasoning";
        out.push(...this.#send(this.#relay.pass(field, event.text)));
      } else if (event.type === "call-start") {
        out.push(...this.#send(this.#relay.split()));
        const { index, name, dialect } = event;
        this.callsByDialect.set(dialect, (this.callsByDialect.get(dialect) ?? 0) + 1);
        this.#written.start(index, name);
        calls.push({
          index,
          id: event.id?.trim() ? event.id : newId(),
          type: "function",
          function: { name, arguments: "" },
        });
      } else if (event.type === "call-delta") {
        this.#written.add(event.index, event.json);
        const last = calls.at(-1);
        if (last?.index === event.index) last.function!.arguments! += event.json;
        else calls.push({ index: event.index, function: { arguments: event.json } });
      }
    }
    flush();
    return last ? [...out, ...this.#send(this.#relay.split())] : out;
  }

  #send(relayed: readonly Relayed[]): Item[] {
    const out: Item[] = [];
    for (const each of relayed) {
      if (each.kind === "item") out.push(each.item);
      else if (each.kind === "rest") out.push(...restOf(each.item));
      else out.push(this.#item({ [this.#nameOf(each.field)]: each.text }));
    }
    return out;
  }

  #textsOf(delta: Delta): Text[] {
    const texts: Text[] = [];
    if (typeof delta.reasoning === "string" && typeof delta.reasoning_content !== "string") {
      this.#reasoningName = "reasoning";
    }
    const reasoning = delta.reasoning_content ?? delta.reasoning;
    if (typeof reasoning === "string" && reasoning !== "") texts.push(["reasoning", reasoning]);
    if (typeof delta.content === "string" && delta.content !== "") texts.push(["content", delta.content]);
    return texts;
  }

  #nameOf(field: Field): "content" | "reasoning" | "reasoning_content" {
    return field === "content" ? "content" : this.#reasoningName;
  }

  #item(delta: Delta): Item {
    const { usage: _usage, ...envelope } = this.#last;
    return { chunk: { ...envelope, choices: [{ index: this.#index, delta, finish_reason: null }] } };
  }
}

/** What comes when a turn is over. */
type Last = { readonly events: readonly TurnEvent[]; readonly owed: readonly ToolCallDelta[] };

const NO_DELTA: Delta = {};
const NO_TEXT: Text = ["content", ""];
const NOTHING: Last = { events: [], owed: [] };
