/** The model server under load, a process of its own: paces its answers, cuts some, and counts what is open. */
import http from "node:http";
import type { AddressInfo } from "node:net";
import { kinds, NAME, type Order, STAMP } from "./mix.ts";

/** What `/control` tells. */
export interface ModelReport {
  /** Answers that have not ended. */
  readonly open: readonly string[];
  /** When the connection of an answer was closed before its end, by the stream's name. */
  readonly closed: { readonly [name: string]: number };
  readonly asked: number;
}

/** Its clock, in milliseconds. */
const now = (): number => performance.timeOrigin + performance.now();

/** An answer under way. */
interface Answering {
  readonly order: Order;
  readonly response: http.ServerResponse;
  readonly pieces: readonly string[];
  readonly perTick: number;
  /** Behind so many pieces the connection is cut, or nothing more is said. */
  readonly end: number;
  at: number;
  carry: Uint8Array;
  due: number;
}

const encoder = new TextEncoder();
const running = new Set<Answering>();
const open = new Map<http.ServerResponse, Answering>();
const closed: { [name: string]: number } = {};
let asked = 0;

function begin(order: Order, response: http.ServerResponse): void {
  const { pieces, perTick, stream } = kinds.find(({ name }) => name === order.kind)!;
  asked++;
  response.on("close", () => {
    open.delete(response);
    if (!response.writableFinished) closed[order.name] = now();
  });
  response.writeHead(200, { "content-type": stream ? "text/event-stream" : "application/json" });
  response.flushHeaders();
  const end = order.fate === "cut" || order.fate === "stall" ? Math.floor(pieces.length * 0.6) : Infinity;
  const one = { order, response, pieces, perTick, end, at: 0, carry: new Uint8Array(), due: now() };
  running.add(one);
  open.set(response, one);
}

/** The next pieces of an answer; true when it says nothing more. */
function tick(one: Answering): boolean {
  const { order, response, pieces, perTick, end } = one;
  if (response.destroyed) return true;
  if (response.writableNeedDrain) return false; // whoever reads slowly slows us down
  const to = Math.min(one.at + (order.intervalMs === 0 ? 50 : perTick), pieces.length, end);
  const stamp = order.torn ? "t=000000000000000;" : `t=${now().toFixed(1).padStart(15, "0")};`;
  const text = pieces.slice(one.at, to).join("").replaceAll(STAMP, stamp).replaceAll(NAME, `#${order.name};`);
  one.at = to;
  one.due += order.intervalMs;
  const last = to === pieces.length;
  const bytes = encoder.encode(text);
  if (order.torn && !last && bytes.length > 9) {
    const all = Buffer.concat([one.carry, bytes]);
    response.write(all.subarray(0, -9)); // in the middle of an event, at times of a character
    one.carry = all.subarray(-9);
  } else {
    response.write(Buffer.concat([one.carry, bytes]));
    one.carry = new Uint8Array();
  }
  if (last) response.end();
  else if (to >= end && order.fate === "cut") response.socket?.destroy();
  return last || to >= end;
}

setInterval(() => {
  const time = now();
  for (const one of running) {
    if (one.due <= time && tick(one)) running.delete(one);
  }
}, 2);

function told({ order: { name, kind, fate }, at, pieces, response }: Answering): string {
  return `${name} (${kind}, ${fate}) at ${at} of ${pieces.length}${
    response.writableNeedDrain ? ", not read" : ""
  }`;
}

const server = http.createServer((request, response) => {
  if (request.url === "/clock") return void response.end(String(now()));
  if (request.url === "/control") {
    const report: ModelReport = { open: [...open.values()].map(told), closed, asked };
    return void response.end(JSON.stringify(report));
  }
  const pieces: Uint8Array[] = [];
  request.on("data", (bytes) => pieces.push(bytes)).on("end", () => {
    const { user } = JSON.parse(Buffer.concat(pieces).toString()) as { user: string };
    begin(JSON.parse(user) as Order, response);
  }).on("error", () => {});
});
server.keepAliveTimeout = 1_000; // what nobody uses is closed soon: then it shows what was left open
server.listen(0, "127.0.0.1", 4096, () => {
  console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
