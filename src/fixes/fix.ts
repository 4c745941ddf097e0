/** What a fix is: one vendor's departure from the protocol, put right on the way up, on the way back, or both. */
import type { Tool } from "../parse/dialect.ts";
import type { Fetch } from "../wire/fetch.ts";
import type { Json } from "../wire/openai.ts";
import type { Stage } from "../wire/stage.ts";
import type { Recall } from "./memory.ts";

/** Where a request is going. */
export interface Target {
  /** As the request names it. */
  readonly model: string;
  /** The upstream's host, without its port. */
  readonly host: string;
}

/** What a fix may know of the request. */
export interface RequestContext {
  readonly target: Target;
  /** What was remembered of this client's earlier answers from this model; nothing, unless the fix `remembers`. */
  readonly memory: Recall;
}

/** What a fix may know when the answer comes. */
export interface AnswerContext extends RequestContext {
  /** The body as the client sent it, and as it went up. */
  readonly asked: Json;
  readonly sent: Json;
  /** The tools that went up and may be called. */
  readonly tools: readonly Tool[];
}

/** What a fix may know when the request goes up. */
export interface SendContext {
  /** The body as it goes up. */
  readonly sent: Json;
  /** To be called when the fix has done something. */
  readonly applied: () => void;
}

/** One departure from the protocol, put right. */
export interface Fix {
  /** `vendor/what`, e.g. `claude/end-turn`: used in configuration, logs and fixtures. */
  readonly id: string;
  /** One sentence on what goes wrong without it; the README's table is made from it. */
  readonly why: string;
  /** Where it was seen: an issue, a bug report, the vendor's documentation. */
  readonly ref: string;
  /** The numbers of the symptoms that it mends. */
  readonly symptoms: readonly string[];
  /** It is off unless it is asked for. */
  readonly off?: true;
  /** Its request is about calls as the protocol has them: a bridge tells of them in text, and needs none of it. */
  readonly native?: true;
  applies(target: Target): boolean;
  /** Returns a new body, or the same one when there is nothing to change; never edits the old one. */
  request?(body: Json, context: RequestContext): Json;
  /** Names that the client gave to tools, and those under which `request` sent them up: models know both. */
  names?(asked: Json): ReadonlyMap<string, string>;
  /**
   * A fresh stage in front of the one that finds calls; undefined when this answer needs none. Chunks that hold nothing
   * but `content` may go by it unseen, and by the one behind.
   */
  response?(context: AnswerContext): Stage | undefined;
  /** A fresh stage behind all others: it sees what the client will see. */
  after?(context: AnswerContext): Stage | undefined;
  /** It keeps something of answers for later requests. */
  readonly remembers?: true;
  /** Its stages need only see events that `isPlain()` does not let pass unread. */
  readonly skims?: true;
  /** Another way to the upstream, for models that are reached differently. */
  send?(next: Fetch, context: SendContext): Fetch;
  /** Finish reasons for which the wire has the protocol's word; the fix is their name and their switch. */
  readonly finish?: readonly string[];
}
