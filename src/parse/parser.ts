/** Drives all live dialects over one turn: what is a call, what is text, in one policy for all of them. */
import { Block, type BlockEnd, type Delivery, type HeldCalls } from "./block.ts";
import type { Dialect, Tool } from "./dialect.ts";
import type { Field, TurnEvent } from "./event.ts";
import { type Candidate, type Live, liveOf } from "./live.ts";
import { Markdown } from "./markdown.ts";
import { type Hit, type Marker, MarkerSet } from "./marker.ts";
import { resolver } from "./names.ts";
import { Outbox, type Place } from "./outbox.ts";
import { Scanner, type Step } from "./scanner.ts";
import { END_TOKENS, REASONING_TAGS, RESULT_TAGS, RESULT_WORD } from "./signals.ts";

/** How a turn is to be read. */
export interface ParserOptions {
  /** The tools of the request. */
  readonly tools: readonly Tool[];
  /** The dialects that are live. */
  readonly dialects: readonly Dialect[];
  /** Numbers the calls of the turn; shared with calls that do not come through the text. */
  readonly nextIndex?: () => number;
  /** Calls go out whole instead of as they come. */
  readonly wholeCalls?: boolean;
  /** Reasoning that is written into the content stays there. */
  readonly keepReasoning?: boolean;
  /** The prompt has opened the reasoning: the content begins inside it, and only its closing tag will come. */
  readonly startsInReasoning?: boolean;
}

/** Reads one turn. Make a new one for each answer. */
export interface Parser {
  /** More of the turn; returns what is certain by now. */
  feed(text: string, field?: Field): TurnEvent[];
  /** The turn is over. */
  end(): TurnEvent[];
  /** The upstream delivers a call by itself now: what is held is decided, a dangling opener dropped. */
  nativeCall(): TurnEvent[];
  /** The answer breaks off in the middle: text that is held goes out, calls that are held do not. */
  breakOff(): TurnEvent[];
  /** How many characters of plain text are held back. */
  readonly held: number;
  /** A call, or what may be one, is held. */
  readonly holding: boolean;
  /** Nothing at all is held, not even white space. */
  readonly idle: boolean;
  /** A call was cut off: its arguments will never be whole. */
  readonly cut: boolean;
}

/** Reads one turn with all of `dialects` live. */
export function createParser(options: ParserOptions): Parser {
  return new TurnParser(options);
}

class TurnParser implements Parser {
  #scan = new Scanner();
  readonly #markdown = new Markdown();
  readonly #outbox: Outbox;
  readonly #live: Live;
  readonly #resolve: (name: string) => Tool | undefined;
  readonly #wholeCalls: boolean;
  #reading: Step<void>; // the turn, as far as it has been read
  #closer: string | undefined; // what ends the tagged reasoning that is open
  #trying = false; // in a block, or in a fence that may hold one
  #interrupted: "native-call" | "break" | undefined; // what makes the text stop that is being read
  #cut = false;
  #wrap: string | undefined; // the code fence round the whole answer, which was dropped

  constructor(options: ParserOptions) {
    const { tools, dialects, nextIndex, wholeCalls, keepReasoning, startsInReasoning } = options;
    let calls = 0;
    this.#outbox = new Outbox(nextIndex ?? (() => calls++), keepReasoning ?? false);
    this.#live = liveOf(dialects);
    const byName = new Map(tools.map((tool) => [tool.name, tool]));
    const nameOf = resolver(tools);
    this.#resolve = (name) => byName.get(nameOf(name) ?? "");
    this.#wholeCalls = wholeCalls ?? false;
    if (startsInReasoning) this.#closer = REASONING_TAGS[0]![1];
    this.#reading = this.#turn();
  }

  feed(text: string, field: Field = "content"): TurnEvent[] {
    this.#scan.push(text, field);
    this.#reading.next();
    return this.#outbox.drain();
  }

  end(): TurnEvent[] {
    this.#scan.end();
    this.#reading.next();
    this.#outbox.end(this.#closer !== undefined);
    return this.#outbox.drain();
  }

  nativeCall(): TurnEvent[] {
    // Bedrock's DeepSeek leaves the first marker of a block it has parsed in the text (symptoms A3).
    if (!this.#trying && this.#scan.held > 2) this.#dangling(this.#scan.skip(this.#scan.held));
    this.#interrupt("native-call");
    this.#scan = new Scanner();
    this.#reading = this.#turn();
    return this.#outbox.drain();
  }

  breakOff(): TurnEvent[] {
    this.#interrupt("break");
    return this.#outbox.drain();
  }

  #interrupt(by: "native-call" | "break"): void {
    this.#interrupted = by;
    this.#scan.end();
    this.#reading.next();
    this.#interrupted = undefined;
    this.#outbox.calls();
  }

