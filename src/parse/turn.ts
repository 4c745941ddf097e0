/** One turn while it is read: its text, what has gone out of it, and where reading stands. */
import { type Live, liveOf } from "./live.ts";
import type { Dialect, Tool } from "./dialect.ts";
import type { Field } from "./event.ts";
import { Markdown } from "./markdown.ts";
import { resolver } from "./names.ts";
import { Outbox, type Place } from "./outbox.ts";
import { Scanner } from "./scanner.ts";
import { closesReasoning, isCloserFor } from "./signals.ts";

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

/** The prompt has opened the reasoning: whatever closes reasoning ends it. */
const ANY = Symbol("any closer");

export class Turn {
  scan = new Scanner();
  readonly markdown = new Markdown();
  readonly outbox: Outbox;
  readonly live: Live;
  /** The tool that is meant by a name (rule 6). */
  readonly resolve: (name: string) => Tool | undefined;
  readonly wholeCalls: boolean;
  /** What makes the text stop that is being read. */
  interrupted: "native-call" | "break" | undefined;
  /** The upstream has delivered a call by itself. */
  native = false;
  /** The code fence round the whole answer, which was dropped. */
  wrap: string | undefined;
  /** A call was cut off: its arguments will never be whole. */
  cut = false;
  #gaveUp = false; // openers have been passed over
  #closer: string | typeof ANY | undefined; // what ends the tagged reasoning that is open

  constructor(options: ParserOptions) {
    const { tools, dialects, nextIndex, wholeCalls, keepReasoning, startsInReasoning } = options;
    let calls = 0;
    this.outbox = new Outbox(nextIndex ?? (() => calls++), keepReasoning ?? false);
    this.live = liveOf(dialects, tools);
    const byName = new Map(tools.map((tool) => [tool.name, tool]));
    const nameOf = resolver(tools);
    this.resolve = (name) => byName.get(nameOf(name) ?? "");
    this.wholeCalls = wholeCalls ?? false;
    if (startsInReasoning) this.#closer = ANY;
  }

  /** Where the text stands that was read last. */
  get place(): Place {
    return this.placeOf(this.scan.field);
  }

  /** Where text of a field stands. */
  placeOf(field: Field): Place {
    return field === "reasoning" ? field : this.#closer === undefined ? "content" : "tagged";
  }

  /** Plain text goes by. */
  readonly plain = (text: string): void => {
    this.markdown.text(text);
    this.outbox.text(this.place, text);
  };

  /** Tagged reasoning is open. */
  get reasoning(): boolean {
    return this.#closer !== undefined;
  }

  /** Whether `text` ends the tagged reasoning that is open. */
  isCloser(text: string): boolean {
    return this.#closer === ANY ? closesReasoning(text) : isCloserFor(text, this.#closer);
  }

  /** Tagged reasoning begins, up to `closer`, or ends, without one; `tag` says so. */
  tag(tag: string, closer: string | undefined): void {
    this.#closer = closer;
    this.markdown.reset();
    this.outbox.tag(tag);
  }

  /** So many openers came to nothing that no more are looked at for now; said once. */
  giveUp(opener: string): void {
    if (!this.#gaveUp) this.outbox.problem("too-ambiguous", opener);
    this.#gaveUp = true;
  }

  /** The first marker of a block that the upstream has parsed by itself is dropped. */
  dangling(text: string): void {
    this.outbox.problem("not-a-call", `${text} beside a native call`);
  }
}
