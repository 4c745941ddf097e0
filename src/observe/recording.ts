/** One exchange on disk: what was asked, what the upstream sent when, and what the client got. */
import { join } from "node:path";
import { parse } from "../wire/json_text.ts";
import { isObject } from "../wire/call_piece.ts";
import type { ExchangeReport, Watcher } from "../wire/watcher.ts";
import { fold } from "../wire/fold.ts";
import type { Chunk, Json } from "../wire/openai.ts";
import { SseDecoder } from "../wire/sse.ts";
import { CALL_HEADER } from "../wrap_fetch.ts";
import type { PrivateFile, PrivateFiles } from "./private_files.ts";
import { Secrets } from "./secrets.ts";

/** What a recording is made with. */
export interface RecordingOptions {
  readonly files: PrivateFiles;
  readonly folder: string;
  /** What the names of its files begin with. */
  readonly id: string;
  /** Takes one line of the event log. */
  readonly event: (text: string) => void;
  /** Secrets that no header names. */
  readonly secrets: readonly string[];
}

/** Of a body, this much is kept to be told in the answer's file: 64 MiB. */
const LIMIT = 64 * 1024 * 1024;

export class Recording implements Watcher {
  readonly #options: RecordingOptions;
  readonly #secrets: Secrets;
  readonly #begun = Date.now();
  readonly #asked: string; // the client's body
  readonly #pieces: Uint8Array[] = []; // of what the client gets
  #size = 0; // of all that it gets, in bytes
  #attempts = 0; // how often the upstream was asked
  #raw: RawFile | undefined; // what the upstream is sending
  #reply: { readonly status: number; readonly headers: Headers } | undefined;

  /** Writes down what the client asks. */
  constructor(options: RecordingOptions, request: Request, body: Uint8Array) {
    this.#options = options;
    this.#secrets = new Secrets(options.secrets);
    this.#asked = textOf(body);
    this.#writeRequest("request", request, this.#asked);
    const asked = parse(this.#asked);
    const { model = "", stream = false, tools } = isObject(asked) ? asked : {};
    const count = Array.isArray(tools) ? tools.length : 0;
    this.#event(`asked: model ${JSON.stringify(model)}, stream ${stream}, ${count} tools`);
  }

  asking(request: Request, body: string | Uint8Array): void {
    const text = textOf(body);
    this.#attempts++;
    if (text !== this.#asked) this.#writeRequest(`upstream${this.#suffix}-request`, request, text);
  }

  answering({ status, headers }: Response): void {
    const type = headers.get("content-type") ?? "no type";
    this.#secrets.headers(headers);
    this.#event(`upstream: ${status} ${type}, after ${this.#age()} ms`);
    this.#raw = this.#rawFile(`stream${this.#suffix}.sse`);
  }

  received(bytes: Uint8Array): void {
    this.#raw?.piece(bytes);
  }

  receivedAll(how: string): void {
    if (this.#raw === undefined) this.#event(`upstream: ${how}`);
    this.#raw?.end(how);
    this.#raw = undefined;
  }

  replying({ status, headers }: Pick<Response, "status" | "headers">): void {
    this.#reply = { status, headers };
  }

  sent(bytes: Uint8Array): void {
    if ((this.#size += bytes.length) <= LIMIT) this.#pieces.push(bytes.slice());
  }

  /** Writes down what the client got. */
  ended(report: ExchangeReport): void {
    this.#raw?.end("not read to its end");
    this.#event(outcomeOf(report));
    const { outcome } = report;
    const { status, headers } = this.#reply ?? { status: 0, headers: new Headers() };
    const told = {
      status,
      headers: this.#secrets.headers(headers),
      milliseconds: this.#age(),
      ended: outcome,
      ...bodyOf(this.#pieces, headers.get("content-type") ?? ""),
    };
    this.#write("response.json", JSON.stringify(told, null, 2));
    this.#event(`answered: ${status}, ${this.#size} bytes in ${this.#age()} ms, ${outcome}`);
  }

  get #suffix(): string {
    return this.#attempts === 1 ? "" : `-${this.#attempts}`;
  }

  /** The raw bytes, and behind them, as a comment of the stream, when each piece came and where it ends. */
  #rawFile(name: string): RawFile {
    const file = this.#create(name);
    const mask = this.#secrets.stream();
    const cuts: [number, number][] = [];
    let size = 0;
    return {
      piece: (bytes) => {
        cuts.push([this.#age(), size += bytes.length]);
        file.write(mask.push(bytes));
      },
      end: (how) => {
        file.write(mask.end());
        const told = this.#secrets.text(JSON.stringify({ ended: how, cuts }));
        file.write(`\n\n: callmend: [milliseconds, bytes so far] of each piece: ${told}\n`);
        file.close();
      },
    };
  }

  #writeRequest(kind: string, request: Request, body: string): void {
    const { [CALL_HEADER]: _, ...headers } = this.#secrets.headers(request.headers);
    const url = this.#secrets.address(request.url);
    const told = {
      time: new Date().toISOString(),
      method: request.method,
      url,
      headers,
      body: parse(body) ?? body,
    };
    this.#write(`${kind}.json`, JSON.stringify(told, null, 2));
  }

  #write(name: string, text: string): void {
    const file = this.#create(name);
    file.write(this.#secrets.text(text));
    file.close();
  }

  #create(name: string): PrivateFile {
    const { files, folder, id } = this.#options;
    return files.create(join(folder, `${id}-${name}`));
  }

  #event(text: string): void {
    this.#options.event(`${this.#options.id} ${this.#secrets.text(text)}`);
  }

  #age(): number {
    return Date.now() - this.#begun;
  }
}

/** The file of what an upstream sends. */
interface RawFile {
  piece(bytes: Uint8Array): void;
  end(how: string): void;
}

/** What the pipeline says of an exchange when it is over. */
function outcomeOf(
  { model, status, outcome, finish, calls, dialects, fixes, problems }: ExchangeReport,
): string {
  const told = problems.map(({ code }) => code);
  return `mended: model ${JSON.stringify(model)}, status ${status}, ${outcome}, finish ${
    finish ?? "none"
  }, ` +
    `${calls} calls, dialects ${dialects.join(" ") || "none"}, fixes ${fixes.join(" ") || "none"}, problems ${
      told.join(" ") || "none"
    }`;
}

/** A body, as far as it is kept. */
function textOf(body: string | Uint8Array): string {
  if (typeof body === "string") return body.slice(0, LIMIT);
  return new TextDecoder().decode(body.subarray(0, LIMIT));
}

/** What an answer says: a stream is told as the message that its pieces make. */
function bodyOf(pieces: readonly Uint8Array[], type: string): Json {
  const decoder = new TextDecoder();
  const text = pieces.map((piece) => decoder.decode(piece, { stream: true })).join("");
  if (!type.startsWith("text/event-stream")) return { body: parse(text) ?? text };
  const events = new SseDecoder();
  const all = [...events.push(new TextEncoder().encode(text)), ...events.end().events];
  const told = all.map(({ data }) => data === undefined ? undefined : parse(data)).filter(isObject);
  const errors = told.filter((chunk) => "error" in chunk);
  const body = fold(told.filter((chunk) => !("error" in chunk)) as unknown as Chunk[]);
  return errors.length === 0 ? { body } : { body, errors };
}
