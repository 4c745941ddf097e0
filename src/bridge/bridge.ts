/** What a bridge is: a way to teach calls to a model that has none, and to read what it then writes. */
import type { Dialect, Schema, Tool } from "../parse/dialect.ts";

/** A tool as the request offers it. */
export interface OfferedTool extends Tool {
  readonly description?: string;
}

/** A call of an earlier turn; `json` is its arguments, an object as JSON text. */
export interface PastCall {
  readonly name: string;
  readonly json: string;
}

/** What a tool answered, as what stands before and behind its text. */
export interface ResultFrame {
  readonly before: string;
  readonly behind: string;
}

/** One protocol: how it is taught, how the past is told in it, how the answer is read. */
export interface Bridge {
  /** Used in configuration and in the log. */
  readonly id: string;
  /** Says in a few lines how a call and how an answer in words are written. `example` is of a tool that is offered. */
  teach(example: PastCall, several: boolean, schemaOf: SchemaOf): string;
  /** An earlier answer with calls, in the protocol. */
  turn(text: string, calls: readonly PastCall[], schemaOf: SchemaOf): string;
  /** How a result of `name` is told; `nth` counts the calls of its turn, where it had several. */
  result(name: string, nth: number | undefined): ResultFrame;
  /** What reads the protocol. */
  dialect(tools: readonly Tool[]): Dialect;
}

/** The schema of a tool's parameters, where the tool is known. */
export type SchemaOf = (tool: string) => Schema | undefined;

/** Lines of a text, without those that are left out. */
export function lines(...all: readonly (string | false | undefined)[]): string {
  return all.filter((line) => typeof line === "string").join("\n");
}
