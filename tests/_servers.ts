/** Real upstreams, proxies, clients and processes for the tests of the doors. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import http from "node:http";
import net, { type AddressInfo } from "node:net";
import process from "node:process";
import { fileURLToPath } from "node:url";
import manifest from "../deno.json" with { type: "json" };
import { type Config, readConfig, type Texts } from "../src/config.ts";
import { readConfigFile } from "../src/config/config_file.ts";
import { createHandler } from "../src/handler.ts";
import { createObservation } from "../src/observe/observation.ts";
import { type Running, serve } from "../src/server.ts";

/** A server of a test; goes away at the end of the block that declares it with `await using`. */
export interface TestServer extends AsyncDisposable {
  readonly port: number;
  /** How many connections it has taken so far. */
  connections(): number;
}

async function started(server: net.Server): Promise<TestServer> {
  const open = new Set<net.Socket>();
  let count = 0;
  server.on("connection", (socket) => {
    count++;
    open.add(socket);
    socket.on("close", () => open.delete(socket)).on("error", () => {}); // tests break connections on purpose
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => count,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      open.forEach((socket) => socket.destroy());
      await closed;
    },
  };
}

/** An upstream that speaks HTTP. */
export function httpUpstream(answer: http.RequestListener): Promise<TestServer> {
  return started(http.createServer(answer));
}

/** An upstream that answers the nth request head on a connection with whatever bytes the test likes. */
export function rawUpstream(answer: (socket: net.Socket, nth: number) => void): Promise<TestServer> {
  return started(net.createServer((socket) => {
    let nth = 0;
    socket.on("data", (bytes) => bytes.includes("\r\n\r\n") && answer(socket, nth++));
  }));
}

/** The proxy as the program runs it, with its log in text. */
export function serveObserved(config: Config, write: (line: string) => void): Running {
  return serve(config, {
    log: { style: () => "text", write },
    open: (config, log) =>
      Promise.resolve(createHandler({ config, observation: createObservation(config, { log }) })),
  });
}

/** The proxy in front of an upstream, in this process. */
export function proxyTo(
  upstream: { readonly port: number } | string,
  flags: Texts = {},
): Running & AsyncDisposable & { readonly lines: readonly string[] } {
  const address = typeof upstream === "string" ? upstream : `http://127.0.0.1:${upstream.port}/v1`;
  const lines: string[] = [];
  const config = readConfig({ upstream: address, port: "0", drainTimeoutMs: "1", ...flags });
  const running = serveObserved(config, (line) => lines.push(line));
  return { ...running, lines, [Symbol.asyncDispose]: async () => void await running.drain() };
}

/** The proxy with a configuration file, in this process. */
export function proxyWith(
  file: object,
  flags: Texts = {},
): Running & AsyncDisposable & { readonly lines: readonly string[] } {
  const lines: string[] = [];
  const given = { port: "0", drainTimeoutMs: "1", ...flags };
  const config = configOf(file, given);
  const running = serveObserved(config, (line) => lines.push(line));
  return { ...running, lines, [Symbol.asyncDispose]: async () => void await running.drain() };
}

/** The configuration that a file with this in it makes. */
export function configOf(file: object, flags: Texts = {}): Config {
  return readConfig(flags, {}, readConfigFile("callmend.jsonc", JSON.stringify(file), {}));
}

/** An HTTP message, as it came over the wire. */
export interface Reply {
  readonly status: number;
  /** The header lines, names in lower case. */
  readonly headers: readonly string[];
  readonly body: Buffer;
  /** The connection was closed before the body was whole. */
  readonly broken: boolean;
}

/** A request for `ask`; what is not said is a plain GET. */
export interface Ask {
  readonly method?: string;
  readonly headers?: http.OutgoingHttpHeaders;
  readonly body?: string | Buffer;
}

/** Asks over a connection of its own and reads the reply to its end. */
export async function ask(port: number, path: string, { method, headers, body }: Ask = {}): Promise<Reply> {
  const request = open(port, path, { method: method ?? (body === undefined ? "GET" : "POST"), headers });
  request.end(body);
  return await replyOf(await responseTo(request));
}

/** Begins a request; the caller sends its body and ends it. */
export function open(port: number, path: string, options: http.RequestOptions): http.ClientRequest {
  return http.request({ host: "127.0.0.1", port, path, agent: false, ...options });
}

