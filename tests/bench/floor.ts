/** The least that a proxy in JavaScript does, to measure against: pass the bytes, or read and write each event anew. */
import { createParser } from "eventsource-parser";

const encoder = new TextEncoder();

/** One loop over the body's reader, one write a read: the least that JavaScript can do. */
export function through({ body, headers }: Response, convert: (bytes: Uint8Array) => Uint8Array): Response {
  const reader = body!.getReader();
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return controller.close();
        const bytes = convert(value);
        if (bytes.length > 0) return controller.enqueue(bytes);
      }
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
  return new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>, { headers });
}

/** Reads each event as JSON, and writes it anew. */
export function parseBothWays(): (bytes: Uint8Array) => Uint8Array {
  const decoder = new TextDecoder();
  let out = "";
  const parser = createParser({
    onEvent({ data }) {
      out += data === "[DONE]" ? "data: [DONE]\n\n" : `data: ${JSON.stringify(JSON.parse(data))}\n\n`;
    },
  });
  return (bytes) => {
    out = "";
    parser.feed(decoder.decode(bytes, { stream: true }));
    return encoder.encode(out);
  };
}
