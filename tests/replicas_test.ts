/**
 * Two replicas of the executable behind nginx, under load, with one stopped and one killed: what a rolling update and
 * a lost machine do to clients. `deno task test:replicas`; without its variable REPLICAS there is nothing to test.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";
import { httpUpstream, open, type Program, replyOf, responseTo, spawned, until } from "./_servers.ts";
import { test } from "./_test.ts";

const executable = process.env["REPLICAS"] && resolve(process.env["REPLICAS"]);

/** Clients that ask all the time, each with a key of its own. */
const CLIENTS = 40;
const PIECES = 20;
const PIECE_MS = 10;

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(servers.map(async (server) => {
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    return (server.address() as AddressInfo).port;
  }));
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}

/** A model server that takes its time over a call, in the markup of Hermes. */
function modelServer() {
  return httpUpstream((request, response) => {
    let body = "";
    request.on("data", (bytes) => body += bytes).on("end", async () => {
      const { user } = JSON.parse(body) as { user: string };
      const text = `<tool_call>{"name": "say", "arguments": {"text": "${
        `${user} `.repeat(PIECES)
      }"}}</tool_call>`;
      const size = Math.ceil(text.length / PIECES);
      response.writeHead(200, { "content-type": "text/event-stream" });
      const send = (delta: object, finish_reason: string | null) =>
        response.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason }] })}\n\n`);
      for (let at = 0; at < text.length && !response.destroyed; at += size) {
        send({ content: text.slice(at, at + size) }, null);
        await new Promise((done) => setTimeout(done, PIECE_MS));
      }
      send({}, "stop");
      response.end("data: [DONE]\n\n");
    });
  });
}

/** As in the README: each key stays with one replica while that one answers. */
function nginxConfig(folder: string, port: number, replicas: readonly number[]): string {
  const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) =>
    `${name}_temp_path ${folder}/${name};`
  );
  return `
daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log; worker_processes 1;
events { worker_connections 1024; }
http {
  access_log off; ${paths.join(" ")}
  upstream callmend {
    hash $http_authorization consistent;
    ${replicas.map((replica) => `server 127.0.0.1:${replica} max_fails=1 fail_timeout=1s;`).join("\n    ")}
  }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://callmend;
      proxy_http_version 1.1;
      proxy_read_timeout 600s;
      client_max_body_size 64m;
      add_header x-replica $upstream_addr always;
    }
  }
}`;
}

/** What came of one request. */
interface Outcome {
  readonly begun: number;
  /** The replica that answered, by port; the last one, when nginx had to ask two. */
  readonly replica: number;
  /** The call arrived as it was meant; the answer ended early, in a way that clients see; or anything else. */
  readonly result: "whole" | "cut" | string;
}

async function once(port: number, client: string): Promise<Outcome> {
  const begun = Date.now();
  const request = open(port, "/v1/chat/completions", {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${client}` },
  });
  const tools = [{ type: "function", function: { name: "say", parameters: { type: "object" } } }];
  request.end(JSON.stringify({ model: "m", user: client, stream: true, messages: [], tools }));
  try {
    const { status, headers, body, broken } = await replyOf(await responseTo(request));
    const replica = Number(/:(\d+)$/.exec(headers.find((line) => line.startsWith("x-replica")) ?? "")?.[1]);
    const text = body.toString();
    if (broken) return { begun, replica, result: "cut" };
    if (status === 502) return { begun, replica, result: "cut" }; // before the answer had begun
    if (status !== 200) return { begun, replica, result: `status ${status}: ${text}` };
    const calls = [...text.matchAll(/^data: (\{.*)$/gm)].map(([, json]) =>
      JSON.parse(json!).choices[0].delta
    );
    const written = calls.map((delta) => delta.tool_calls?.[0].function?.arguments ?? "").join("");
    const right = written === JSON.stringify({ text: `${client} `.repeat(PIECES) }) ||
      JSON.parse(written).text === `${client} `.repeat(PIECES);
    return {
      begun,
      replica,
      result: right && text.endsWith("data: [DONE]\n\n") ? "whole" : `wrong: ${text}`,
    };
  } catch (error) {
    return { begun, replica: NaN, result: (error as Error).message };
  }
}

/** All clients ask again and again until `during` is over. */
async function load(port: number, during: () => Promise<void>): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  let going = true;
  const clients = Array.from({ length: CLIENTS }, async (_, n) => {
    while (going) outcomes.push(await once(port, `client-${n}`));
  });
  await during();
  going = false;
  await Promise.all(clients);
  return outcomes;
}

const seconds = (count: number) => new Promise<void>((done) => setTimeout(done, count * 1000));
const notWhole = (outcomes: readonly Outcome[]) => outcomes.filter(({ result }) => result !== "whole");

async function replicas(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "callmend-nginx-"));
  try {
    await using upstream = await modelServer();
    const [port = 0, first = 0, second = 0] = await freePorts(3);
    const flags = ["--upstream", `http://127.0.0.1:${upstream.port}/v1`, "--port"];
    const start = async (replica: number): Promise<Program> => {
      const program = spawned(executable!, [...flags, String(replica)], { env: {} });
      assert.equal(await program.port(), replica, program.err());
      return program;
    };
    writeFileSync(join(folder, "nginx.conf"), nginxConfig(folder, port, [first, second]));
    await using one = await start(first);
    await using two = await start(second);
    const given = ["-c", join(folder, "nginx.conf"), "-e", join(folder, "error.log")];
    await using _nginx = spawned("nginx", given, { env: { PATH: process.env.PATH ?? "" } });
    let up = false;
    await until("nginx answers", () => {
      void once(port, "probe").then(({ result }) => up ||= result === "whole");
      return up;
    });

    const calm = await load(port, () => seconds(2));
    assert.deepEqual(notWhole(calm), []);
    assert.deepEqual(new Set(calm.map(({ replica }) => replica)), new Set([first, second]));

    // A rolling update: the first one is told to stop, and comes back.
    const stopped = await load(port, async () => {
      await seconds(1);
      one.signal("SIGTERM");
      assert.equal(await one.code, 0, one.err());
      await seconds(1);
    });
    assert.deepEqual(notWhole(stopped), [], "a replica that drains is not noticed");
    await using again = await start(first);
    await seconds(1.5);

    // A lost machine: the second one is killed.
    let killed = 0;
    const lost = await load(port, async () => {
      await seconds(1);
      await two[Symbol.asyncDispose]();
      killed = Date.now();
      await seconds(2);
    });
    const cut = notWhole(lost);
    assert.ok(
      cut.every(({ result, begun, replica }) => result === "cut" && begun <= killed && replica === second),
      JSON.stringify(cut),
    );
    assert.ok(cut.length > 0 && cut.length <= CLIENTS);
    assert.ok(
      lost.some(({ replica, result, begun }) => begun > killed && replica === first && result === "whole"),
    );
    assert.equal(again.err().includes("failed"), false);
    console.log(
      `${calm.length + stopped.length + lost.length} calls by ${CLIENTS} clients; drained: none noticed; ` +
        `killed: ${cut.length} answers cut off, all others whole`,
    );
  } catch (error) {
    console.log(readFileSync(join(folder, "error.log"), "utf8").slice(-2000));
    throw error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (executable) {
  if (spawnSync("nginx", ["-v"]).status === 0) test("replicas: one drained, one killed under load", replicas);
  else test("replicas: skipped, as there is no nginx", () => {});
}