/** Waits for the head of a reply. */
export function responseTo(request: http.ClientRequest): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => request.on("response", resolve).on("error", reject));
}

/** Reads a reply to its end, whole or not. */
export async function replyOf(response: http.IncomingMessage): Promise<Reply> {
  const pieces: Buffer[] = [];
  response.on("data", (bytes) => pieces.push(bytes));
  await new Promise<void>((resolve) => response.on("error", () => resolve()).on("close", resolve));
  const headers: string[] = [];
  for (let n = 0; n < response.rawHeaders.length; n += 2) {
    headers.push(`${response.rawHeaders[n]!.toLowerCase()}: ${response.rawHeaders[n + 1]}`);
  }
  return {
    status: response.statusCode ?? 0,
    headers,
    body: Buffer.concat(pieces),
    broken: !response.complete,
  };
}

/** Sends bytes as they are and reads the connection to its end. */
export function askRaw(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1", () => socket.write(text));
    let received = "";
    socket.on("data", (bytes) => received += bytes.toString("latin1"))
      .on("error", () => {}).on("close", () => resolve(received));
  });
}

/** Waits until something holds; fails with `what` when it does not come about. */
export async function until(what: string, holds: () => boolean, limitMs = 20_000): Promise<void> {
  for (const start = Date.now(); !holds();) {
    assert.ok(Date.now() - start < limitMs, `never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A message of an error in OpenAI's shape; fails when the reply is no such error. */
export function errorOf(reply: Reply, status: number, code: string): string {
  const shown = reply.body.toString();
  assert.equal(reply.status, status, shown);
  const { error } = JSON.parse(shown);
  assert.equal(error.code, code);
  assert.equal(error.param, null);
  assert.equal(typeof error.type, "string");
  return error.message;
}

/** The program as a process of its own. */
export interface Program extends AsyncDisposable {
  readonly pid: number;
  /** Sends it a signal. */
  signal(name: "SIGTERM" | "SIGINT" | "SIGHUP"): void;
  out(): string;
  err(): string;
  /** The exit code, once it has ended and all it wrote has been read. */
  readonly code: Promise<number | null>;
  /** The port that it printed. */
  port(): Promise<number>;
}

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));

/**
 * Runs the program as a task does (`start` when not said), with no more permissions; under Bun as Bun does.
 * `input` is what it reads on standard input, `cwd` the folder that it runs in.
 */
export function program(
  given: readonly string[],
  environment: { [name: string]: string } = {},
  { task: name = "start", input, cwd }: { task?: "start" | "callmend"; input?: string; cwd?: string } = {},
): Program {
  const env = { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "", NO_COLOR: "1", ...environment };
  const rest = { ...(cwd !== undefined && { cwd }), ...(input !== undefined && { input }) };
  const [file, ...words] = commandOf(given, name);
  return spawned(file, words, { env, ...rest });
}

/** The command line of the program, as a task runs it. */
export function commandOf(
  given: readonly string[],
  name: "start" | "callmend",
): [file: string, ...words: string[]] {
  const [, ...task] = manifest.tasks[name].command.replace(/^.*(?=deno run )/, "").split(" ");
  const runtime = "Bun" in globalThis ? [main] : [...task.slice(0, -1), main];
  return [process.execPath, ...runtime, ...given];
}

/** How a program is started; its environment is all that is said here. */
export interface Start {
  readonly env: { [name: string]: string };
  readonly cwd?: string;
  readonly input?: string;
}

/** Runs any file as the program. */
export function spawned(file: string, given: readonly string[], { env, cwd, input }: Start): Program {
  const child = spawn(file, given, {
    env,
    ...(cwd !== undefined && { cwd }),
    stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
  });
  child.stdin?.end(input);
  let [out, err] = ["", ""];
  child.stdout!.on("data", (bytes) => out += bytes);
  child.stderr!.on("data", (bytes) => err += bytes);
  const code = new Promise<number | null>((resolve) => child.on("close", resolve));
  return {
    pid: child.pid!,
    // Deno's child.kill() takes whatever ends the process afterwards for death by that signal.
    signal: (name) => void process.kill(child.pid!, name),
    out: () => out,
    err: () => err,
    code,
    async port() {
      await until(
        `a port is printed\n${err}`,
        () => /listening on \S+:\d+/.test(out) || child.exitCode !== null,
      );
      return Number(/listening on \S+:(\d+)/.exec(out)?.[1]);
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await code;
    },
  };
}
