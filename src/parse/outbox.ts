/** What goes out of a turn and when: white space between calls, calls that cannot be decided yet, order. */
import type { Field, ProblemCode, TurnEvent } from "./event.ts";

/** Where a text stands: in a field of the answer, or in reasoning that was written into the content. */
export type Place = Field | "tagged";

/** A stretch of text in one place. */
export interface Said {
  readonly place: Place;
  readonly text: string;
}

/** One call as it goes out whole. */
export interface WholeCall {
  readonly name: string;
  readonly id?: string | undefined;
  readonly json: string;
}

/** A block of calls that were read but may turn out to be text. */
export interface HeldBlock {
  /**
   * `unknown`: holds a tool that was not offered; a call only if it is the last thing said (rule 7).
   * `draft`: stands in reasoning; a call only if nothing else is said (rule 12).
   */
  readonly why: "unknown" | "draft";
  readonly dialect: string;
  /** What it is if it is text. */
  readonly text: readonly Said[];
  /** What it is if it is calls: the calls, and text between them. */
  readonly parts: readonly (WholeCall | string)[];
}

type HeldItem = HeldBlock | Said;

/** What content has been said since the last call. */
export type SinceCall = "no-call" | "space" | "text";

/** Where the blocks stand that are held: in the reasoning field, or in tagged reasoning, still open or closed. */
type Reasoning = "field" | "open-tag" | "closed-tag";

export class Outbox {
  #events: TurnEvent[] = [];
  #held: HeldItem[] = []; // what waits for the decision over its first item, which is a block
  #space: Record<Place, string | undefined> = { content: "", reasoning: undefined, tagged: "" }; // goes out only if text follows
  #tags = false; // reasoning was written into the content
  #visible = false; // content that is more than white space has been said
  #called = false; // a call has been delivered
  #sinceCall: SinceCall = "no-call"; // what has been said since the last call
  readonly #ids = new Set<string>(); // ids of calls that have gone out
  readonly #nextIndex: () => number;
  readonly #keepsReasoning: boolean;

  /** `nextIndex` numbers the calls of the turn; with `keepsReasoning`, tagged reasoning stays in the content. */
  constructor(nextIndex: () => number, keepsReasoning: boolean) {
    this.#nextIndex = nextIndex;
    this.#keepsReasoning = keepsReasoning;
  }

  /** What has gone out since the last time. */
  drain(): TurnEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  /** Something is undecided. */
  get holding(): boolean {
    return this.#held.length > 0;
  }

  /** Nothing is held, not even white space. */
  get empty(): boolean {
    return this.#held.length === 0 && !this.#space.content && !this.#space.reasoning && !this.#space.tagged;
  }

  /** Content that is more than white space, or a call, has been said. */
  get spoken(): boolean {
    return this.#visible || this.#called || this.#held.length > 0;
  }

  /** What has been said since the last call; a block that is held counts as one. */
  get sinceCall(): SinceCall {
    return this.#held.length > 0 ? "space" : this.#sinceCall;
  }

  problem(code: ProblemCode, detail: string): void {
    this.#events.push({ type: "problem", code, detail });
  }

  /** Plain text, in reading order. */
  text(place: Place, text: string): void {
    if (this.#held.length > 0) {
      const first = this.#held[0] as HeldBlock;
      if (isBlank(text) || (first.why === "draft" && place !== "content")) {
        this.#held.push({ place, text });
        return;
      }
      this.#settleAsText();
    }
    this.#say(place, text);
  }