  get held(): number {
    return this.#scan.held;
  }

  get holding(): boolean {
    return this.#trying || this.#outbox.holding;
  }

  get idle(): boolean {
    return this.#scan.held === 0 && !this.#trying && this.#outbox.empty;
  }

  get cut(): boolean {
    return this.#cut;
  }

  *#turn(): Step<void> {
    const scan = this.#scan;
    for (;;) {
      const hit = yield* scan.untilSeam(this.#live.markers, this.#plain);
      if (hit === undefined) return;
      if (hit === "seam") this.#markdown.reset();
      else {
        this.#trying = true;
        yield* this.#at(hit);
        this.#trying = false;
      }
    }
  }

  /** Something stands here that may be more than text. */
  *#at(hit: Hit): Step<void> {
    if (hit.text === "`" || hit.text === "~~~") return yield* this.#codeMark(hit);
    if (this.#closer !== undefined && hit.text === this.#closer) return yield* this.#reasoningEnds(hit);
    if (this.#markdown.fence !== undefined) return this.#plain(hit.text);
    const openers = this.#openersAt(hit.marker);
    if (openers.length === 0 || !(yield* this.#openerAt(hit, openers))) yield* this.#otherAt(hit);
  }

  /** No block of calls stands here. */
  *#otherAt(hit: Hit): Step<void> {
    if (this.#live.thinkClosers.has(hit.text)) return yield* this.#reasoningEnds(hit);
    const closer = this.#live.thinkOpeners.get(hit.text);
    if (closer !== undefined) return this.#reasoningBegins(hit, closer);
    if (END_TOKENS.includes(hit.text)) return yield* this.#endToken(hit);
    if (RESULT_TAGS.includes(hit.text) || hit.text === RESULT_WORD) return yield* this.#result(hit);
    this.#plain(hit.text);
  }

  #openersAt(marker: Marker): readonly Candidate[] {
    const openers = this.#live.openers.get(marker);
    // Openers that come to nothing are read twice; a turn made of them must not cost more than linear time.
    if (openers === undefined || this.#scan.reread > REREAD_FLOOR + REREAD_RATE * this.#scan.offset) {
      return [];
    }
    return openers.filter(({ opener: { where } }) =>
      where === undefined ||
      (this.#markdown.lineBlank && (where === "line" || !this.#outbox.spoken))
    );
  }

  /** False when what stands here is no block after all. */
  *#openerAt(hit: Hit, openers: readonly Candidate[]): Step<boolean> {
    const place = this.#place;
    const span = this.#markdown.span;
    const end = yield* this.#try(hit, openers, place !== "content" || span > 0 ? "held" : undefined);
    if (!end.taken) {
      if (this.#interrupted === "native-call" && this.#scan.ended) {
        this.#dangling(hit.text);
        return true;
      }
      if (openers.some(({ opener }) => opener.form === "wrapped")) {
        this.#outbox.problem("not-a-call", hit.text);
      }
      return false;
    }
    if (end.held === undefined) return true;
    if (span > 0 && (yield* this.#spanCloses(span))) this.#sayHeld(end.held);
    else this.#deliver(end, end.held, place);
    return true;
  }

  /** Calls that were held while they were read: they go out, wait, or are text. */
  #deliver({ unknown }: BlockEnd, held: HeldCalls, place: Place): void {
    const { dialect, parts } = held;
    const draft = place !== "content" && this.#place === place; // a call that goes on in the content is none
    const text = held.text.map(({ field, text }) => ({ place: field === "reasoning" ? field : place, text }));
    if (draft && unknown) this.#sayHeld(held);
    else if (draft || unknown) this.#outbox.hold({ why: draft ? "draft" : "unknown", dialect, parts, text });
    else this.#outbox.whole(dialect, parts);
  }

  /** Held calls are text after all. */
  #sayHeld({ text }: HeldCalls): void {
    for (const stretch of text) this.#outbox.text(this.#placeOf(stretch.field), stretch.text);
  }

  /** Lets each dialect look at what follows the opener; undefined when the turn is over for them. */
  *#try(hit: Hit, openers: readonly Candidate[], delivery?: Delivery): Step<BlockEnd> {
    const scan = this.#scan;
    let cut: BlockEnd["cut"];
    for (const { dialect, opener } of openers) {
      const start = scan.mark(hit.text);
      const block = new Block({
        scan,
        outbox: this.#outbox,
        dialect,
        delivery: delivery ?? (opener.form === "recovered" || this.#wholeCalls ? "ended" : "streamed"),
        form: opener.form,
        resolve: this.#resolve,
      }, start);
      let closed = false;
      try {
        closed = yield* dialect.block(scan, block, hit, opener);
      } catch (error) {
        this.#outbox.problem(
          "dialect-failed",
          `${dialect.id}: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
      const end = block.finish(closed);
      if (end.taken) {
        this.#breaksOff(end.cut);
        return end;
      }
      cut ??= end.cut;
      scan.skip(hit.text.length);
    }
    this.#breaksOff(cut);
    return NOT_TAKEN;
  }

  #breaksOff(cut: BlockEnd["cut"]): void {
    if (cut === undefined || this.#interrupted !== undefined) return;
    this.#cut = true;
    this.#outbox.problem(cut.ended ? "call-truncated" : "call-broken", cut.tool);
  }

  /** Backticks or tildes: a fence, inline code, or text. */
  *#codeMark(hit: Hit): Step<void> {
    const scan = this.#scan;
    const char = hit.text.charAt(0);
    const start = scan.mark(hit.text);
    let run = hit.text;
    yield* scan.run(char === "`" ? NOT_BACKTICK : NOT_TILDE, (text) => run += text);
    const { fence, lineBlank } = this.#markdown;
    if (this.#wrap !== undefined && (yield* this.#wrapEnds(run))) return scan.release();
    if (lineBlank && run.length >= 3 && fence === undefined && (yield* this.#fencedCalls(run))) {
      return scan.release();
    }
    scan.unread(start);
    scan.skip(run.length);
    let closes = false;
    if (fence !== undefined && lineBlank) {
      const behind = scan.mark();
      yield* scan.run(NOT_BLANK, ignore);
      closes = LINE_ENDS.includes(yield* scan.peek());
      scan.rewind(behind);
    }
    scan.release();
    this.#markdown.run(char, run.length, closes);
    this.#outbox.text(this.#place, run);
  }

  /** A fence that holds nothing but calls, as the last thing said, is calls (rule 8). */
  *#fencedCalls(run: string): Step<boolean> {
    const scan = this.#scan;
    const place = this.#place;
    const info = yield* scan.take(NEWLINE, 64);
    if (info === undefined || info.text.includes("`")) return false;
    const wrapped = yield* this.#wrappedAnswer(run);
    if (wrapped !== undefined) return wrapped;
    const blocks: [BlockEnd, HeldCalls][] = [];
    for (;;) {
      yield* scan.skipSpace();
      const hit = yield* scan.accept(...this.#live.fenceOpeners);
      if (hit === undefined) break;
      const end = yield* this.#try(hit, this.#live.openers.get(hit.marker)!, "held");
      if (!end.taken || !end.closed || end.unknown || end.held === undefined) return false;
      blocks.push([end, end.held]);
    }
    if (blocks.length === 0) return false;
    const closer = yield* scan.accept(run);
    if (closer !== undefined) yield* scan.run(run.startsWith("`") ? NOT_BACKTICK : NOT_TILDE, ignore);
    yield* scan.skipSpace();
    if ((yield* scan.peek()) !== "") return false;
    this.#outbox.problem("fence-unwrapped", run + info.text);
    for (const [end, held] of blocks) this.#deliver(end, held, place);
    return true;
  }

  /**
   * A fence that begins the turn and holds what opens a whole answer is dropped, so that the answer streams.
   * Undefined when no such thing stands in it.
   */
  *#wrappedAnswer(run: string): Step<boolean | undefined> {
    const scan = this.#scan;
    const { answerOpeners } = this.#live;
    if (answerOpeners.length === 0 || this.#place !== "content" || this.#outbox.spoken) return undefined;
    yield* scan.skipSpace();
    const hit = yield* scan.accept(...answerOpeners);
    if (hit === undefined) return undefined;
    if (!(yield* this.#openerAt(hit, this.#openersAt(hit.marker)))) return false;
    this.#outbox.problem("fence-unwrapped", run);
    this.#wrap = run;
    const behind = scan.mark();
    yield* scan.skipSpace();
    const closed = (yield* scan.accept(run)) !== undefined && LINE_ENDS.includes(yield* scan.peek());
    if (!closed) scan.rewind(behind);
    else {
      this.#wrap = undefined;
      scan.release();
      yield* this.#blankToEnd();
    }
    return true;
  }

  /** The end of the fence round the whole answer is the last thing said. */
  *#wrapEnds(run: string): Step<boolean> {
    return run.startsWith(this.#wrap!) && (yield* this.#blankToEnd());
  }

  /** Eats white space if nothing else follows. */
  *#blankToEnd(): Step<boolean> {
    const behind = this.#scan.mark();
    yield* this.#scan.skipSpace();
    const ends = (yield* this.#scan.peek()) === "";
    if (ends) this.#scan.release();
    else this.#scan.rewind(behind);
    return ends;
  }

  /** Whether inline code that `size` backticks opened closes on this line. */
  *#spanCloses(size: number): Step<boolean> {
    const scan = this.#scan;
    const start = scan.mark();
    let closes = false;
    for (;;) {
      yield* scan.run(BACKTICK_OR_NEWLINE, ignore);
      if ((yield* scan.peek()) !== "`") break;
      let run = "";
      yield* scan.run(NOT_BACKTICK, (text) => run += text);
      closes = run.length === size;
      if (closes) break;
    }
    scan.rewind(start);
    return closes;
  }

  #reasoningBegins({ text }: Hit, closer: string): void {
    if (!this.#markdown.lineBlank || this.#place !== "content") return this.#plain(text);
    this.#closer = closer;
    this.#markdown.reset();
    this.#outbox.tag(text);
  }

  /** A closing tag of reasoning, with or without an opening one. */
  *#reasoningEnds({ text }: Hit): Step<void> {
    const { fence, span, lineBlank } = this.#markdown;
    const inCode = fence !== undefined ? !lineBlank : span > 0 && (yield* this.#spanCloses(span));
    const closes = !inCode &&
      (this.#closer !== undefined ? text === this.#closer || lineBlank : fence === undefined &&
        (lineBlank || !this.#outbox.spoken || LINE_ENDS.includes(yield* this.#scan.peek())));
    if (!closes) return this.#plain(text);
    this.#closer = undefined;
    this.#markdown.reset();
    this.#outbox.tag(text);
  }

  /** An end-of-turn token is dropped where the turn ends. */
  *#endToken({ text }: Hit): Step<void> {
    const scan = this.#scan;
    const behind = scan.mark();
    do yield* scan.skipSpace(); while (yield* scan.accept(...END_TOKENS));
    if ((yield* scan.peek()) === "") {
      scan.release();
      this.#outbox.problem("special-token", text);
    } else {
      scan.rewind(behind);
      this.#plain(text);
    }
  }

  /** A tool result behind a call was made up: it is dropped, and the answer ends there. */
  *#result({ text }: Hit): Step<void> {
    const { sinceCall } = this.#outbox;
    const madeUp = this.#markdown.lineBlank && this.#place === "content" &&
      (sinceCall === "space" || (sinceCall === "text" && text !== RESULT_WORD));
    if (!madeUp) return this.#plain(text);
    this.#outbox.problem("result-invented", text);
    yield* this.#scan.run(NEVER, ignore);
  }

  /** The first marker of a block that the upstream has parsed by itself. */
  #dangling(text: string): void {
    this.#outbox.problem("not-a-call", `${text} before a native call`);
  }

  get #place(): Place {
    return this.#placeOf(this.#scan.field);
  }

  #placeOf(field: Field): Place {
    return field === "reasoning" ? field : this.#closer === undefined ? "content" : "tagged";
  }

  readonly #plain = (text: string): void => {
    this.#markdown.text(text);
    this.#outbox.text(this.#place, text);
  };
}

const NOT_TAKEN: BlockEnd = { taken: false, closed: false, cut: undefined, unknown: false, held: undefined };
const NEWLINE = new MarkerSet(["\n"]);
const NOT_BACKTICK = /[^`]/g;
const NOT_TILDE = /[^~]/g;
const NOT_BLANK = /[^ \t]/g;
const BACKTICK_OR_NEWLINE = /[`\n]/g;
const NEVER = /[^\s\S]/g;
const LINE_ENDS: readonly string[] = ["", "\n", "\r"];
const REREAD_FLOOR = 1 << 20;
const REREAD_RATE = 32;
const ignore = (): void => {};
