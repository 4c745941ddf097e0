/** Bare proxies for Bun or Deno, to measure against: `bytes` through JavaScript, or `parse`: each event both ways. */
import process from "node:process";
import { createParser } from "eventsource-parser";
import { listen } from "../../src/listen.ts";

const [kind, upstream] = process.argv.slice(2);
const encoder = new TextEncoder();

/** One loop over the body's reader, one write a read: the least that JavaScript can do. */
function through({ body, headers }: Response, convert: (bytes: Uint8Array) => Uint8Array): Response {
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

function parseBothWays(): (bytes: Uint8Array) => Uint8Array {
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

const server = listen({ host: "127.0.0.1", port: 0 }, async (request) => {
  const body = await request.arrayBuffer();
  const response = await fetch(`${upstream}/chat/completions`, { method: "POST", body });
  return through(response, kind === "parse" ? parseBothWays() : (bytes) => bytes);
});
console.log(`listening on http://127.0.0.1:${server.port}`);
