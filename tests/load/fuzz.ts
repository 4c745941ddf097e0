/** Sends malformed requests and malformed answers through a Callmend process, and looks at what clients get. */
import net from "node:net";
import type { AddressInfo } from "node:net";
import { tools } from "../bench/streams.ts";
import { rawUpstream } from "../_servers.ts";
import { faultLines, figuresOf, isAlive, settledSockets, startCallmend } from "./callmend.ts";
import { type BadAnswer, badAnswer } from "./malformed_answers.ts";
import { badRequest } from "./malformed_requests.ts";
import type { LoadReport } from "./load.ts";
import { inLanes, type RawReply, sendRaw } from "./raw.ts";

/** What is fuzzed, and how. */
export interface FuzzOptions {
  readonly count: number;
  readonly seed: number;
  readonly with?: string | undefined;
  /** Only this one. */
  readonly only?: number | undefined;
}

const LANES = 48;
/** An answer that has not come by then never will. */
const PATIENCE_MS = 15_000;
/** What was not whole may be waited for by Callmend as well. */
const SHORT_MS = 250;

/** Counts what was seen, and what must not be. */
class Findings {
  readonly #seen = new Map<string, number>();
  readonly #bad = new Map<string, { count: number; readonly first: string }>();

  seen(what: string): void {
    this.#seen.set(what, (this.#seen.get(what) ?? 0) + 1);
  }

  bad(what: string, example: string): void {
    const known = this.#bad.get(what);
    if (known === undefined) this.#bad.set(what, { count: 1, first: example });
    else known.count++;
  }

  /** What was seen, by how often. */
  get summary(): string {
    return [...this.#seen].sort((a, b) => b[1] - a[1]).map(([what, count]) => `${count} × ${what}`).join(
      ", ",
    );
  }

