/** What a dialect is, and what it may say of a turn. */
import type { Field, ProblemCode } from "./event.ts";
import type { Hit, Marker } from "./marker.ts";
import type { Scanner, Sink, Step } from "./scanner.ts";

/** JSON Schema of a tool's parameters or of one of them; loosely typed, as clients send what they like. */
export type Schema = { readonly [keyword: string]: unknown };

/** A tool of the request. */
export interface Tool {
  readonly name: string;
  readonly parameters?: Schema | undefined;
}

/** One way in which a block of calls may begin. */
export interface Opener {
  readonly marker: Marker;
  /** How people write the marker, where it is a shape. */
  readonly shown?: string;
  /**
   * `wrapped`: a marker around the calls that prose does not hold.
   * `bare`: this dialect's calls have no wrapper; a tool that was not offered is text (rule 7).
   * `recovered`: the wrapper was lost. The call counts once it is closed, its tool known and what the tool
   * requires there (rule 11); until then nothing of it goes out.
   */
  readonly form: "wrapped" | "bare" | "recovered";
  /** Where it may stand; anywhere when not said. `line`: first on its line; `turn`: first in the turn. */
  readonly where?: "line" | "turn";
  /**
   * What has to be there before any of it goes out; as it comes when not said. `ended`: each call is closed, as
   * what it needs (its id) may stand behind its arguments; `whole`: the block has closed; `last`: it has closed,
   * and nothing is said behind it. A bare call then has what its tool requires.
   */
  readonly counts?: "ended" | "whole" | "last";
  /** What it opens is the whole answer: a code fence round it is dropped at once. Not said: only round calls (rule 8). */
  readonly answer?: boolean;
  /** The info strings of the code fences in which it may stand; any when not said. */
  readonly fences?: readonly string[];
}

/** One way in which models write tool calls as text. */
export interface Dialect {
  /** Short kebab-case name, used in configuration, in fixtures and in the log. */
  readonly id: string;
  /** Names of the same format elsewhere: vLLM, SGLang, llama.cpp, Ollama. */
  readonly aka: readonly string[];
  /** Models that write it by default, in words. */
  readonly models: string;
  /** What may open a block of calls. Dialects may share an opener: each looks, and says no before it commits. */
  readonly opens: readonly Opener[];
  /** What else may open a block when these tools are offered; their names decide, and nothing else. */
  opensFor?(tools: readonly Tool[]): readonly Opener[];
  /**
   * Reads one block; the opener is already eaten. True when the block closed as its grammar says. On false,
   * whatever was eaten since the last call that ended is read again as plain text, or by the next dialect.
   */
  block(scan: Scanner, out: Out, hit: Hit, opener: Opener): Step<boolean>;
}

/** What a dialect says of the block it reads. */
export interface Out {
  /** Starts a call. Undefined when no tool can be meant by `name`: then this is no call. */
  call(name: string, id?: string): Call | undefined;
  /** Whether a tool of the request is meant by `name`. */
  knows(name: string): boolean;
  /** Text between the calls of a block; it goes out with the next call, or when the block closes. */
  text(text: string): void;
  /**
   * Text that is certain: a channel of a dialect that marks content and reasoning as such. It goes out at once.
   * False where nothing is certain, as it may be code or stands behind a call that is held: then it goes out with
   * the block, if that closes.
   */
  say(field: Field, text: string): boolean;
  /** Names a recovery; `detail` is for the log. */
  problem(code: ProblemCode, detail: string): void;
}

/** What an element holds: text, or elements. */
export type Tree = string | readonly (readonly [name: string, value: Tree])[];

/** How a parameter's text is meant, where the dialect says so; else the schema decides. */
export type ParameterKind = "string" | "json" | undefined;

/** The call that is being read. */
export interface Call {
  /** Schema names of its parameters: for dialects whose grammar needs them to tell markup from data. */
  readonly parameters: readonly string[];
  /** Those of them that it must have. */
  readonly required: readonly string[];
  /** Whether a value of this parameter may be text. */
  allowsText(name: string): boolean;
  /** Starts one parameter; the sink takes its text. The next `parameter()` or `end()` closes it. */
  parameter(name: string, kind?: ParameterKind): Sink;
  /** Takes one parameter that was written as nested elements. */
  tree(name: string, tree: Tree): void;
  /** Reads the arguments as one JSON object, leniently. False when the turn ended in it, or it is no object. */
  json(scan: Scanner): Step<boolean>;
  /** Takes the whole arguments as JSON text that was read before the name. False when it is no object. */
  jsonText(text: string): boolean;
  /** Gives the id that the dialect carries, where it comes behind the name; too late for a call that has gone out. */
  identify(id: string): void;
  /** It is no call after all, and what follows may be another. False when some of it has gone out. */
  abandon(): boolean;
  /**
   * The call is closed; `recovered` says that its own closer was missing. False when it does not count, as it
   * lacks what its tool requires (rule 11): then it is no call, and the block is to end with false.
   */
  end(recovered?: boolean): boolean;
}
