/** Finds in a turn's source what its events say: text that comes out again is text, what does not is markup. */
import type { Field, TurnEvent } from "../parse/event.ts";
import { markup, type MarkupCall } from "./markup.ts";
import type { ReadField, ReadProblem, ReadTurn, Span, SpanKind, TurnPiece } from "./reading.ts";

/** How long something may be that means a text without being it: an escape of JSON, or of XML. */
const LONGEST_ESCAPE = 12;
/** In how many parts a text may be found that goes out as one. */
const MOST_PARTS = 12;

/** What is said of a whole block, not of a word in it. */
const OF_A_BLOCK: ReadonlySet<string> = new Set([
  "opener-missing",
  "draft",
  "unknown-tool",
  "call-in-reasoning",
]);

export class Alignment {
  readonly #source: string;
  readonly #seams: readonly { readonly offset: number; readonly field: Field }[];
  readonly #spans: Span[] = [];
  readonly #problems: { readonly code: ReadProblem["code"]; readonly detail: string; readonly at: number }[] =
    [];
  #fed = 0; // how much of the source the parser has been given
  #at = 0; // what lies before has its spans
  #calls: MarkupCall[] = []; // that began behind it

  constructor(pieces: readonly TurnPiece[]) {
    const seams: { offset: number; field: Field }[] = [];
    const texts: string[] = [];
    let offset = 0;
    for (const piece of pieces) {
      if (piece === "native-call") continue;
      if (seams.at(-1)?.field !== piece.field) seams.push({ offset, field: piece.field });
      texts.push(piece.text);
      offset += piece.text.length;
    }
    this.#source = texts.join("");
    this.#seams = seams;
  }

  /** So many more characters go to the parser. */
  feed(size: number): void {
    this.#fed += size;
  }

  /** What the parser says to that; `held`: how many characters it has not looked at. */
  take(event: TurnEvent, held: number): void {
    if (event.type === "content-delta") this.#text("text", event.text);
    else if (event.type === "reasoning-delta") this.#text("reasoning", event.text);
    else if (event.type === "call-start") {
      const { index, name, dialect } = event;
      this.#calls.push({ index, name, dialect, begun: this.#fed, ended: undefined });
    } else if (event.type === "call-end") {
      const call = this.#calls.findLast(({ index }) => index === event.index);
      if (call !== undefined) call.ended = this.#fed - held;
    } else if (event.type === "problem") this.#problem(event.code, event.detail);
  }

  /** All has been said; `open`: the rest is not decided yet. */
  end(open: boolean): Pick<ReadTurn, "fields" | "problems"> {
    this.#gap(this.#source.length, open);
    const fields = { content: this.#field("content"), reasoning: this.#field("reasoning") };
    const problems = this.#problems.map(({ code, detail, at }): ReadProblem => {
      const field = this.#fieldAt(at);
      return { code, detail, field, at: this.#within(field, at) };
    });
    return { fields, problems };
  }

