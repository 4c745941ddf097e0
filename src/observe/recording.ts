/** One exchange on disk: what was asked, what the upstream sent when, and what the client got. */
import { join } from "node:path";
import type { Fetch } from "../repair.ts";
import { parse } from "../wire/answer.ts";
import { isObject } from "../wire/call_piece.ts";
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
}

/** Of a body, this much is kept to be told in the answer's file: 64 MiB. */
const LIMIT = 64 * 1024 * 1024;

export class Recording {
  readonly #options: RecordingOptions;
  readonly #secrets = new Secrets();
  readonly #begun = Date.now();
  #asked = ""; // the client's body
  #attempts = 0; // how often the upstream was asked

  constructor(options: RecordingOptions) {
    this.#options = options;
  }

  /** Writes down what the client asks. */
  async request(request: Request): Promise<void> {
    this.#asked = await textOf(request);
    this.#writeRequest("request", request, this.#asked);
    const body = parse(this.#asked);
    const { model = "", stream = false, tools } = isObject(body) ? body : {};
    const count = Array.isArray(tools) ? tools.length : 0;
    this.#event(`asked: model ${JSON.stringify(model)}, stream ${stream}, ${count} tools`);
  }

  /** Asks the upstream, and writes down what it sends as it comes. */
  async upstream(request: Request, next: Fetch): Promise<Response> {
    const suffix = ++this.#attempts === 1 ? "" : `-${this.#attempts}`;
    const body = await textOf(request.clone() as Request);
    if (body !== this.#asked) this.#writeRequest(`upstream${suffix}-request`, request, body);
    let response: Response;
    try {
      response = await next(request);
    } catch (error) {
      this.#event(`the upstream gave no answer: ${error}`);
      throw error;
    }
    const type = response.headers.get("content-type") ?? "no type";
    this.#secrets.headers(response.headers);
    this.#event(`upstream: ${response.status} ${type}, after ${this.#age()} ms`);
    return this.#tapped(response, this.#rawFile(`stream${suffix}.sse`));
  }

  /** Writes down what the client gets, once it has it. */
  answer(response: Response): Response {
    const pieces: Uint8Array[] = [];
    let size = 0;
    return this.#tapped(response, {
      piece: (bytes) => {
        if ((size += bytes.length) <= LIMIT) pieces.push(bytes);
      },
      end: (how) => {
        const told = {
          status: response.status,
          headers: this.#secrets.headers(response.headers),
          milliseconds: this.#age(),
          ended: how,
          ...bodyOf(pieces, response.headers.get("content-type") ?? ""),
        };
        this.#write("response.json", JSON.stringify(told, null, 2));
        this.#event(`answered: ${response.status}, ${size} bytes in ${this.#age()} ms, ${how}`);
      },
    });
  }

  /** The raw bytes, and behind them, as a comment of the stream, when each piece came and where it ends. */
  #rawFile(name: string): Tap {
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

  #tapped(response: Response, tap: Tap): Response {
    const { status, statusText, headers, body } = response;
    if (body === null) {
      tap.end("no body");
      return response;
    }
    const reader = body.getReader();
    const end = once((how: string) => tap.end(how));
    const stream = new ReadableStream<Uint8Array>({
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (done) {
            end("whole");
            return controller.close();
          }
          tap.piece(value);
          controller.enqueue(value);
        } catch (error) {
          end(`broken: ${error}`);
          controller.error(error);
        }
      },
      cancel(reason) {
        end("cut off by its reader");
        return reader.cancel(reason);
      },
    }, { highWaterMark: 0 });
    return new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>, { status, statusText, headers });
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

/** Looks on while a body passes. */
interface Tap {
  piece(bytes: Uint8Array): void;
  end(how: string): void;
}

function once<Value>(act: (value: Value) => void): (value: Value) => void {
  let done = false;
  return (value) => {
    if (done) return;
    done = true;
    act(value);
  };
}

/** A request's body, as far as it is kept. */
async function textOf(request: Request): Promise<string> {
  if (request.body === null) return "";
  const reader = request.body.getReader();
  const decoder = new TextDecoder();
  let [text, size] = ["", 0];
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    text += decoder.decode(read.value, { stream: true });
    if ((size += read.value.length) <= LIMIT) continue;
    reader.cancel().catch(() => {});
    break;
  }
  return text;
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
