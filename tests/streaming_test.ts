/** Long string arguments stream: the client gets their first bytes long before the upstream has said the last. */
import assert from "node:assert/strict";
import { demoModels } from "../src/cli/demo_upstream.ts";
import { repair } from "../src/repair.ts";
import { fileOf } from "./bench/streams.ts";
import { test } from "./_test.ts";

const content = fileOf(2000);
const parameters = {
  type: "object",
  properties: { path: { type: "string" }, content: { type: "string" } },
  required: ["path", "content"],
};
const tools = [{ type: "function", function: { name: "write_file", parameters } }];
const encoder = new TextEncoder();

for (const { id, write, atTheEnd } of demoModels) {
  // Native calls are not parsed (tests/repair_test.ts has them); what may be an answer in JSON waits for its end.
  if (write === undefined || atTheEnd) continue;
  test(`${id}: a file of 2 KB in pieces of four characters streams`, async () => {
    const text = write({ name: "write_file", arguments: { path: "a.ts", content } });
    const pieces = text.match(/[^]{1,4}/gu)!;
    let sent = 0;
    const upstream = new ReadableStream<Uint8Array>({
      pull(controller) {
        const delta = { role: "assistant", content: pieces[sent++] };
        controller.enqueue(encoder.encode(`data: ${JSON.stringify({ choices: [{ index: 0, delta }] })}\n\n`));
        if (sent === pieces.length) controller.close();
      },
    }, { highWaterMark: 0 });
    const headers = { "content-type": "text/event-stream" };
    const fetch = repair(() => Promise.resolve(new Response(upstream, { headers })));
    const body = JSON.stringify({ model: id, stream: true, messages: [], tools });
    const response = await fetch(new Request("http://h/v1/chat/completions", { method: "POST", body }));

    let received = "", first: number | undefined;
    const decoder = new TextDecoder();
    for await (const bytes of response.body!) {
      received += decoder.decode(bytes, { stream: true });
      if (first === undefined && argumentsIn(received).includes("export const")) first = sent;
    }
    assert.ok(
      first !== undefined && first < pieces.length / 2,
      `first bytes after ${first} of ${pieces.length} pieces`,
    );
    assert.deepEqual(JSON.parse(argumentsIn(received)), { path: "a.ts", content });
  });
}

/** The arguments of the one call in a stream, as far as they have come. */
function argumentsIn(stream: string): string {
  return stream.split("\n\n").filter((event) => event.startsWith("data: {")).map((event) => {
    const [choice] = JSON.parse(event.slice(6)).choices;
    return choice.delta.tool_calls?.map((call: { function?: { arguments?: string } }) =>
      call.function?.arguments ?? ""
    )
      .join("") ?? "";
  }).join("");
}
