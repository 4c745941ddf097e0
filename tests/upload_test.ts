/** Uploads that do not come to their end: whoever goes away in the middle of one leaves nothing behind. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import net from "node:net";
import process from "node:process";
import { proxyTo, proxyWith, rawUpstream, until } from "./_servers.ts";
import { test } from "./_test.ts";

const HEAD = (path: string, how = "content-length: 9000") =>
  `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n${how}\r\n\r\n`;

/** Connections to a port of ours that the other side has closed, or that are open. */
function connectionsTo(port: number): number {
  const hex = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return readFileSync("/proc/net/tcp", "utf8").split("\n").map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => local?.endsWith(hex) && (state === "01" || state === "08")).length;
}

/** Sends a part of an upload, waits for an answer, and goes away. */
function goAway(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = net.connect(port, "127.0.0.1", () => socket.write(bytes));
    socket.on("data", (more) => {
      if (text === "") setTimeout(() => socket.destroy(), 20);
      text += more;
    }).on("error", reject).on("close", () => resolve(text));
  });
}

async function leavesNothing(
  server: { readonly port: number },
  bytes: string,
  answer: RegExp,
): Promise<void> {
  const texts = await Promise.all(Array.from({ length: 4 }, () => goAway(server.port, bytes)));
  for (const text of texts) assert.match(text, answer);
  if (process.platform !== "linux") return; // where the system does not tell, that they were answered has to do
  await until("its connections are closed", () => connectionsTo(server.port) === 0);
}

test("a client that goes away in the middle of an upload leaves no connection behind", async () => {
  const said =
    "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n4\r\nsaid\r\n0\r\n\r\n";
  await using upstream = await rawUpstream((socket) => void socket.write(said));
  await using proxy = proxyTo(upstream);
  const answered = /^HTTP\/1\.1 200 [^]*said/;
  await leavesNothing(proxy, `${HEAD("/v1/files")}${"x".repeat(900)}`, answered);
  await leavesNothing(proxy, `${HEAD("/v1/files", "transfer-encoding: chunked")}4\r\nabcd\r\n`, answered);
});

test("nor does one whose upload nobody reads", async () => {
  await using upstream = await rawUpstream(() => {});
  const upstreams = [{ name: "one", baseUrl: `http://127.0.0.1:${upstream.port}/v1` }];
  await using proxy = proxyWith({ upstreams, auth: { keys: ["client-key"] } });
  await leavesNothing(proxy, `${HEAD("/v1/files")}${"x".repeat(900)}`, /^HTTP\/1\.1 401 /);
  await leavesNothing(proxy, `${HEAD("/health")}${"x".repeat(900)}`, /^HTTP\/1\.1 \d+ /);
});
