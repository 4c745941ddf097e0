/** Drives all live dialects over one turn: what is a call, what is text, in one policy for all of them. */
import { endToken, reasoningBegins, reasoningEnds, toolResult } from "./asides.ts";
import type { Field, TurnEvent } from "./event.ts";
import { readCodeMark } from "./fences.ts";
import type { Hit, Look } from "./marker.ts";
import { openingsHere, readOpenings } from "./openings.ts";
import { Scanner, type Step } from "./scanner.ts";
import { closerOfReasoning, closesReasoning, END_TOKENS, RESULT_TAGS, RESULT_WORD } from "./signals.ts";
import { skim } from "./skim.ts";
import { type ParserOptions, Turn } from "./turn.ts";

export type { ParserOptions } from "./turn.ts";

/** Reads one turn. Make a new one for each answer. */
export interface Parser {
  /** More of the turn; returns what is certain by now. */
  feed(text: string, field?: Field): TurnEvent[];
  /**
   * Looks for the first place in `text`, from `from` on, that may be more than text, if it came next as content; at
   * `from` itself when it would not go out as it is. Nothing happens yet.
   */
  look(text: string, from: number): Look;
  /** Text goes by, up to where `look()` found something, or less; it must not end amid backticks. */
  pass(text: string): void;
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
  readonly #turn: Turn;
  #reading: Step<void>; // the turn, as far as it has been read
  #trying = false; // at something that may be more than text

  constructor(options: ParserOptions) {
    this.#turn = new Turn(options);
    this.#reading = this.#read();
  }

  feed(text: string, field: Field = "content"): TurnEvent[] {
    this.#turn.scan.push(text, field);
    this.#reading.next();
    return this.#turn.outbox.drain();
  }

  look(text: string, from: number): Look {
    const { scan, outbox, live, markdown, place, wrap } = this.#turn;
    const held = this.#trying || scan.held > 0 || place !== "content";
    if (held || !outbox.passes(text, from)) return { at: from, starts: false };
    const { lineBlank, fence } = markdown;
    return skim(live, text, from, { lineBlank, fenced: fence !== undefined, wrapped: wrap !== undefined });
  }

  pass(text: string): void {
    const { scan, outbox, markdown } = this.#turn;
    scan.pass(text.length);
    markdown.passage(text);
    outbox.pass();
  }

  end(): TurnEvent[] {
    if (this.#turn.native) this.#dangling();
    this.#turn.scan.end();
    this.#reading.next();
    this.#turn.outbox.end(this.#turn.reasoning);
    return this.#turn.outbox.drain();
  }

  nativeCall(): TurnEvent[] {
    this.#turn.native = true;
    this.#dangling();
    this.#interrupt("native-call");
    this.#turn.scan = new Scanner();
    this.#reading = this.#read();
    return this.#turn.outbox.drain();
  }

  breakOff(): TurnEvent[] {
    this.#interrupt("break");
    return this.#turn.outbox.drain();
  }

  /** Bedrock's DeepSeek leaves the first marker of a block it has parsed in the text (symptoms A3), whole or in part. */
  #dangling(): void {
    if (this.#trying || this.#turn.scan.held <= 2) return;
    const text = this.#turn.scan.skip(this.#turn.scan.held);
    if (/^\w/.test(text)) this.#turn.plain(text); // a word of prose
    else this.#turn.dangling(text);
  }

  #interrupt(by: "native-call" | "break"): void {
    this.#turn.interrupted = by;
    this.#turn.scan.end();
    this.#reading.next();
    this.#turn.interrupted = undefined;
    this.#turn.outbox.calls();
  }

  get held(): number {
    return this.#turn.scan.held;
  }

  get holding(): boolean {
    return this.#trying || this.#turn.outbox.holding;
  }

  get idle(): boolean {
    return this.#turn.scan.held === 0 && !this.#trying && this.#turn.outbox.empty;
  }

  get cut(): boolean {
    return this.#turn.cut;
  }

  *#read(): Step<void> {
    const { scan, live, markdown, plain } = this.#turn;
    const first = () => markdown.lineBlank && markdown.fence === undefined ? live.lineMarkers : undefined;
    for (;;) {
      const hit = yield* scan.untilSeam(live.markers, plain, first);
      if (hit === undefined) return;
      if (hit === "seam") markdown.reset();
      else if (hit.text === "\n") plain(hit.text);
      else {
        this.#trying = true;
        yield* this.#at(hit);
        this.#trying = false;
      }
    }
  }

  /** Something stands here that may be more than text. */
  *#at(hit: Hit): Step<void> {
    const turn = this.#turn;
    const { text } = hit;
    if (text === "`" || text === "~~~") return yield* readCodeMark(turn, hit);
    if (turn.isCloser(text)) return yield* reasoningEnds(turn, hit);
    if (END_TOKENS.includes(text)) return yield* endToken(turn, hit);
    if (turn.markdown.fence !== undefined) return turn.plain(text);
    const openings = openingsHere(turn, hit);
    if (openings.length > 0 && (yield* readOpenings(turn, hit, openings))) return;
    if (closesReasoning(text)) return yield* reasoningEnds(turn, hit);
    const closer = closerOfReasoning(text);
    if (closer !== undefined) return reasoningBegins(turn, hit, closer);
    if (RESULT_TAGS.includes(text) || text === RESULT_WORD) return yield* toolResult(turn, hit);
    if (openings.length > 0) turn.plain(text);
    else this.#notHere(text);
  }

  /** An opener that cannot stand here is text, but another one may begin inside it. */
  #notHere(text: string): void {
    const { scan, plain } = this.#turn;
    const start = scan.mark(text);
    scan.unread(start);
    scan.skip(1);
    scan.release();
    plain(text.charAt(0));
  }
}
