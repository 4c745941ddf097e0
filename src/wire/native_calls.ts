/** Native `tool_calls` of one choice: passed as they are when they keep the protocol, mended when not (rule 16). */
import { type CallPiece, type Extra, merged, none, readPiece, sameDelta } from "./call_piece.ts";
import { type Call, clean, newCall } from "./native_call.ts";
import type { Json, ToolCallDelta } from "./openai.ts";
import type { Report } from "./problem.ts";
import type { WrittenCalls } from "./written_calls.ts";

/** What `NativeCalls` needs to know of the request and of the turn. */
export interface NativeCallsOptions {
  /** The tool that is meant by a name. */
  resolve(name: string): string | undefined;
  /** Whether a name that is still arriving may become a tool's; when not given, any may. */
  begins?(name: string): boolean;
  /** Whether a tool takes no parameters; when not given, none is known to. */
  barely?(name: string): boolean;
  newId(): string;
  /** The next free index: 0, 1, 2, … shared with the calls found in text. */
  nextIndex(): number;
  problem: Report;
  /** Calls that were found in the text: one that repeats them does not go out. */
  written?: Pick<WrittenCalls, "has" | "repeated">;
  /** Hold each call until it is complete, and withhold one that never is (`arguments: "whole"`). */
  whole?: boolean;
}

/** Longer arguments are not compared with a copy. */
const COPY_LIMIT = 65_536;

export class NativeCalls {
  readonly #options: NativeCallsOptions;
  #calls: Call[] = []; // of which more may come
  readonly #ids = new Set<string>(); // that have gone out
  #last: Call | undefined; // the call that the last delta belonged to
  #message = 0; // counts the lists of deltas
  /** Calls that are no functions', by the upstream's index. */
  readonly #opaque = new Map<
    number | undefined,
    { readonly id: string | undefined; readonly index: number }
  >();
  #count = 0; // how many calls have gone out
  #truncated = false; // the turn ended inside a call

  constructor(options: NativeCallsOptions) {
    this.#options = options;
  }

  /** How many calls have gone out. */
  get count(): number {
    return this.#count;
  }

  /** A call waits for the rest of its name or of its arguments, or to be complete. */
  get holding(): boolean {
    return this.#calls.some((call) => (call.index < 0 && !call.dropped) || call.args.waits);
  }

  /** The turn ended inside the last call (rule 10); known after `end()`. */
  get truncated(): boolean {
    return this.#truncated;
  }

  /** Takes the `tool_calls` of one delta. `same`: what comes out is what came in, to the last field. */
  delta(toolCalls: unknown): { deltas: ToolCallDelta[]; same: boolean } {
    if (toolCalls === undefined || toolCalls === null) return { deltas: [], same: true };
    const list: readonly unknown[] = Array.isArray(toolCalls) ? toolCalls : [toolCalls];
    if (list.length === 0) this.#options.problem("calls-empty", "tool_calls: []"); // symptoms C29
    this.#message++;
    const deltas: ToolCallDelta[] = [];
    let same = list.length > 0 && Array.isArray(toolCalls);
    for (const entry of list) {
      const piece = readPiece(entry);
      const from = deltas.length;
      if (piece !== undefined) this.#take(piece, deltas);
      same &&= deltas.length === from + 1 && sameDelta(deltas[from]!, entry);
    }
    return { deltas, same };
  }

