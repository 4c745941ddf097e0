/** Takes one exchange down as it happens. */
import { version } from "../version.ts";
import type { AnyProblemCode } from "../wire/problem.ts";
import type { Begun, ExchangeReport, Watcher } from "../wire/watcher.ts";
import { ByteLog } from "./byte_log.ts";
import type {
  Capture,
  CapturedAttempt,
  CapturedBody,
  CapturedConfig,
  CapturedRequest,
  CapturedUpstream,
  CaptureSummary,
  Mark,
} from "./capture.ts";
import { Secrets } from "./secrets.ts";

/** What a capture is taken with. */
export interface CapturingOptions {
  readonly begun: Begun;
  readonly upstream: CapturedUpstream;
  readonly config: CapturedConfig;
  /** Texts that must not be in it, whatever header they came in. */
  readonly secrets: () => readonly string[];
  /** Whether there is room for so many more bytes. */
  readonly room: (bytes: number) => boolean;
  /** Something has changed that a list shows. */
  readonly changed: () => void;
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
  readonly #options: CapturingOptions;
  readonly #time = new Date();
  readonly #begun = performance.now();
  readonly #request: Head;
  readonly #asked: Uint8Array; // the client's body
  readonly #attempts: Attempt[] = [];
  readonly #sent = new ByteLog();
  readonly #marks: Mark[] = [];
  #received = 0; // of the present attempt
  #sentBytes = 0;
  #answer: { readonly status: number; readonly headers: Headers } | undefined;
  #report: ExchangeReport | null = null;
  #truncated = false; // there was no room for all of it

  constructor(options: CapturingOptions) {
    this.#options = options;
    this.#request = headOf(options.begun.request);
    this.#asked = this.#kept(options.begun.body);
  }

  asking(request: Request, body: string | Uint8Array): void {
    this.#received = 0;
    const same = body === this.#options.begun.body;
    this.#attempts.push({
      request: headOf(request),
      body: same ? this.#asked : typeof body === "string" ? body : this.#kept(body),
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
    if (attempt !== undefined && this.#fits(bytes.length)) attempt.received.push(this.#ms(), bytes);
  }

  receivedAll(how: string): void {
    const attempt = this.#attempts.at(-1);
    if (attempt === undefined || attempt.ended !== null) return;
    attempt.ended = how;
    attempt.received.trim();
  }

  replying({ status, headers }: Response): void {
    this.#answer = { status, headers };
  }

  sent(bytes: Uint8Array): void {
    this.#sentBytes += bytes.length;
    if (this.#fits(bytes.length)) this.#sent.push(this.#ms(), bytes);
  }

  problem(code: AnyProblemCode, detail: string): void {
    this.#marks.push({ kind: "problem", code, detail, ...this.#place() });
    this.#options.changed();
  }

  fixed(id: string): void {
    this.#marks.push({ kind: "fix", id, ...this.#place() });
    this.#options.changed();
  }

  ended(report: ExchangeReport): void {
    this.#report = report;
    this.#sent.trim();
    this.#options.changed();
  }

  get running(): boolean {
    return this.#report === null;
  }

  /** How many bytes of memory it takes, about. */
  get size(): number {
    const bodies = this.#attempts.map(({ body, received }) =>
      (body === this.#asked ? 0 : body.length) + received.memory
    );
    return 2048 + this.#asked.length + this.#sent.memory + bodies.reduce((sum, each) => sum + each, 0) +
      this.#marks.length * 256;
  }

  /** What a list shows of it. */
  summary(): CaptureSummary {
    const { id, model, stream, tools } = this.#options.begun;
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
      body: bodyOf(this.#sent, secrets),
    };
    const { upstream, config, begun } = this.#options;
    return {
      format: 1,
      callmend: version,
      id: begun.id,
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

  #kept(bytes: Uint8Array): Uint8Array {
    return this.#fits(bytes.length) ? bytes : new Uint8Array();
  }

  /** Whether so many bytes more are kept; once some were not, none are: what is kept is a beginning. */
  #fits(bytes: number): boolean {
    this.#truncated ||= !this.#options.room(bytes);
    return !this.#truncated;
  }

  /** Since the request, to a tenth of a millisecond. */
  #ms(): number {
    return Math.round((performance.now() - this.#begun) * 10) / 10;
  }
}

function headOf({ method, url, headers }: Request): Head {
  return { method, url, headers: new Headers(headers) };
}

/** Secrets become asterisks, as many as they had bytes: the cuts stay where they are. */
function bodyOf({ bytes, cuts }: ByteLog, secrets: Secrets): CapturedBody {
  const mask = secrets.stream();
  const [first, last] = [mask.push(bytes), mask.end()];
  const clean = new Uint8Array(bytes.length);
  clean.set(first);
  clean.set(last, first.length);
  try {
    return { text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(clean), cuts };
  } catch {
    return { base64: base64Of(clean), cuts };
  }
}

function base64Of(bytes: Uint8Array): string {
  let binary = "";
  for (let at = 0; at < bytes.length; at += 8192) {
    binary += String.fromCharCode(...bytes.subarray(at, at + 8192));
  }
  return btoa(binary);
}
