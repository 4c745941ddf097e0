/** The arguments of one native call as they arrive, mended into the text of one JSON object. */

import { unwrap } from "./double_encoded.ts";
import { JsonDepth } from "./json_depth.ts";
import { leniently, lenientRest } from "./lenient_arguments.ts";

/** What the text is at, at this point. */
type Phase =
  | "start" // nothing but white space so far
  | "null" // inside the word `null`
  | "string" // inside a JSON string: the arguments encoded twice, or a key whose `{` was lost
  | "key" // behind that string
  | "open" // behind the first `{`
  | "empty" // behind a bare `{}`: a real object may follow, and be what was meant
  | "object" // inside the object
  | "done" // behind the object
  | "comma" // behind a comma after the object
  | "again" // behind a `{` after the object
  | "bent" // inside the object, behind what is no JSON: it waits for the end (symptoms E5)
  | "junk" // behind the object, in something that is no JSON: dropped
  | "other"; // no object at all: passes as it is

/** How the arguments stand: nothing came; in the middle; one whole object, or something that needs no end. */
export type ArgumentState = "none" | "part" | "whole";

/** Reads the text once, piece by piece, in linear time; strings in it are skipped, whatever they hold. */
export class ArgumentText {
  readonly #barely: () => boolean; // `{}` is all that the tool takes
  #phase: Phase = "start";
  readonly #json = new JsonDepth(); // how deep in the object this is
  #held: string[] = []; // what waits for more text to show what it is
  #patience = 65_536; // how much that is no JSON may wait
  #out = ""; // what goes on of this piece
  #mended = false; // something was changed, not only held
  #next: string | undefined; // the text of another object, from its `{` on: it is another call's

  /** `barely`: the tool takes no parameters, so that a bare `{}` is surely meant. */
  constructor(barely: () => boolean) {
    this.#barely = barely;
  }

