/** Bodies of 64 MiB, headers of 64 KB, and a client that stops reading. */
import http from "node:http";
import { httpUpstream, open, replyOf, responseTo, until } from "../_servers.ts";
import { figuresOf, memoryOf, settledSockets, startCallmend, watchMemory } from "./callmend.ts";
import type { LoadReport } from "./load.ts";
import { sendRaw } from "./raw.ts";

const MIB = 2 ** 20;
const PATH = "/v1/chat/completions";

/** How large the bodies are, and how many come at once. */
export interface BodiesOptions {
  readonly with?: string | undefined;
  readonly mebibytes: number;
  readonly atOnce: number;
}

/** What a burst left behind has to serve the next one: more than this, and it was not given back. */
const GROWTH = 1.3;

/** A chat request of exactly so many bytes. */
function bodyOf(bytes: number): Uint8Array {
  const [head, tail] = ['{"model":"m","messages":[{"role":"user","content":"', '"}]}'];
  return Buffer.concat([
    Buffer.from(head),
    Buffer.alloc(bytes - head.length - tail.length, "x"),
    Buffer.from(tail),
  ]);
}

/** Requests at the limit are served, several at once; those above it are refused; memory is given back. */
export async function largeBodies({ with: runtime, mebibytes, atOnce }: BodiesOptions): Promise<LoadReport> {
  const lengths: number[] = [];
  await using upstream = await httpUpstream((request, response) => {
    let length = 0;
    request.on("data", (bytes) => length += bytes.length).on("end", () => {
      lengths.push(length);
      response.setHeader("content-type", "application/json");
      response.end(
        '{"choices":[{"index":0,"message":{"role":"assistant","content":"Read."},"finish_reason":"stop"}]}',
      );
    });
  });
  const given = ["--port", "0", "--upstream", `http://127.0.0.1:${upstream.port}/v1`, "--captures", "0"];
  await using callmend = startCallmend(runtime, ["serve", ...given, "--max-request", String(mebibytes)]);
  const port = await callmend.port();
  const limit = mebibytes * MIB;
  const post = async (body: Uint8Array, headers: http.OutgoingHttpHeaders): Promise<number> => {
    const request = open(port, PATH, { method: "POST", headers });
    const reply = responseTo(request).then(replyOf);
    request.on("error", () => {}); // refused before all was sent
    request.end(body);
    return (await reply.catch(() => ({ status: 0 }))).status;
  };
  const idle = figuresOf(callmend.pid);
  const full = bodyOf(limit);
  const burst = () =>
    Promise.all(Array.from({ length: atOnce }, () => post(full, { "content-length": limit })));
  let memory = watchMemory(callmend.pid, 50);
  const begun = Date.now();
  const taken = await burst();
  const seconds = (Date.now() - begun) / 1000;
  const over = bodyOf(limit + 1);
  const refused = [
    await post(over, { "content-length": limit + 1 }),
    await post(over, { "transfer-encoding": "chunked" }),
  ];
  const peak = memory.stop();
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const after = memoryOf(callmend.pid);
  memory = watchMemory(callmend.pid, 50);
  await burst();
  const again = memory.stop();
  const left = await settledSockets(callmend.pid, idle.sockets + 1) - idle.sockets;
  return {
    lines: [
      `bodies: ${atOnce} of ${mebibytes} MiB at once in ${seconds.toFixed(1)} s: ${
        taken.join(", ")
      }; a byte more: ${refused.join(", ")}`,
      `  memory ${idle.memoryMiB.toFixed(0)} MiB before, ${peak.toFixed(0)} at the peak, ${
        after.toFixed(0)
      } after`,
    ],
    failures: [
      ...(taken.every((status) => status === 200)
        ? []
        : [`bodies at the limit: ${taken.join(", ")} instead of 200`]),
      ...(lengths.slice(0, atOnce).every((length) => length === limit)
        ? []
        : [`bodies: ${lengths.join(", ")} bytes came up`]),
      ...(refused.every((status) => status === 413)
        ? []
        : [`bodies above the limit: ${refused.join(", ")} instead of 413`]),
      ...(again > peak * GROWTH + 100
        ? [`bodies: the second burst took ${again.toFixed(0)} MiB of memory`]
        : []),
      ...(left > 1 ? [`bodies: ${left} connections left open`] : []),
    ],
  };
}