  /** Whether content that goes on like `text` at `from` would go out at once and as it is. */
  passes(text: string, from: number): boolean {
    if (this.#held.length > 0 || this.#events.length > 0 || !this.empty) return false;
    return this.#space.content === undefined || !isBlank(text.charAt(from));
  }

  /** Such content has gone out. */
  pass(): void {
    this.#space.content = undefined;
    this.#visible = true;
    if (this.#sinceCall === "space") this.#sinceCall = "text";
  }

  /** A block of which it is not certain that it is calls. */
  hold(block: HeldBlock): void {
    if (this.#held.length > 0 && (this.#held[0] as HeldBlock).why !== block.why) this.#settleAsText();
    else if (block.why === "unknown") this.#settleAsText();
    this.#held.push(block);
  }

  /** A call goes out; returns its index. */
  callStart(name: string, id: string | undefined, dialect: string): number {
    this.calls();
    const index = this.#nextIndex();
    const own = id === undefined || this.#ids.has(id) ? {} : { id }; // a model that repeats an id means another call
    if (id !== undefined) this.#ids.add(id);
    this.#events.push({ type: "call-start", index, name, ...own, dialect });
    return index;
  }

  callDelta(index: number, json: string): void {
    if (json !== "") this.#events.push({ type: "call-delta", index, json });
  }

  callEnd(index: number): void {
    this.#events.push({ type: "call-end", index });
    this.#space.content = "";
    this.#sinceCall = "space";
  }

  /** A call that is no longer in question is delivered now, here or by the upstream itself. */
  calls(): void {
    this.#settleAsText();
    this.#called = true;
    this.#space.content = "";
    this.#sinceCall = "space";
  }

  /** The dialect says where its text begins: white space at the start of the turn is none of it. */
  dropStart(): void {
    if (!this.spoken) this.#space.content = "";
  }

  /** Reasoning that was written into the content begins or ends: white space around it is no content. */
  tag(marker: string): void {
    this.#tags = true;
    if (this.#keepsReasoning) this.text("tagged", marker);
    else this.#space.tagged = "";
  }

  /** The turn is over: what is held is decided. `tagOpen`: in reasoning that was written into the content. */
  end(tagOpen: boolean): void {
    const first = this.#held[0] as HeldBlock | undefined;
    if (first === undefined) return this.#endSpace();
    const reasoning = first.text[0]?.place === "reasoning" ? "field" : tagOpen ? "open-tag" : "closed-tag";
    if (first.why === "unknown" || this.#draftCounts(reasoning)) this.#settleAsCalls(reasoning);
    else this.#settleAsText();
    this.#endSpace();
  }

  #draftCounts(reasoning: Reasoning): boolean {
    if (reasoning === "field") return !this.#visible && !this.#called;
    const afterLast = this.#held.slice(this.#held.findLastIndex(isBlock) + 1) as Said[];
    return reasoning !== "closed-tag" || afterLast.every(({ text }) => isBlank(text));
  }

  #settleAsText(): void {
    if (this.#held.length === 0) return;
    const held = this.#held;
    this.#held = [];
    for (const item of held) {
      if (!isBlock(item)) this.#say(item.place, item.text);
      else {
        this.problem(item.why === "draft" ? "draft" : "unknown-tool", namesOf(item));
        for (const { place, text } of item.text) this.#say(place, text);
      }
    }
  }

  #settleAsCalls(reasoning: Reasoning): void {
    const held = this.#held;
    this.#held = [];
    let called = false; // an unclosed think block ends with its first call
    for (const item of held) {
      if (isBlock(item)) {
        this.problem(item.why === "draft" ? "call-in-reasoning" : "unknown-tool", namesOf(item));
        this.whole(item.dialect, item.parts);
        called = true;
      } else this.#say(called && reasoning === "open-tag" ? "content" : item.place, item.text);
    }
  }

  /** Calls that are whole, and text between them, go out. */
  whole(dialect: string, parts: readonly (WholeCall | string)[]): void {
    for (const part of parts) {
      if (typeof part === "string") this.text("content", part);
      else {
        const index = this.callStart(part.name, part.id, dialect);
        this.callDelta(index, part.json);
        this.callEnd(index);
      }
    }
  }

  /** White space at the start, and after a call or a tag, goes out only if text follows. */
  #say(place: Place, text: string): void {
    const waiting = this.#space[place];
    if (waiting !== undefined) {
      const blank = isBlank(text); // what waits is: joined again and again it must not be looked at again
      text = waiting + text;
      this.#space[place] = blank ? text : undefined;
      if (blank) return;
      // What separates the answer from its reasoning is no more content than the tag; an indent is.
      const begins = place === "content" && this.#tags && !this.#keepsReasoning && !this.spoken;
      if (begins) text = text.replace(/^(?:[ \t\r\n]*\n|[ \t]+)/, "");
    }
    if (text === "") return;
    if (place === "content") {
      this.#visible = true;
      if (this.#sinceCall === "space") this.#sinceCall = "text";
    }
    const isContent = place === "content" || (place === "tagged" && this.#keepsReasoning);
    const type = isContent ? "content-delta" : "reasoning-delta";
    const last = this.#events.at(-1);
    if (last?.type !== type) this.#events.push({ type, text });
    else this.#events[this.#events.length - 1] = { type, text: last.text + text };
  }

  /** A turn that is nothing but white space is that white space. */
  #endSpace(): void {
    const space = this.#space.content;
    if (space && !this.#visible && !this.#called && !this.#tags) {
      this.#events.push({ type: "content-delta", text: space });
    }
  }
}

const isBlock = (item: HeldItem): item is HeldBlock => "parts" in item;
const isBlank = (text: string): boolean => !/[^ \t\r\n]/.test(text);
const namesOf = (block: HeldBlock): string =>
  block.parts.flatMap((part) => typeof part === "string" ? [] : [part.name]).join(", ");