  /** The turn is over: what is still owed. `cut`: the upstream says that it broke off (`finish_reason: "length"`). */
  end(cut = false): ToolCallDelta[] {
    const deltas: ToolCallDelta[] = [];
    for (const call of this.#calls) {
      const last = call === this.#last;
      const { text, whole } = call.args.end(cut && last, call.said);
      if (!whole) {
        this.#options.problem(last ? "call-truncated" : "call-broken", call.name ?? call.heard);
        if (last) this.#truncated = true;
        if (call.index < 0 && (this.#options.whole || call.name === undefined)) continue;
      }
      this.#settle(call, true);
      if (call.name === undefined) {
        this.#options.problem("call-nameless", call.waiting.join(""));
        if (call.waiting.join("").trim() === "") continue;
        call.name = "";
      }
      if (text !== "" || call.index < 0) this.#send(call, text, none, deltas, true);
      if (call.args.mended) this.#options.problem("arguments-repaired", call.name);
    }
    this.#calls = [];
    this.#last = undefined;
    return deltas;
  }

  #take(piece: CallPiece, deltas: ToolCallDelta[]): void {
    if (piece.opaque !== undefined) return void deltas.push(this.#counted(piece, piece.opaque));
    let call = this.#find(piece);
    if (call !== undefined && this.#isCopy(call, piece)) return;
    call ??= this.#start(piece.index, deltas);
    this.#last = call;
    if (piece.id !== undefined) call.upstreamId ??= piece.id;
    if (piece.name !== undefined) this.#hear(call, piece.name);
    this.#settle(call, piece.text.trim() !== "");
    if (call.said.length < COPY_LIMIT) call.said += piece.text;

    let text = call.args.feed(piece.text), extra = piece.extra;
    for (let next = call.args.takeNext(); next !== undefined; next = call.args.takeNext()) {
      this.#options.problem("calls-run-together", call.name ?? "");
      this.#send(call, text, extra, deltas, false);
      const { name, heard, upstreamIndex } = call;
      call = this.#start(upstreamIndex, deltas);
      this.#last = call;
      Object.assign(call, { name, heard });
      text = call.args.feed(next);
      extra = none;
    }
    if (text !== "" || text === piece.given || call.index < 0 || extra !== none) {
      this.#send(call, text, extra, deltas, false);
    }
  }

  /** A piece of a call that is no function's: it has a place among the others. */
  #counted({ id, index: given }: CallPiece, piece: Json): ToolCallDelta {
    let call = this.#opaque.get(given);
    if (call === undefined || (id !== undefined && call.id !== undefined && id !== call.id)) {
      this.#opaque.set(given, call = { id, index: this.#options.nextIndex() });
      this.#count++;
    }
    return (call.index === given ? piece : { ...piece, index: call.index }) as ToolCallDelta;
  }

  /** The call that a piece belongs to; undefined when it begins one (symptoms C11 to C14). */
  #find(piece: CallPiece): Call | undefined {
    const { id, index, name } = piece;
    const something = piece.text.trim() !== "";
    const owner = id === undefined ? undefined : this.#calls.findLast((call) => call.upstreamId === id);
    if (owner !== undefined) {
      if (this.#isCopy(owner, piece)) return owner;
      const apart = index !== undefined && owner.upstreamIndex !== undefined && index !== owner.upstreamIndex;
      if (name !== undefined) return !apart && this.#continues(owner, piece) ? owner : undefined;
      // Some count the index up with each delta; but what is whole takes no more.
      return apart && something && owner.args.state === "whole" ? undefined : owner;
    }
    const place = index === undefined
      ? this.#last
      : this.#calls.findLast((call) => call.upstreamIndex === index);
    // Without a name, arguments can only go on: where a server counts the index up, or makes up an id, per delta.
    const going = name === undefined && something && this.#last?.args.state !== "whole";
    if (place === undefined) return going && id === undefined ? this.#last : undefined;
    if (name !== undefined) {
      return (id === undefined || place.upstreamId === undefined) && this.#continues(place, piece)
        ? place
        : undefined;
    }
    if (id === undefined) return place;
    if (place.upstreamId === undefined) return place.args.state === "whole" && something ? undefined : place;
    return something && place.args.state !== "whole" ? place : undefined;
  }

  /** Whether a piece that says a name belongs to `call`: the name sent again, more of it, or said late. */
  #continues(call: Call, { name = "", id, text }: CallPiece): boolean {
    const { resolve } = this.#options;
    if (call.heard === "") return true;
    const again = name === call.heard ||
      (call.name !== undefined && call.name !== "" && resolve(clean(name)) === call.name);
    if (again) {
      if (call.args.state === "part") return true;
      // Two entries of one list that name a tool, without ids, are two calls.
      if (id === undefined && call.message === this.#message) return false;
      return call.args.state === "none" || text.trim() === "";
    }
    if (call.name !== undefined) {
      // What follows a leaked marker in the name belongs to the marker.
      return (call.heard.includes("<|") || name.startsWith("<|")) && call.args.state === "none" &&
        resolve(clean(name)) === undefined;
    }
    return [call.heard + name, name].some((whole, n) =>
      (n === 0 || whole.startsWith(call.heard)) && this.#mayBe(whole)
    );
  }

  /** The whole call once more, as some servers send it at the end: same id, same name, same arguments. */
  #isCopy(call: Call, { id, index, name, text }: CallPiece): boolean {
    return id !== undefined && id === call.upstreamId && index === call.upstreamIndex && name !== undefined &&
      call.args.state === "whole" && text === call.said &&
      text.length < COPY_LIMIT;
  }

  #mayBe(name: string): boolean {
    return this.#options.resolve(clean(name)) !== undefined || (this.#options.begins?.(name) ?? true);
  }

