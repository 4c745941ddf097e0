/** Token latency over real sockets, paced like models: straight, through a bare passthrough, and through Callmend. */
import process from "node:process";
import { createProgress } from "../../src/cli/progress.ts";
import { readConfig } from "../../src/config.ts";
import { listen } from "../../src/listen.ts";
import { serveObserved } from "../_servers.ts";
import { createUpstream } from "../../src/upstream.ts";
import { tools } from "./streams.ts";

const STREAMS = 50;
const TOKENS = 150;
const INTERVAL_MS = 20;
const SEEN = /t=(\d+\.\d+);/g;

const encoder = new TextEncoder();
const event = (content: string): Uint8Array =>
  encoder.encode(
    `data: ${
      JSON.stringify({
        id: "chatcmpl-bench",
        object: "chat.completion.chunk",
        created: 1,
        model: "bench",
        choices: [{ index: 0, delta: { role: "assistant", content }, finish_reason: null }],
      })
    }\n\n`,
  );

/** Says `open`, then a token every 20 ms that tells when it was sent, then `close`. */
function paced(open: string, close: string): Response {
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (sent === 0) controller.enqueue(event(open));
      await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
      controller.enqueue(event(`t=${performance.now().toFixed(3)};`));
      if (++sent < TOKENS) return;
      controller.enqueue(event(close));
      controller.enqueue(encoder.encode("data: [DONE]\n\n"));
      controller.close();
    },
  }, { highWaterMark: 0 });
  return new Response(body, {
    headers: { "content-type": "text/event-stream", "cache-control": "no-transform" },
  });
}

/** The latencies of all tokens of all streams, in milliseconds. */
async function measure(address: string, model: string): Promise<number[]> {
  const all: number[] = [];
  await Promise.all(Array.from({ length: STREAMS }, async (_, n) => {
    await new Promise((resolve) => setTimeout(resolve, n * INTERVAL_MS / STREAMS));
    const response = await fetch(`${address}/v1/chat/completions`, {
      method: "POST",
      body: JSON.stringify({ model, stream: true, messages: [], tools }),
    });
    const decoder = new TextDecoder();
    for await (const bytes of response.body!) {
      const now = performance.now();
      for (const [, sent] of decoder.decode(bytes, { stream: true }).matchAll(SEEN)) {
        all.push(now - Number(sent));
      }
    }
  }));
  if (all.length !== STREAMS * TOKENS) throw new Error(`${all.length} of ${STREAMS * TOKENS} tokens arrived`);
  return all.sort((a, b) => a - b);
}

const models = listen({ host: "127.0.0.1", port: 0 }, async (request) => {
  const { model } = await request.json() as { model: string };
  return model === "call"
    ? paced(
      "<tool_call>\n<function=write_file>\n<parameter=path>a</parameter>\n<parameter=content>\n",
      "\n</parameter>\n</function>\n</tool_call>",
    )
    : paced("Well: ", "");
});
const config = readConfig({ upstream: `http://127.0.0.1:${models.port}/v1`, port: "0" });
const upstream = createUpstream(config);
const bare = listen({ host: "127.0.0.1", port: 0 }, async (request) => await upstream(request));
const callmend = serveObserved(config, () => {});

const ways = [
  ["straight", `http://127.0.0.1:${models.port}`, "prose"],
  ["bare passthrough", `http://127.0.0.1:${bare.port}`, "prose"],
  ["callmend, prose", callmend.address, "prose"],
  ["callmend, call", callmend.address, "call"],
] as const;
console.log(
  `${STREAMS} streams × ${
    1000 / INTERVAL_MS
  } tokens/s, all in one process; ms, medians of 3 interleaved rounds`,
);
const progress = createProgress({ environment: process.env, log: (line) => console.error(line) });
const rounds = ways.map(() => ({ p50: [] as number[], p99: [] as number[] }));
for (let round = 0; round < 3; round++) {
  for (const [n, [name, address, model]] of ways.entries()) {
    progress.begin(`round ${round + 1} of 3: ${name}`);
    const all = await measure(address, model);
    progress.done(`  round ${round + 1} of 3: ${name}`);
    rounds[n]!.p50.push(all[Math.floor(all.length * 0.5)]!);
    rounds[n]!.p99.push(all[Math.floor(all.length * 0.99)]!);
  }
}
progress.end();
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;
const floor = rounds[1]!;
for (const [n, [name]] of ways.entries()) {
  const p50 = median(rounds[n]!.p50), p99 = median(rounds[n]!.p99);
  const against = n < 2
    ? ""
    : `   against the passthrough: p50 ${(p50 / median(floor.p50)).toFixed(2)}×, p99 ${
      (p99 / median(floor.p99)).toFixed(2)
    }×`;
  console.log(
    `  ${name.padEnd(17)} p50 ${p50.toFixed(2).padStart(6)}   p99 ${p99.toFixed(2).padStart(6)}${against}`,
  );
}
await callmend.drain();
upstream.close();
await Promise.all([bare.stop(), models.stop()]);
