/** One block of calls while a dialect reads it: what of it goes out, and when. */
import { ArgumentsWriter } from "./arguments.ts";
import { allowsString } from "./coerce.ts";
import type { Call, Dialect, Opener, Out, Tool } from "./dialect.ts";
import type { Field, ProblemCode } from "./event.ts";
import type { Outbox, Place, WholeCall } from "./outbox.ts";
import type { Mark, Scanner, Step, Stretch } from "./scanner.ts";
import { ANY_VALUE, readToolSchema } from "./schema.ts";

/**
 * When a call goes out.
 * `streamed`: as soon as a first character of a string argument is there.
 * `ended`: once it is closed, and, if it is a recovered form, what its tool requires is there.
 * `held`: never by itself; the parser decides over the whole block.
 */
export type Delivery = "streamed" | "ended" | "held";

/** What the parser knows of the turn that a block needs. */
export interface BlockContext {
  readonly scan: Scanner;
  readonly outbox: Outbox;
  readonly dialect: Dialect;
  readonly delivery: Delivery;
  readonly form: Opener["form"];
  /** Where text stands that is being read; undefined in what may be code, where no text is certain. */
  place(): Place | undefined;
  /** The tool that is meant by a name (rule 6). */
  resolve(name: string): Tool | undefined;
}

/** How a block came out. */
export interface BlockEnd {
  /** Some of it was calls; what was not has been unread. */
  readonly taken: boolean;
  /** It closed as its grammar says. */
  readonly closed: boolean;
  /** The call that broke off, and whether it was the end of the turn that cut it off. */
  readonly cut: { readonly tool: string; readonly ended: boolean } | undefined;
  /** A tool was called that was not offered. */
  readonly unknown: boolean;
  /** Calls, and text between them, that wait for the parser's decision, and what they were read from. */
  readonly held: HeldCalls | undefined;
}

/** Calls that were read and have not gone out. */
export interface HeldCalls {
  readonly dialect: string;
  readonly parts: readonly (WholeCall | string)[];
  readonly text: readonly Stretch[];
}

/** The call that is being read. */
interface Current {
  readonly name: string;
  id: string | undefined;
  readonly tool: Tool | undefined;
  readonly writer: ArgumentsWriter;
  /** Its arguments as far as they have not gone out. */
  json: string;
  /** Its number once it has gone out. */
  index: number | undefined;
  /** It is being closed: what comes now is the rest of its arguments. */
  ending: boolean;
}

export class Block implements Out {
  readonly #context: BlockContext;
  readonly #problems: [ProblemCode, string][] = []; // named once it is certain that something is delivered
  #start: Mark; // before the opener, or behind the last call that went out
  #safe: Mark; // behind the last call that ended: what comes after may be unread
  #current: Current | undefined;
  #parts: (WholeCall | string)[] = []; // ended, but not yet gone out
  #safeParts = 0; // how many of them lie before the safe mark
  #taken = false; // a call has gone out
  #unknown = false; // a call of a tool that was not offered is among the parts
  #broken = false; // the last call is none after all
  #said = false; // text that is certain is among the parts

  /** The scanner must be marked at `start`, before the opener. */
  constructor(context: BlockContext, start: Mark) {
    this.#context = context;
    this.#start = this.#safe = start;
  }

  knows(name: string): boolean {
    return this.#context.resolve(name) !== undefined;
  }

