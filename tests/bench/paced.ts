/** A model server for benchmarks over sockets: says what its model's name asks, `<how>:<sample>:<chunks>[:<ms>]`. */
import { eventsOf, fileOf, hermes, samples } from "./streams.ts";

const encoder = new TextEncoder();

/** The pieces of an answer, in the order in which they are written. */
const answers = new Map<string, readonly Uint8Array<ArrayBuffer>[]>();

/** How many events are written in one turn of the event loop with `each`: more would run together on the way. */
const IN_A_ROW = 4;

/**
 * Answers a chat completion. `burst`: all in one write; `each`: one write an event; `paced`: an event each so many
 * milliseconds, whose text says when it was sent.
 */
export async function model(request: Request): Promise<Response> {
  const { model } = await request.json() as { model: string };
  const [how = "", sample = "", chunks = "", interval = "20"] = model.split(":");
  const stream = how === "paced"
    ? paced(sample, Number(chunks), Number(interval))
    : written(piecesOf(how, sample, Number(chunks)), how);
  return new Response(stream, {
    headers: { "content-type": "text/event-stream", "cache-control": "no-transform" },
  });
}

/** How many events an answer has. */
export function countOf(model: string): number {
  const [, sample = "", chunks = ""] = model.split(":");
  return piecesOf("each", sample, Number(chunks)).length;
}

function piecesOf(how: string, name: string, chunks: number): readonly Uint8Array<ArrayBuffer>[] {
  const key = `${how}:${name}:${chunks}`;
  let pieces = answers.get(key);
  if (pieces === undefined) {
    const sample = samples.find((each) => each.name === name)!;
    const size = chunks * 4;
    const text = name === "hermes"
      ? hermes(fileOf(size))
      : sample.text.repeat(Math.ceil(size / sample.text.length)).slice(
        0,
        name === "prose" ? size : undefined,
      );
    const events = eventsOf(name === "prose" || name === "hermes" ? { ...sample, text } : sample);
    pieces = (how === "burst" ? [events.join("")] : events).map((event) => encoder.encode(event));
    answers.set(key, pieces);
  }
  return pieces;
}

function written(pieces: readonly Uint8Array<ArrayBuffer>[], how: string): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    async pull(controller) {
      if (how === "each" && at % IN_A_ROW === 0) await new Promise((resolve) => setTimeout(resolve, 0));
      controller.enqueue(pieces[at++]!);
      if (at === pieces.length) controller.close();
    },
  }, { highWaterMark: 0 });
}

/** What begins and ends the text in which the tokens stand. */
const AROUND: { readonly [sample: string]: readonly [open: string, close: string] } = {
  prose: ["Well: ", ""],
  call: [
    "<tool_call>\n<function=write_file>\n<parameter=path>a</parameter>\n<parameter=content>\n",
    "\n</parameter>\n</function>\n</tool_call>",
  ],
};

function paced(sample: string, tokens: number, intervalMs: number): ReadableStream<Uint8Array> {
  const [open, close] = AROUND[sample]!;
  const events = (text: string) => eventsOf({ name: sample, text, calls: false }, Infinity);
  const token = (text: string) => encoder.encode(events(text)[1]);
  let sent = 0;
  return new ReadableStream({
    async pull(controller) {
      if (sent === 0) controller.enqueue(encoder.encode(events(open).slice(0, 2).join("")));
      await new Promise((resolve) => setTimeout(resolve, intervalMs));
      controller.enqueue(token(`t=${performance.now().toFixed(3)};`));
      if (++sent < tokens) return;
      if (close !== "") controller.enqueue(token(close));
      controller.enqueue(encoder.encode(events("").slice(-2).join("")));
      controller.close();
    },
  }, { highWaterMark: 0 });
}