  get state(): ArgumentState {
    if (this.#phase === "start") return "none";
    if (this.#phase === "null" && this.#held.length === 4) return "whole";
    const open = ["null", "string", "key", "open", "object", "bent"].includes(this.#phase);
    return open ? "part" : "whole";
  }

  /** What is no JSON waits for the end. */
  get waits(): boolean {
    return this.#phase === "bent";
  }

  /** A bare `{}` whose closing brace waits for the end, as a real object may follow. */
  get owing(): boolean {
    return this.#phase === "empty";
  }

  /** The text was not one JSON object, and was made one. */
  get mended(): boolean {
    return this.#mended;
  }

  /** What goes on of `text`. */
  feed(text: string): string {
    this.#out = "";
    const strict = this.#phase === "start" ? leniently(text) : undefined; // most servers send each call in one piece
    if (strict !== undefined) {
      this.#mended = true;
      text = strict;
    }
    for (let at = 0; at < text.length;) at = this.#step(text, at);
    return this.#out;
  }

  /** The text of a further object that followed this one (GPT-5.4, GLM: symptoms C18); asked once. */
  takeNext(): string | undefined {
    const next = this.#next;
    this.#next = undefined;
    return next;
  }

  /**
   * The turn is over: what is still owed, and whether the arguments are whole. `cut`: it broke off in this call;
   * `said`: all of its text, as it came.
   */
  end(cut: boolean, said: string): { text: string; whole: boolean } {
    const held = this.#held.join("");
    switch (this.#phase) {
      case "start":
        // Symptoms C15; where the answer broke off, only of a tool that takes nothing is this surely all.
        return cut && !this.#barely() ? { text: "", whole: false } : { text: "{}", whole: true };
      case "null":
        return held === "null" ? { text: "{}", whole: true } : { text: held, whole: false };
      case "empty":
        return { text: "}", whole: true };
      case "open":
      case "object":
        return { text: "", whole: false };
      case "string":
        return { text: held, whole: false };
      case "bent": {
        const rest = cut || !said.endsWith(held) ? undefined : lenientRest(said, said.slice(0, -held.length));
        this.#mended = rest !== undefined;
        return { text: rest ?? held, whole: rest !== undefined || this.#json.depth === 0 };
      }
      case "key":
        return { text: held, whole: true };
      case "again":
        return { text: "", whole: !cut };
      default:
        return { text: "", whole: true };
    }
  }

  /** Reads some of `text` from `at` on; returns how far. */
  #step(text: string, at: number): number {
    const char = text.charAt(at);
    const space = char === " " || char === "\n" || char === "\t" || char === "\r";
    switch (this.#phase) {
      case "start":
        if (space) return this.#pass(char, at);
        if (char === "{") return this.#open(char, at);
        if (char === '"') return this.#hold(char, at, "string");
        return char === "n" ? this.#hold(char, at, "null") : this.#turn("other", at);
      case "null":
        if (this.#held.length === 4 && (space || char === "{")) {
          if (char === "{") this.#drop("start");
          return space ? at + 1 : at;
        }
        return "null".startsWith(this.#held.join("") + char)
          ? this.#hold(char, at, "null")
          : this.#release("other", at);
      case "string":
        return this.#string(text, at);
      case "key":
        if (space) return this.#hold(char, at, "key");
        if (char !== ":") return this.#release("other", at);
        this.#mended = true;
        this.#out += "{"; // `"path": …}`: the server lost the brace (symptoms C17)
        this.#json.depth = 1;
        return this.#release("object", at);
      case "open":
        if (space) return this.#pass(char, at);
        if (char !== "}") return this.#turn("object", at);
        return this.#barely() ? this.#pass(char, at, "done") : this.#turn("empty", at + 1);
      case "empty":
        // The `{` of the bare object has gone out: it stands for the one of the real object.
        if (char === "{") return this.#mend("open", at + 1);
        if (space) return at + 1;
        if (char === "}") return this.#mend("empty", at + 1);
        this.#out += "}";
        return this.#turn("done", at);
      case "object":
        return this.#object(text, at);
      case "bent":
        this.#json.close(text, at);
        return this.#bend(text, at);
      case "done":
        if (space) return this.#pass(char, at);
        if (char === "{") return this.#hold(char, at, "again");
        if (char === ",") return this.#hold(char, at, "comma");
        return this.#mend(char === "}" || char === "]" ? "done" : "junk", at + 1); // extra closers (C17)
      case "comma":
        if (space) return this.#hold(char, at, "comma");
        if (char !== "{") return this.#release("other", at); // closed too early: not ours to guess
        this.#drop("again");
        return this.#hold(char, at, "again");
      case "again":
        if (space) return this.#hold(char, at, "again");
        if (char === "}" && !this.#barely()) { // a bare `{}` after the real object
          this.#drop("done");
          return at + 1;
        }
        this.#next = this.#held.join("") + text.slice(at);
        this.#drop("done");
        return text.length;
      case "junk":
        return text.length;
      case "other":
        return this.#pass(text.slice(at), text.length - 1);
    }
  }

  #pass(text: string, at: number, phase = this.#phase): number {
    this.#out += text;
    this.#phase = phase;
    return at + 1;
  }

  #hold(text: string, at: number, phase: Phase): number {
    this.#held.push(text);
    this.#phase = phase;
    return at + 1;
  }

  #release(phase: Phase, at: number): number {
    this.#out += this.#held.join("");
    this.#held = [];
    return this.#turn(phase, at);
  }

  #mend(phase: Phase, at: number): number {
    this.#mended = true;
    return this.#turn(phase, at);
  }

  #drop(phase: Phase): void {
    this.#mended = true;
    this.#held = [];
    this.#phase = phase;
  }

  #turn(phase: Phase, at: number): number {
    this.#phase = phase;
    return at;
  }

  #open(char: string, at: number): number {
    this.#json.depth = 1;
    return this.#pass(char, at, "open");
  }

  #object(text: string, from: number): number {
    const at = this.#json.close(text, from);
    const { bent } = this.#json;
    if (bent >= 0 && this.#patience > 0) {
      this.#out += text.slice(from, bent);
      this.#json.close(text, at);
      return this.#bend(text, bent);
    }
    this.#out += text.slice(from, at);
    if (this.#json.depth === 0) this.#phase = "done";
    return at;
  }

  /** The rest of the text waits for the end; not without bounds (rule 19). */
  #bend(text: string, from: number): number {
    this.#patience -= text.length - from;
    this.#hold(text.slice(from), text.length, "bent");
    return this.#patience > 0
      ? text.length
      : this.#release(this.#json.depth === 0 ? "done" : "object", text.length);
  }

  /** The whole string is needed before one can tell what it holds. */
  #string(text: string, from: number): number {
    this.#json.quoted = true;
    const at = this.#json.closeString(text, from);
    this.#held.push(text.slice(from, at));
    if (this.#json.quoted) return at;
    const inner = unwrap(this.#held.join(""));
    if (inner === undefined) return this.#turn("key", at);
    this.#drop(inner === "" ? "start" : "done");
    this.#out += inner;
    return at;
  }
}
