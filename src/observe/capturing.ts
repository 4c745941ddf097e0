/** Takes one exchange down as it happens. */
import { version } from "../version.ts";
import type { AnyProblemCode } from "../wire/problem.ts";
import type { Begun, ExchangeReport, Watcher } from "../wire/watcher.ts";
import { ByteLog } from "./byte_log.ts";
import {
  bodyOf,
  type Capture,
  type CapturedAttempt,
  type CapturedConfig,
  type CapturedRequest,
  type CapturedUpstream,
  type CaptureSummary,
  type Mark,
} from "./capture.ts";
import { Secrets } from "./secrets.ts";
import { SentLog } from "./sent_log.ts";

/** What a capture is taken with. */
export interface CapturingOptions {
  readonly begun: Begun;
  readonly upstream: CapturedUpstream;
  readonly config: CapturedConfig;
  /** Texts that must not be in it, whatever header they came in. */
  readonly secrets: () => readonly string[];
  /** What all captures take. */
  readonly memory: Memory;
  /** Makes room for so many bytes; false when there is none to be had. */
  readonly makeRoom: (bytes: number) => boolean;
  /** Something has changed that a list shows. */
  readonly changed: () => void;
}

/** A sum of bytes, and what it may come to. */
export interface Memory {
  used: number;
  limit: number;
}

/** An attempt that may be under way. */
interface Attempt {
  readonly request: Head;
  readonly body: string | Uint8Array;
  readonly ms: number;
  status?: number;
  headers?: Headers;
  readonly received: ByteLog;
  ended: string | null;
}

/** A request but for its body. */
interface Head {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
}

export class Capturing implements Watcher {
  readonly #options: Omit<CapturingOptions, "begun">;
  readonly #exchange: Pick<Begun, "id" | "model" | "stream" | "tools">;
  readonly #time = new Date();
  readonly #begun = performance.now();
  readonly #request: Head;
  readonly #asked: string | Uint8Array; // the client's body
  readonly #attempts: Attempt[] = [];
  readonly #sent: SentLog = new SentLog();
  #size = 0;
  #gone = false; // it is no longer kept
  readonly #marks: Mark[] = [];
  #received = 0; // of the present attempt
  #sentBytes = 0;
  #answer: { readonly status: number; readonly headers: Headers } | undefined;
  #report: ExchangeReport | null = null;
  #truncated = false; // there was no room for all of it

  constructor({ begun, ...options }: CapturingOptions) {
    const { request, body, ...exchange } = begun; // a request has more to it than is kept
    this.#options = options;
    this.#exchange = exchange;
    this.#grow(2048);
    this.#request = headOf(request);
    this.#asked = this.#kept(body);
  }

