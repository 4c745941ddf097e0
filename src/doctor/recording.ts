/** One request and its answer, byte for byte with the times, so that the same answer can be given again. */
import { UpstreamUnreachable } from "../upstream/errors.ts";
import type { Fetch } from "../wire/fetch.ts";
import type { Json } from "../wire/openai.ts";

/** Why there is no answer, or no whole one. */
export interface Failure {
  readonly kind: "unreachable" | "timeout" | "broken";
  readonly message: string;
}

/** What came of one request. */
export interface Recording {
  /** 0 when no answer began. */
  readonly status: number;
  readonly headers: Headers;
  /** The body as it was cut, each piece with the milliseconds since the request was sent. */
  readonly pieces: readonly { readonly ms: number; readonly bytes: Uint8Array }[];
  readonly ms: number;
  /** The answer had said its end, and the connection stayed open (symptoms C6). */
  readonly leftOpen?: true;
  readonly failure?: Failure;
}

/** How to ask: where, with which key, and for how long. */
export interface Asking {
  readonly next: Fetch;
  readonly key: string | undefined;
  readonly limitMs: number;
}

/** Sends a chat request (or a GET, without a body) and reads the answer to its end. Never rejects. */
export async function record({ next, key, limitMs }: Asking, path: string, body?: Json): Promise<Recording> {
  const start = Date.now();
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), limitMs);
  const pieces: { ms: number; bytes: Uint8Array }[] = [];
  let [status, headers] = [0, new Headers()];
  const ended = (rest: Pick<Recording, "failure" | "leftOpen"> = {}): Recording => {
    clearTimeout(timer);
    return { status, headers, pieces, ms: Date.now() - start, ...rest };
  };
  try {
    const response = await next(
      new Request(`http://callmend/v1${path}`, {
        method: body === undefined ? "GET" : "POST",
        headers: {
          "content-type": "application/json",
          ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: abort.signal,
      }),
    );
    ({ status, headers } = response);
    const reader = response.body?.getReader();
    const decoder = new TextDecoder();
    for (let over = false; reader !== undefined;) {
      const read = await (over ? Promise.race([reader.read(), after(GRACE_MS)]) : reader.read());
      if (read === undefined) {
        await reader.cancel();
        return ended({ leftOpen: true });
      }
      if (read.done) break;
      pieces.push({ ms: Date.now() - start, bytes: read.value });
      over ||= END.test(decoder.decode(read.value, { stream: true }));
    }
    return ended();
  } catch (error) {
    const failure = failureOf(error, { began: status !== 0, late: abort.signal.aborted, limitMs });
    return ended({ failure });
  }
}

/** What an answer says last; behind it only usage may come, and that soon. */
const END = /\[DONE\]|"finish_reason"\s*:\s*"\w/;
const GRACE_MS = 3_000;

const after = (ms: number) => new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), ms));

function failureOf(
  error: unknown,
  { began, late, limitMs }: { readonly began: boolean; readonly late: boolean; readonly limitMs: number },
): Failure {
  if (late) {
    const what = began ? "no end of the answer" : "no answer";
    return { kind: "timeout", message: `${what} within ${limitMs / 1000} s (--timeout gives it longer)` };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { kind: began || !(error instanceof UpstreamUnreachable) ? "broken" : "unreachable", message };
}

/** An upstream that gives the recorded answer, cut as it came; `asked` is told the body of each request. */
export function replay(
  { status, headers, pieces, failure }: Recording,
  asked: (body: string) => void,
): Fetch {
  return async (request) => {
    asked(await request.text());
    if (status === 0) throw new UpstreamUnreachable(failure?.message ?? "no answer");
    let at = 0; // the next piece
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        const piece = pieces[at++];
        if (piece !== undefined) controller.enqueue(piece.bytes);
        else if (failure !== undefined) controller.error(new UpstreamUnreachable(failure.message));
        else controller.close();
      },
    }, { highWaterMark: 0 });
    return new Response(body, { status, headers });
  };
}

/** The text of an answer. */
export function textOf({ pieces }: Recording): string {
  const decoder = new TextDecoder();
  return pieces.map(({ bytes }) => decoder.decode(bytes, { stream: true })).join("") + decoder.decode();
}