  #text(kind: "text" | "reasoning", text: string): void {
    if (this.#calls.length === 0 && this.#source.startsWith(text, this.#at)) {
      return this.#span(kind, this.#at, this.#at + text.length);
    }
    const waiting = this.#source.slice(this.#at, this.#fed);
    const found = waiting.lastIndexOf(text);
    if (found !== -1) return this.#span(kind, this.#at + found, this.#at + found + text.length);
    const parts = partsOf(text, waiting);
    if (parts !== undefined) {
      for (const [start, end] of parts) {
        this.#span(kind, this.#at0(waiting) + start, this.#at0(waiting) + end);
      }
      return;
    }
    const trimmed = text.replace(/^[ \t\r\n]+/, "");
    if (trimmed !== "" && trimmed !== text && waiting.includes(trimmed)) {
      this.#reclaim(kind, text.slice(0, text.length - trimmed.length));
      return this.#text(kind, trimmed);
    }
    this.#escaped(kind, text);
  }

  /** Where what was waiting began; parts of it may have got their spans since. */
  #at0(waiting: string): number {
    return this.#fed - waiting.length;
  }

  /** White space that was taken for a separator was text: it waited until more of its field came. */
  #reclaim(kind: "text" | "reasoning", space: string): void {
    for (let n = this.#spans.length - 1, looked = 0; n >= 0 && looked < 8; n--, looked++) {
      const span = this.#spans[n]!;
      if (span.kind !== "space" || this.#source.slice(span.start, span.end) !== space) continue;
      this.#spans[n] = { ...span, kind };
      return;
    }
    this.#push({ kind, start: this.#at, end: this.#at, said: space });
  }

  /** Text that is written otherwise: what stands there is a short escape of it. */
  #escaped(kind: "text" | "reasoning", said: string): void {
    const short = this.#calls.length === 0 && this.#fed - this.#at <= LONGEST_ESCAPE;
    const start = short ? this.#at : Math.max(this.#at, this.#fed - 1);
    this.#gap(start);
    this.#push({ kind, start, end: this.#fed, said });
    this.#at = this.#fed;
  }

  #span(kind: SpanKind, start: number, end: number): void {
    this.#gap(start);
    this.#push({ kind, start, end });
    this.#at = end;
  }

  /** What lies before `end` and did not come out again. */
  #gap(end: number, open = false): void {
    if (this.#at < end || this.#calls.length > 0) {
      const all = markup(this.#source, this.#at, end, this.#calls);
      for (const span of all) this.#push(open && span.kind === "dropped" ? { ...span, kind: "held" } : span);
    }
    this.#at = end;
    this.#calls = [];
  }

  #push(span: Span): void {
    const last = this.#spans.at(-1);
    const joins = last !== undefined && last.end === span.start && last.kind === span.kind &&
      span.kind !== "call";
    if (!joins) return void this.#spans.push(span);
    const { said: before } = last, { said } = span;
    const same = before === undefined && said === undefined;
    const told = ({ start, end, said }: Span) => said ?? this.#source.slice(start, end);
    this.#spans[this.#spans.length - 1] = {
      ...last,
      end: span.end,
      ...(!same && { said: told(last) + told(span) }),
    };
  }

  #problem(code: ReadProblem["code"], detail: string): void {
    if (OF_A_BLOCK.has(code)) {
      const space = /^[ \t\r\n]*/.exec(this.#source.slice(this.#at, this.#fed))![0].length;
      return void this.#problems.push({ code, detail, at: this.#at + space });
    }
    const word = detail.split(/ -> | beside a native call$|, /)[0]!;
    const last = word.split(".").at(-1)!;
    const waiting = this.#source.slice(this.#at, this.#fed);
    const found = word === "" ? -1 : waiting.indexOf(word);
    const tail = found !== -1 || last === "" ? found : waiting.lastIndexOf(last);
    this.#problems.push({
      code,
      detail,
      at: tail === -1 ? Math.max(this.#at, this.#fed - 1) : this.#at + tail,
    });
  }

  #fieldAt(offset: number): Field {
    return this.#seams.findLast((seam) => seam.offset <= offset)?.field ?? "content";
  }

  /** The stretches of the source that came in a field, and where in the field each begins. */
  *#stretches(field: Field): Generator<{ start: number; end: number; within: number }> {
    let within = 0;
    for (const [n, { offset, field: other }] of this.#seams.entries()) {
      if (other !== field) continue;
      const end = this.#seams[n + 1]?.offset ?? this.#source.length;
      yield { start: offset, end, within };
      within += end - offset;
    }
  }

  #within(field: Field, offset: number): number {
    for (const { start, end, within } of this.#stretches(field)) {
      if (offset <= end) return within + Math.max(0, offset - start);
    }
    return 0;
  }

  #field(field: Field): ReadField {
    const spans: Span[] = [];
    let text = "";
    let n = 0;
    for (const { start, end, within } of this.#stretches(field)) {
      text += this.#source.slice(start, end);
      while (
        n < this.#spans.length && this.#spans[n]!.end <= start && this.#spans[n]!.end > this.#spans[n]!.start
      ) n++;
      for (let at = n; at < this.#spans.length && this.#spans[at]!.start < end; at++) {
        const { start: first, end: last, ...span } = this.#spans[at]!;
        const cut = { start: within + Math.max(0, first - start), end: within + Math.min(last, end) - start };
        if (cut.end > cut.start || (span.said && first >= start)) spans.push({ ...span, ...cut });
      }
    }
    return { text, spans };
  }
}

/** Where the parts of a text stand, found from its end; undefined when they do not stand there in order. */
function partsOf(text: string, source: string): (readonly [start: number, end: number])[] | undefined {
  const parts: [number, number][] = [];
  let limit = source.length;
  for (let end = text.length; end > 0;) {
    const last = source.lastIndexOf(text[end - 1]!, limit - 1);
    if (last === -1 || limit === 0 || parts.length === MOST_PARTS) return undefined;
    let size = 1;
    while (size < end && size <= last && text[end - 1 - size] === source[last - size]) size++;
    parts.unshift([last + 1 - size, last + 1]);
    limit = last + 1 - size;
    end -= size;
  }
  return parts;
}
