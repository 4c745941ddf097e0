/** Connections that say little or nothing, and Callmend killed under load. */
import net from "node:net";
import { ask, open, type Reply, replyOf, responseTo, until } from "../_servers.ts";
import { figuresOf, settledSockets, startCallmend } from "./callmend.ts";
import { type LoadReport, modelServer } from "./load.ts";
import { kinds, type Order, requestOf } from "./mix.ts";

const PATH = "/v1/chat/completions";

function order(n: number, intervalMs: number): Order {
  const streamed = kinds.filter(({ stream }) => stream);
  const name = String(n).padStart(6, "0");
  return { name, kind: streamed[n % streamed.length]!.name, fate: "whole", intervalMs, torn: false };
}

/** Clients that send a byte now and then, or nothing: the others are served as ever. */
export async function slowloris(runtime: string | undefined, each: number): Promise<LoadReport> {
  await using models = modelServer();
  await using callmend = startCallmend(runtime, [
    "serve",
    "--port",
    "0",
    "--upstream",
    `http://127.0.0.1:${await models.port()}/v1`,
  ]);
  const port = await callmend.port();
  const idle = figuresOf(callmend.pid);
  const heads = [
    "", // says nothing
    "POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\nx-slow: ", // its headers do not end
    "POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-length: 100000\r\n\r\n{", // nor does its body
    "POST /v1/embeddings HTTP/1.1\r\nhost: a\r\ncontent-length: 100000\r\n\r\n{", // which goes through
  ];
  const sockets = Array.from({ length: each * heads.length }, (_, n) => {
    const socket = net.connect(port, "127.0.0.1");
    socket.on("error", () => {}).write(heads[n % heads.length]!);
    return socket;
  });
  const drip = setInterval(
    () => sockets.forEach((socket, n) => n % heads.length > 0 && socket.write("x")),
    100,
  );
  await until("all connected", () => figuresOf(callmend.pid).sockets >= sockets.length, 5_000).catch(
    () => {},
  );
  const held = figuresOf(callmend.pid).sockets - idle.sockets;
  const times: number[] = [];
  const statuses = new Set<number>();
  for (let n = 0; n < 60; n++) {
    const begun = performance.now();
    const { status, body } = await ask(port, PATH, { body: requestOf(order(n, 0)) });
    times.push(performance.now() - begun);
    statuses.add(status === 200 && !body.toString().endsWith("data: [DONE]\n\n") ? -1 : status);
  }
  clearInterval(drip);
  sockets.forEach((socket) => socket.destroy());
  const left = await settledSockets(callmend.pid, idle.sockets + 1) - idle.sockets - 1; // one is kept to the models
  const worst = Math.max(...times);
  return {
    lines: [
      `slowloris: ${held} connections that drip or say nothing; meanwhile ${times.length} requests: ${
        [...statuses].join(", ")
      }, ` +
      `${worst.toFixed(0)} ms at most; ${Math.max(0, left)} connections left`,
    ],
    failures: [
      ...([...statuses].join() === "200" ? [] : [`slowloris: other clients got ${[...statuses].join(", ")}`]),
      ...(worst > 2_000 ? [`slowloris: another client waited for ${worst.toFixed(0)} ms`] : []),
      ...(left > 0 ? [`slowloris: ${left} connections left open`] : []),
    ],
  };
}

/** What a client saw. */
type Seen = { readonly kind: "answer"; readonly reply: Reply } | {
  readonly kind: "refused";
  readonly code: string;
};

async function see(port: number, body: string): Promise<Seen> {
  const request = open(port, PATH, { method: "POST" });
  request.end(body);
  try {
    return { kind: "answer", reply: await replyOf(await responseTo(request)) };
  } catch (error) {
    return { kind: "refused", code: String((error as { code?: string }).code ?? error) };
  }
}

/** SIGKILL under load: no stream looks whole that is not, nothing hangs, and who comes next is served at once. */
export async function killed(runtime: string | undefined, streams: number): Promise<LoadReport> {
  await using models = modelServer();
  const upstream = `http://127.0.0.1:${await models.port()}/v1`;
  const first = startCallmend(runtime, ["serve", "--port", "0", "--upstream", upstream]);
  const port = await first.port();
  let over = 0;
  const seen = Array.from(
    { length: streams },
    (_, n) => see(port, requestOf(order(n, 50))).finally(() => over++),
  );
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  await first[Symbol.asyncDispose](); // SIGKILL
  const dead = Date.now();
  const late = await see(port, requestOf(order(1, 0)));
  await until("clients told", () => over === streams).catch(() => {});
  const hung = streams - over;
  const told = Date.now() - dead;
  const begun = Date.now();
  await using second = startCallmend(runtime, ["serve", "--port", String(port), "--upstream", upstream]);
  await second.port();
  const again = await see(port, requestOf(order(2, 0)));
  const took = Date.now() - begun;
  const results = hung > 0 ? [] : await Promise.all(seen);
  const whole = results.filter((each) => each.kind === "answer" && !each.reply.broken);
  const lies = whole.filter((each) =>
    each.kind === "answer" && !each.reply.body.toString().endsWith("data: [DONE]\n\n")
  );
  const served = again.kind === "answer" && again.reply.status === 200 && !again.reply.broken;
  return {
    lines: [
      `SIGKILL under ${streams} streams: ${
        results.length - whole.length
      } broke off in a way that clients see, ${whole.length} were whole before, ` +
      `told within ${told} ms; while it is down: ${
        late.kind === "refused" ? late.code : late.reply.status
      }; started and answered again in ${took} ms`,
    ],
    failures: [
      ...(hung > 0 ? [`SIGKILL: ${hung} clients hang`] : []),
      ...(lies.length > 0 ? [`SIGKILL: ${lies.length} streams that broke off look whole`] : []),
      ...(whole.length === streams ? ["SIGKILL: no stream was under way"] : []),
      ...(late.kind === "refused" ? [] : ["SIGKILL: something still answered"]),
      ...(served ? [] : [`SIGKILL: the next one did not serve: ${JSON.stringify(again).slice(0, 300)}`]),
    ],
  };
}