  asking(request: Request, body: string | Uint8Array): void {
    this.#received = 0;
    this.#attempts.push({
      request: headOf(request),
      body: body === this.#asked ? body : this.#kept(body),
      ms: this.#ms(),
      received: new ByteLog(),
      ended: null,
    });
  }

  answering({ status, headers }: Response): void {
    const attempt = this.#attempts.at(-1);
    if (attempt !== undefined) Object.assign(attempt, { status, headers });
  }

  received(bytes: Uint8Array): void {
    this.#received += bytes.length;
    const attempt = this.#attempts.at(-1);
    if (attempt === undefined || !this.#fits(bytes.length)) return;
    this.#grow(attempt.received.push(this.#ms(), bytes));
  }

  receivedAll(how: string): void {
    const attempt = this.#attempts.at(-1);
    if (attempt === undefined || attempt.ended !== null) return;
    attempt.ended = how;
  }

  replying({ status, headers }: Pick<Response, "status" | "headers">): void {
    this.#answer = { status, headers };
  }

  sent(bytes: Uint8Array, asReceived: boolean): void {
    this.#sentBytes += bytes.length;
    if (this.#truncated) return;
    if (asReceived && this.#attempts.length === 1 && this.#sent.mirrors) {
      this.#grow(this.#sent.pass(this.#ms(), bytes.length));
    } else if (this.#fits(bytes.length)) {
      this.#grow(this.#sent.push(this.#ms(), bytes, this.#attempts[0]?.received));
    }
  }

  problem(code: AnyProblemCode, detail: string): void {
    this.#grow(256);
    this.#marks.push({ kind: "problem", code, detail, ...this.#place() });
    this.#options.changed();
  }

  fixed(id: string): void {
    this.#marks.push({ kind: "fix", id, ...this.#place() });
    this.#options.changed();
  }

  ended(report: ExchangeReport): void {
    this.#report = report;
    this.#options.changed();
  }

  get running(): boolean {
    return this.#report === null;
  }

  /** How many bytes of memory it takes, about. */
  get size(): number {
    return this.#size;
  }

  /** It is no longer kept, and no longer counts. */
  forget(): void {
    this.#gone = true;
    this.#options.memory.used -= this.#size;
  }

  /** What a list shows of it. */
  summary(): CaptureSummary {
    const { id, model, stream, tools } = this.#exchange;
    const problems: Record<string, number> = {};
    for (const mark of this.#marks) {
      if (mark.kind === "problem") problems[mark.code] = (problems[mark.code] ?? 0) + 1;
    }
    return {
      ...this.#report,
      id,
      time: this.#time.toISOString(),
      running: this.running,
      upstream: this.#options.upstream.name,
      model,
      stream,
      tools,
      problems,
      fixes: this.#marks.flatMap((mark) => mark.kind === "fix" ? [mark.id] : []),
      size: this.size,
      truncated: this.#truncated,
    };
  }

  /** All of it, without secrets. */
  whole(): Capture {
    const secrets = new Secrets(this.#options.secrets());
    const request = this.#toldRequest(this.#request, this.#asked, secrets);
    const attempts = this.#attempts.map((attempt): CapturedAttempt => ({
      request: this.#toldRequest(attempt.request, attempt.body, secrets),
      ms: attempt.ms,
      ...(attempt.status !== undefined && { status: attempt.status }),
      ...(attempt.headers && { headers: secrets.headers(attempt.headers) }),
      body: bodyOf(attempt.received, secrets),
      ended: attempt.ended === null ? null : secrets.text(attempt.ended),
    }));
    const answer = this.#answer === undefined ? null : {
      status: this.#answer.status,
      headers: secrets.headers(this.#answer.headers),
      body: bodyOf(this.#sent.all(this.#attempts[0]?.received), secrets),
    };
    const { upstream, config } = this.#options;
    return {
      format: 1,
      callmend: version,
      id: this.#exchange.id,
      time: this.#time.toISOString(),
      upstream,
      config,
      request,
      attempts,
      answer,
      marks: this.#marks.map((mark) =>
        mark.kind === "problem" ? { ...mark, detail: secrets.text(mark.detail) } : mark
      ),
      report: this.#report && {
        ...this.#report,
        problems: this.#report.problems.map(({ code, detail }) => ({ code, detail: secrets.text(detail) })),
      },
      truncated: this.#truncated,
    };
  }

  #toldRequest({ method, url, headers }: Head, body: string | Uint8Array, secrets: Secrets): CapturedRequest {
    const told = { method, url: secrets.address(url), headers: secrets.headers(headers) };
    return { ...told, body: secrets.text(typeof body === "string" ? body : new TextDecoder().decode(body)) };
  }

  #place() {
    const attempt = this.#attempts.length - 1;
    return { ms: this.#ms(), attempt, received: this.#received, sent: this.#sentBytes };
  }

  #kept(body: string | Uint8Array): string | Uint8Array {
    if (!this.#fits(body.length)) return "";
    this.#grow(body.length);
    return body;
  }

  /** Whether so many bytes more are kept; once some were not, none are: what is kept is a beginning. */
  #fits(bytes: number): boolean {
    const { memory, makeRoom } = this.#options;
    if (memory.used + bytes > memory.limit) this.#truncated ||= !makeRoom(bytes);
    return !this.#truncated;
  }

  #grow(bytes: number): void {
    this.#size += bytes;
    if (!this.#gone) this.#options.memory.used += bytes;
  }

  /** Since the request, to a tenth of a millisecond. */
  #ms(): number {
    return Math.round((performance.now() - this.#begun) * 10) / 10;
  }
}

function headOf({ method, url, headers }: Request): Head {
  return { method, url, headers };
}
