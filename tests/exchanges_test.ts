/** Recorded exchanges: what the client asked and the upstream said, and what each of them got. `UPDATE=1` rewrites the goldens. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { repair } from "../src/repair.ts";
import { test } from "./_test.ts";

const folder = new URL("../fixtures/exchanges/", import.meta.url);
const update = process.env["UPDATE"] === "1";

for (const name of readdirSync(folder).sort()) {
  const at = (file: string) => new URL(`${name}/${file}`, folder);
  test(`exchange ${name}`, async () => {
    const upstream = readFileSync(at("upstream.sse"));
    const whole = await exchange(at("request.json"), upstream, [upstream.length]);
    for (
      const [file, bytes] of [["upstream-request.json", whole.asked], ["client.sse", whole.answered]] as const
    ) {
      if (update) writeFileSync(at(file), bytes);
      assert.equal(bytes, readFileSync(at(file), "utf8"), file);
    }
    assert.ok(existsSync(at("README.md")), "an exchange says what it shows and where it was seen");
    for (const size of [1, 2, 3, 7, 64, 1000]) {
      const { answered } = await exchange(at("request.json"), upstream, [size]);
      assert.equal(answered, whole.answered, `in reads of ${size} bytes`);
    }
  });
}

/** Sends the request through the pipeline to an upstream that says `bytes`, in reads of `sizes`. */
async function exchange(request: URL, bytes: Uint8Array, [size]: readonly [number]): Promise<{
  readonly asked: string;
  readonly answered: string;
}> {
  let asked = "", at = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(Uint8Array.from(bytes.subarray(at, at + size)));
      at += size;
    },
  }, { highWaterMark: 0 });
  const fetch = repair(async (upstreamRequest) => {
    asked = await upstreamRequest.text();
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  });
  const response = await fetch(
    new Request("http://proxy/v1/chat/completions", { method: "POST", body: readFileSync(request) }),
  );
  return { asked, answered: named(await response.text()) };
}

/** Made-up ids and times are random: the goldens hold `call_1`, `call_2` … and zeros. */
function named(text: string): string {
  const ids = new Map<string, string>();
  return text
    .replace(/call_[A-Za-z0-9]{24}/g, (id) => {
      if (!ids.has(id)) ids.set(id, `call_${ids.size + 1}`);
      return ids.get(id)!;
    })
    .replace(/chatcmpl-[0-9a-f]{32}/g, "chatcmpl-made-up");
}