/** Headers of 64 KB, in one line and in many, up and down: an answer comes, whatever it is. */
export async function largeHeaders({ with: runtime }: Pick<BodiesOptions, "with">): Promise<LoadReport> {
  const lines = (count: number, size: number) =>
    Array.from({ length: count }, (_, n) => `x-large-${n}: ${"y".repeat(size)}`).join("\r\n");
  const shapes = [["one of 60 KB", lines(1, 60_000)], ["64 of 1 KB", lines(64, 1_000)], [
    "one of 10 KB",
    lines(1, 10_000),
  ]] as const;
  let down = ""; // what the upstream adds to its head
  const body = '{"choices":[]}';
  await using upstream = await httpUpstream((request, response) => {
    request.resume();
    response.on("error", () => {});
    response.socket?.end(
      `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n${down}\r\n${body}`,
    );
  });
  const given = [
    "--port",
    "0",
    "--upstream",
    `http://127.0.0.1:${upstream.port}/v1`,
    "--first-byte-timeout",
    "3",
  ];
  await using callmend = startCallmend(runtime, ["serve", ...given]);
  const port = await callmend.port();
  const report: string[] = [];
  const failures: string[] = [];
  const ask = async (what: string, extra: string, most: number) => {
    const json = '{"model":"m","messages":[]}';
    const head =
      `POST ${PATH} HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: ${json.length}\r\n${extra}\r\n`;
    const { status, closed, text } = await sendRaw(port, head + json, 8_000);
    report.push(`${what}: ${status}`);
    if (!closed) failures.push(`headers ${what}: no end`);
    else if (status === 0 || status === 500 || (status > most)) {
      failures.push(`headers ${what}: ${status} ${text.slice(0, 300)}`);
    }
  };
  for (const [name, extra] of shapes) await ask(`${name} up`, `${extra}\r\n`, 431);
  for (const [name, extra] of shapes) {
    down = `${extra}\r\n`;
    await ask(`${name} down`, "", 502);
  }
  return { lines: [`headers: ${report.join("; ")}`], failures };
}

/** A client that stops reading holds the upstream up, and costs no memory; when it goes, the upstream is let go. */
export async function stoppedReader({ with: runtime }: Pick<BodiesOptions, "with">): Promise<LoadReport> {
  const event = `data: {"choices":[{"index":0,"delta":{"content":"${"Word. ".repeat(2_000)}"}}]}\n\n`;
  let [written, gone] = [0, 0];
  await using upstream = await httpUpstream((request, response) => {
    request.resume();
    response.writeHead(200, { "content-type": "text/event-stream" });
    const more = () => {
      while (!response.destroyed && written < 256 * MIB) {
        written += event.length;
        if (!response.write(event)) return;
      }
    };
    response.on("drain", more).on("close", () => gone = Date.now());
    more();
  });
  const given = ["--port", "0", "--upstream", `http://127.0.0.1:${upstream.port}/v1`, "--captures", "0"];
  await using callmend = startCallmend(runtime, ["serve", ...given]);
  const request = open(await callmend.port(), PATH, { method: "POST" });
  request.on("error", () => {}).end('{"model":"m","stream":true,"messages":[]}');
  const before = memoryOf(callmend.pid);
  const response = await responseTo(request);
  response.on("error", () => {}).once("data", () => response.pause());
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  const [held, more] = [written, memoryOf(callmend.pid) - before];
  const left = Date.now();
  request.destroy();
  await until("upstream let go", () => gone > 0).catch(() => {});
  const took = gone === 0 ? Infinity : gone - left;
  return {
    lines: [
      `a client that stops reading: ${(held / MIB).toFixed(1)} MiB of 256 were taken from the upstream, ${
        more.toFixed(0)
      } MiB more memory; ` +
      `let go ${took} ms after the client went`,
    ],
    failures: [
      ...(held > 64 * MIB ? [`a client that stops reading: ${held} bytes were taken from the upstream`] : []),
      ...(more > 80 ? [`a client that stops reading: ${more.toFixed(0)} MiB more memory`] : []),
      ...(took > 1_000
        ? [`a client that stopped reading and went: its upstream was held for ${took} ms`]
        : []),
    ],
  };
}
