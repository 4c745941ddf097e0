/** Streams that can be read without the stream: each layer of Web Streams costs about as much as parsing an event. */

/** Where the bytes come from. */
export interface Source {
  /** The next bytes; undefined at the end. Rejects when the source breaks. */
  read(): Promise<Uint8Array | undefined>;
  /** No more is wanted. */
  cancel(reason?: unknown): void;
}

const sources = new WeakMap<ReadableStream, Source>();

/** A stream over a source: for whoever does not know that it can be had directly. It reads only when it is read. */
export function directStream(source: Source): ReadableStream<Uint8Array> {
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const bytes = await source.read();
      if (bytes === undefined) controller.close();
      else controller.enqueue(bytes);
    },
    cancel: (reason) => source.cancel(reason),
  }, { highWaterMark: 0 });
  sources.set(stream, source);
  return stream;
}

/** The source of a stream; for any other stream, one that reads it. From then on nobody else may read the stream. */
export function sourceOf(stream: ReadableStream<Uint8Array>): Source {
  const direct = sources.get(stream);
  const reader = stream.getReader(); // it is locked for all others
  if (direct !== undefined) return direct;
  return {
    async read() {
      return (await reader.read()).value;
    },
    cancel: (reason) => void reader.cancel(reason).catch(() => {}), // it is given up: how that ends concerns nobody
  };
}