  get failures(): string[] {
    return [...this.#bad].map(([what, { count, first }]) => `${count} × ${what}, first ${first}`);
  }
}

const told = ({ status, text }: RawReply): string =>
  `${status}: ${JSON.stringify(text.slice(0, 100) + " … " + text.slice(-300))}`;

/** One run of either sort: starts Callmend in front of `upstreamPort`, and looks after it. */
async function fuzz(
  what: string,
  { count, seed, only, ...options }: FuzzOptions,
  upstreamPort: number,
  quiet: () => void | Promise<void>,
  one: (port: number, n: number, findings: Findings) => Promise<void>,
): Promise<LoadReport> {
  const upstream = `http://127.0.0.1:${upstreamPort}/v1`;
  const given = ["--port", "0", "--upstream", upstream, "--first-byte-timeout", "1", "--idle-timeout", "1"];
  await using callmend = startCallmend(options.with, ["serve", ...given, "--bridge-models", "bridge*"]);
  const port = await callmend.port();
  const { pid } = callmend;
  const idle = figuresOf(pid);
  const findings = new Findings();
  const begun = Date.now();
  await inLanes(only === undefined ? count : 1, LANES, async (n) => {
    if (isAlive(pid)) await one(port, only ?? n, findings);
  });
  const seconds = (Date.now() - begun) / 1000;
  await quiet();
  const left = await settledSockets(pid, idle.sockets) - idle.sockets;
  const alive = isAlive(pid);
  const health = alive
    ? await sendRaw(port, "GET /health HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", 5_000)
    : undefined;
  const { memoryMiB } = figuresOf(pid);
  return {
    lines: [
      `${count} ${what} in ${seconds.toFixed(1)} s, seed ${seed}: ${findings.summary}`,
      `  memory ${idle.memoryMiB.toFixed(0)} MiB before, ${
        memoryMiB.toFixed(0)
      } after; ${left} connections left`,
    ],
    failures: [
      ...findings.failures.map((failure) => `${what}, seed ${seed}: ${failure}`),
      ...faultLines(callmend.err()).slice(0, 8).map((line) => `${what}: in the log: ${line.slice(0, 600)}`),
      ...(left > 0 ? [`${what}: ${left} connections left open`] : []),
      ...(health?.status === 200
        ? []
        : [`${what}: Callmend ${alive ? "does not answer" : "has ended"}: ${callmend.err().slice(-500)}`]),
    ],
  };
}

/** Requests that no client should send, in front of an upstream that answers each of them well. */
export async function fuzzRequests(options: FuzzOptions): Promise<LoadReport> {
  const body =
    'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":"Well."},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n';
  const answer =
    `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`;
  await using upstream = await rawUpstream((socket) => socket.end(answer));
  return await fuzz("malformed requests", options, upstream.port, () => {}, async (port, n, findings) => {
    const { sort, bytes, whole } = badRequest(options.seed, n);
    const reply = await sendRaw(port, bytes, whole ? PATIENCE_MS : SHORT_MS);
    findings.seen(reply.status === 0 ? (reply.closed ? "closed" : "waited for more") : String(reply.status));
    const example = `${n} (${sort}): ${told(reply)}`;
    if (whole && reply.status === 0) {
      findings.bad(reply.closed ? "closed without an answer" : "no answer", example);
    }
    const ours = reply.status >= 500 && reply.status !== 505; // the runtime's own word for HTTP/9.9
    if (ours) findings.bad(`status ${reply.status} that the upstream did not cause`, example);
    if (reply.text.includes("internal_error")) findings.bad("internal_error", example);
  });
}

/** Answers that no server should send. */
export async function fuzzAnswers(options: FuzzOptions): Promise<LoadReport> {
  const open = new Set<net.Socket>();
  let over = false;
  const server = net.createServer((socket) => {
    if (over) return socket.destroy();
    let text = "";
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    socket.on("error", () => {}).on("data", (bytes) => {
      text += bytes.toString("latin1");
      const [, length] = /content-length: (\d+)/i.exec(text) ?? [];
      const end = text.indexOf("\r\n\r\n") + 4;
      if (end < 4 || length === undefined || text.length < end + Number(length)) return;
      const n = Number(/"user":"case-(\d+)"/.exec(text)?.[1]);
      text = "";
      send(socket, badAnswer(options.seed, n));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    return await fuzz(
      "malformed answers",
      options,
      (server.address() as AddressInfo).port,
      () => {
        over = true; // a connection may still be on its way
        open.forEach((socket) => socket.destroy()); // Callmend may keep them for the next request
      },
      async (port, n, findings) => {
        const { sort, bytes, expect } = badAnswer(options.seed, n);
        const [streams, offers, bridged] = [n % 3 !== 0, n % 5 !== 0, n % 7 === 0];
        const model = bridged ? "bridge-m" : ["m", "gemini-2.5-pro", "deepseek-v3", "claude-4"][n % 4];
        const chat = {
          model,
          user: `case-${n}`,
          stream: streams,
          messages: [{ role: "user", content: "Hi" }],
          ...(offers && { tools }),
        };
        const json = JSON.stringify(chat);
        const head =
          `POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${json.length}`;
        const reply = await sendRaw(port, `${head}\r\n\r\n${json}`, PATIENCE_MS);
        findings.seen(String(reply.status));
        const example = `${n} (${sort}): ${told(reply)}`;
        if (!reply.closed) findings.bad("no end", example);
        else if (reply.status === 0) findings.bad("closed without an answer", example);
        if (reply.status === 500 && !Buffer.from(bytes).includes("500")) findings.bad("status 500", example);
        if (reply.text.includes("internal_error")) {
          findings.bad("internal_error", example);
        }
        const whole = reply.status === 200 && isWhole(reply.text) &&
          (!streams || reply.text.includes("[DONE]"));
        if (expect === "whole" && !whole) findings.bad("a good answer did not come whole", example);
        if (expect === "broken" && streams && whole) findings.bad("cut off, and looks whole", example);
      },
    );
  } finally {
    server.close();
  }
}

/** Whether HTTP says that an answer is whole. */
function isWhole(text: string): boolean {
  if (/\r\ntransfer-encoding: chunked\r\n/i.test(text)) return text.endsWith("\r\n0\r\n\r\n");
  const length = /\r\ncontent-length: (\d+)\r\n/i.exec(text)?.[1];
  return length !== undefined && text.length === text.indexOf("\r\n\r\n") + 4 + Number(length);
}

function send(socket: net.Socket, { bytes, then }: BadAnswer): void {
  if (then === "end") socket.end(bytes);
  else if (then === "reset") socket.write(bytes, () => setTimeout(() => socket.destroy(), 20));
  else socket.write(bytes);
}