  problem(code: ProblemCode, detail: string): void {
    if (this.#current?.index === undefined) this.#problems.push([code, detail]);
    else this.#context.outbox.problem(code, detail);
  }

  text(text: string): void {
    this.#parts.push(text);
  }

  say(field: Field, text: string): boolean {
    const { outbox, scan } = this.#context;
    const place = this.#context.place();
    if (place === undefined || this.#parts.some((part) => typeof part !== "string")) {
      this.#said ||= text !== "";
      this.text(text);
      return false;
    }
    if (!this.#taken) outbox.dropStart();
    this.#sayTexts(this.#parts.splice(0));
    this.#nameProblems();
    outbox.text(place === "content" && field === "reasoning" ? "tagged" : place, text);
    this.#taken = true;
    scan.commit();
    this.#start = this.#safe = scan.mark();
    return true;
  }

  call(name: string, id?: string): Call | undefined {
    if (this.#current !== undefined) this.#end(true);
    if (this.#broken) return undefined;
    const { form, resolve } = this.#context;
    const trimmed = name.trim();
    const tool = resolve(trimmed);
    if (tool === undefined && (form !== "wrapped" || !POSSIBLE_NAME.test(trimmed))) return undefined;
    if (tool !== undefined && tool.name !== trimmed) {
      this.problem("name-resolved", `${trimmed} -> ${tool.name}`);
    }
    if (tool === undefined) this.#unknown = true;
    const current: Current = {
      name: tool?.name ?? trimmed,
      id,
      tool,
      writer: new ArgumentsWriter({
        emit: (json) => this.#emit(current, json),
        schema: tool?.parameters,
        problem: (code, detail) => this.problem(code, `${current.name}.${detail}`),
      }),
      json: "",
      index: undefined,
      ending: false,
    };
    this.#current = current;
    const { writer } = current;
    const schema = readToolSchema(tool?.parameters);
    return {
      parameters: writer.parameters,
      required: schema.required,
      allowsText: (parameter) => allowsString(schema.properties.get(parameter) ?? ANY_VALUE),
      parameter: (parameter, kind) => writer.parameter(parameter, kind),
      tree: (parameter, tree) => writer.tree(parameter, tree),
      json: (scan): Step<boolean> => writer.json(scan),
      jsonText: (text) => writer.jsonText(text),
      identify: (given) => void (current.id ??= given),
      abandon: () => this.#abandon(current),
      end: (recovered = false) => this.#current !== current || this.#end(recovered),
    };
  }

  /** The dialect is done; `closed` is what it said. Unreads what was not understood. */
  finish(closed: boolean): BlockEnd {
    const { scan, form, delivery, dialect } = this.#context;
    const open = this.#current;
    const gone = open?.index !== undefined;
    const { ended } = scan;
    const cutOff = open?.tool !== undefined && ended && !closed && form === "wrapped" && delivery !== "held";
    const parts = closed ? this.#parts : this.#parts.slice(0, this.#safeParts);
    const held = parts.some((part) => typeof part !== "string") || (closed && this.#said);
    const taken = this.#taken || held;
    if (taken) this.#nameProblems();
    if (!held && taken) this.#sayTexts(parts);
    let text: readonly Stretch[] = [];
    if (!gone) {
      if (!closed || !taken) scan.unread(this.#safe);
      text = held ? scan.since(this.#start) : [];
      scan.release();
    }
    return {
      taken,
      closed,
      cut: gone || cutOff ? { tool: open.name, ended } : undefined,
      unknown: this.#unknown,
      held: held ? { dialect: dialect.id, parts, text } : undefined,
    };
  }

  #emit(current: Current, json: string): void {
    const { delivery, outbox, scan } = this.#context;
    if (current.ending) current.json += json;
    else if (current.index !== undefined) outbox.callDelta(current.index, json);
    else {
      current.json += json;
      if (delivery !== "streamed" || this.#unknown || json === "") return;
      this.#goOut(current);
      scan.commit(); // it cannot be taken back any more
    }
  }

  #abandon(current: Current): boolean {
    if (current.index !== undefined) return false;
    this.#current = undefined;
    this.#broken = false;
    return true;
  }

  /** Closes the current call. False when it does not count. */
  #end(recovered: boolean): boolean {
    const current = this.#current!;
    const { form, delivery, outbox, scan } = this.#context;
    current.ending = true;
    current.writer.end();
    const doubtful = form === "recovered" || recovered || (form === "bare" && delivery === "held");
    if (doubtful && this.#lacks(current)) {
      this.#broken = true; // what has gone out of it is never closed
      return false;
    }
    if (recovered) this.problem("closer-missing", current.name);
    this.#current = undefined;
    if (current.index === undefined && (delivery === "held" || this.#unknown)) {
      this.#parts.push({ name: current.name, id: current.id, json: current.json });
      if (this.#unknown) return true;
      this.#safeParts = this.#parts.length;
      this.#safe = scan.here();
      return true;
    }
    if (current.index === undefined) this.#goOut(current);
    else outbox.callDelta(current.index, current.json);
    outbox.callEnd(current.index!);
    scan.commit();
    this.#start = this.#safe = scan.mark();
    return true;
  }

  #lacks({ writer, tool }: Current): boolean {
    return tool !== undefined && writer.missing().length > 0;
  }

  #goOut(current: Current): void {
    const { outbox, dialect, form } = this.#context;
    if (form === "recovered") this.problem("opener-missing", current.name);
    this.#nameProblems();
    this.#sayTexts(this.#parts);
    this.#parts = [];
    current.index = outbox.callStart(current.name, current.id, dialect.id);
    this.#taken = true;
    outbox.callDelta(current.index, current.json);
    current.json = "";
  }

  #sayTexts(parts: readonly (WholeCall | string)[]): void {
    for (const part of parts) if (typeof part === "string") this.#context.outbox.text("content", part);
  }

  #nameProblems(): void {
    for (const [code, detail] of this.#problems.splice(0)) this.#context.outbox.problem(code, detail);
  }
}

/** What a tool may be called; anything else is prose behind a marker. */
const POSSIBLE_NAME = /^[\w.:/-]{1,128}$/;
