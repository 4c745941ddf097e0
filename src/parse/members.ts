/** Writes the members of one JSON object; nothing goes out before the first character of a string, or the end. */
import { quote } from "./coerce.ts";
import type { Sink } from "./scanner.ts";

/** A member whose value goes out as it comes. */
interface Stream {
  /** Takes what may wait: nothing goes out before the first character of a string. */
  readonly write: Sink;
  /** Takes the inside of strings. */
  readonly flow: Sink;
  readonly close: () => void;
}

/** The members of one object. */
export class Members {
  readonly #emit: Sink;
  #pending: [name: string, json: string | (() => string)][] = []; // whole members that have not gone out yet
  #sent = 0; // how many members have gone out, or begun to

  constructor(emit: Sink) {
    this.#emit = emit;
  }

  /** Whether anything has gone out. */
  get started(): boolean {
    return this.#sent > 0;
  }

  /** A member that is whole; its value may be worked out when it goes out. */
  add(name: string, json: string | (() => string)): void {
    this.#pending.push([name, json]);
  }

  /** Takes back a member, unless it has gone out. */
  drop(name: string): void {
    this.#pending = this.#pending.filter(([pending]) => pending !== name);
  }

  /** The object is whole. */
  end(): void {
    const rest = this.#takePending();
    this.#emit(rest + (this.#sent === 0 ? "{}" : "}"));
  }

  /** A member whose value goes out as it comes. */
  stream(name: string): Stream {
    let held = "", flowing = false; // held until the first character of a string
    const flow: Sink = (text) => {
      if (text === "") return;
      if (!flowing) text = this.#takePending() + this.#key(name) + held + text;
      flowing = true;
      this.#emit(text);
    };
    return {
      flow,
      write: (text) => this.started ? flow(text) : held += text,
      close: () => flowing || this.#pending.push([name, held]),
    };
  }

  #takePending(): string {
    const text = this.#pending.map(([name, json]) =>
      this.#key(name) + (typeof json === "string" ? json : json())
    ).join("");
    this.#pending = [];
    return text;
  }

  #key(name: string): string {
    return `${this.#sent++ === 0 ? "{" : ","}${quote(name)}:`;
  }
}