  #start(upstreamIndex: number | undefined, deltas: ToolCallDelta[]): Call {
    const before = this.#last;
    if (before !== undefined && before.index < 0 && before.heard !== "" && !this.#options.whole) {
      this.#settle(before, true);
      this.#send(before, "", none, deltas, false);
    }
    const call = newCall(upstreamIndex, this.#message, (name) => this.#options.barely?.(name) ?? false);
    this.#calls.push(call);
    return call;
  }

  #hear(call: Call, name: string): void {
    call.message = this.#message;
    if (call.name !== undefined || name === call.heard) return;
    const joined = call.heard + name;
    // Some send the name as far as it has come each time, most only what is new.
    call.heard = call.heard !== "" && name.startsWith(call.heard) && !this.#mayBe(joined) ? name : joined;
  }

  /** Decides on the name, once it is a tool's or can no longer become one (`force`: nothing more of it will come). */
  #settle(call: Call, force: boolean): void {
    if (call.name !== undefined || call.heard === "") return;
    const name = clean(call.heard);
    const tool = this.#options.resolve(name);
    if (tool === undefined && !force && (this.#options.begins?.(name) ?? true)) return;
    call.name = tool ?? (name === "" ? call.heard : name);
    if (tool === undefined) this.#options.problem("unknown-tool", call.heard);
    else if (tool !== call.heard) this.#options.problem("name-resolved", `${call.heard} → ${tool}`);
  }

  /** Sends arguments of `call`, with its head if that has not gone out; keeps them while it cannot. */
  #send(call: Call, text: string, extra: Extra, deltas: ToolCallDelta[], ended: boolean): void {
    if (call.index >= 0) {
      deltas.push({ ...extra.outer, index: call.index, function: { ...extra.inner, arguments: text } });
      return;
    }
    if (call.dropped) return;
    call.waiting.push(text);
    call.extra = merged(call.extra, extra);
    if (call.name === undefined) return;
    if (this.#options.whole && !ended && (call.args.state !== "whole" || call.args.owing)) return;
    if (this.#options.written?.has(call.name)) {
      if (!ended && (call.args.state !== "whole" || call.args.owing)) return;
      if (this.#options.written.repeated(call.name, call.waiting.join(""))) {
        this.#options.problem("call-twice", call.name);
        call.dropped = true;
        return;
      }
    }
    const known = call.upstreamId !== undefined && !this.#ids.has(call.upstreamId);
    const id = known ? call.upstreamId! : this.#options.newId();
    this.#ids.add(id);
    this.#count++;
    if (!known) this.#options.problem("call-mended", `id of ${call.name}: ${call.upstreamId ?? "missing"}`);
    call.index = this.#options.nextIndex();
    const args = call.waiting.join("");
    call.waiting = [];
    deltas.push({
      ...call.extra.outer,
      index: call.index,
      id,
      type: "function",
      function: { ...call.extra.inner, name: call.name, arguments: args },
    });
  }
}
