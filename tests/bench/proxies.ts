/**
 * Callmend as a process among others, over sockets, in one run: CPU time for each million chunks, token latency, memory a
 * stream. Model server and load are this process, each proxy is one of its own. Run: `deno task bench:proxies`.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { listen } from "../../src/listen.ts";
import { countOf, model } from "./paced.ts";
import { tools } from "./streams.ts";

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    streams: { type: "string", default: "20" },
    /** The parts to run: cpu, paced, growth, length. */
    only: { type: "string", default: "cpu,paced,growth,length" },
    samples: { type: "string", default: "prose,hermes,dsml,qwen3-coder,native" },
    /** Requests of each sample that a proxy answers before it is measured: compilers need thousands to be done. */
    warm: { type: "string", default: "3000" },
    executable: { type: "string" },
  },
});
const rounds = Number(options.rounds);
const warm = Number(options.warm);
const root = fileURLToPath(new URL("../../", import.meta.url));
const executable = options.executable ?? join(root, "dist/callmend");
const bare = join(root, "tests/bench/bare.ts");
const deno = ["deno", "run", "-A", "--no-check", "--quiet"];

/** A proxy that runs. */
interface Proxy {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
  stop(): void;
}

const models = listen({ host: "127.0.0.1", port: 0 }, model);
const upstream = `http://127.0.0.1:${models.port}/v1`;
const folder = mkdtempSync(join(tmpdir(), "callmend-bench-"));

/** On the second core when there is one: the first is for the model and the load. */
const pinned = spawnSync("taskset", ["-c", "1", "true"]).status === 0 ? ["taskset", "-c", "1"] : [];

async function start(name: string, command: readonly string[], port?: number): Promise<Proxy> {
  const [program, ...given] = [...pinned, ...command];
  const child = spawn(program!, given, {
    stdio: ["ignore", "pipe", "ignore"],
    env: { ...process.env, NO_COLOR: "1" },
  });
  const found = port ?? await new Promise<number>((resolve, reject) => {
    let out = "";
    child.stdout.on("data", (bytes) => {
      const [, printed] = /listening on http:\/\/127\.0\.0\.1:(\d+)/.exec(out += bytes) ?? [];
      if (printed !== undefined) resolve(Number(printed));
    });
    child.on("close", () => reject(new Error(`${name} ended: ${out}`)));
  });
  return { name, port: found, pid: child.pid!, stop: () => void child.kill("SIGKILL") };
}

async function nginx(): Promise<Proxy | undefined> {
  const file = ["/usr/sbin/nginx", "/usr/bin/nginx"].find(existsSync);
  if (file === undefined) return undefined;
  const port = 18_000 + process.pid % 1000;
  writeFileSync(
    join(folder, "nginx.conf"),
    `daemon off; master_process off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/log;
events { worker_connections 8192; }
http {
  access_log off; client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  upstream model { server 127.0.0.1:${models.port}; keepalive 64; }
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://model; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; }
  }
}`,
  );
  const proxy = await start("nginx", [file, "-c", join(folder, "nginx.conf"), "-p", folder], port);
  await new Promise((resolve) => setTimeout(resolve, 300));
  return proxy;
}

/** CPU seconds that a process has taken. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /, "").split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function memoryOf(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) / 1024;
}

/** What one stream brought: how many bytes, and the latencies of its tokens. */
async function ask(port: number, name: string, latencies?: number[]): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: name, stream: true, messages: [], tools }),
  });
  const decoder = new TextDecoder();
  let end = "";
  for await (const bytes of response.body!) {
    const now = performance.now();
    const text = decoder.decode(bytes, { stream: true });
    end = (end + text).slice(-64);
    if (latencies === undefined) continue;
    for (const [, sent] of text.matchAll(/t=(\d+\.\d+);/g)) latencies.push(now - Number(sent));
  }
  if (!end.includes("[DONE]")) throw new Error(`a stream of ${name} is not whole: ${end}`);
}

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;
const at = (values: readonly number[], share: number) => values[Math.floor(values.length * share)] ?? NaN;

/** The first requests of fresh proxies: CPU milliseconds of each, while all is still compiled. */
async function cold(proxies: readonly Proxy[], requests: number): Promise<number[]> {
  const figures: number[] = [];
  for (const { pid, port } of proxies) {
    const before = cpuOf(pid);
    for (let n = 0; n < requests; n++) await ask(port, "burst:prose:500");
    figures.push((cpuOf(pid) - before) / requests * 1000);
  }
  return figures;
}

async function warmUp(proxies: readonly Proxy[], sample: string): Promise<void> {
  for (const { port } of proxies) {
    for (let n = 0; n < warm; n += 20) {
      await Promise.all(Array.from({ length: 20 }, () => ask(port, `burst:${sample}:500`)));
    }
  }
}

/** CPU seconds for each million chunks, medians of interleaved rounds. */
async function cpu(
  proxies: readonly Proxy[],
  name: string,
  streams: number,
  total: number,
): Promise<number[]> {
  const per = countOf(name);
  const runs = Math.max(1, Math.round(total / per / streams));
  const figures = proxies.map(() => [] as number[]);
  for (let round = -1; round < rounds; round++) {
    for (const [n, { pid, port }] of proxies.entries()) {
      const before = cpuOf(pid);
      for (let run = 0; run < runs; run++) {
        await Promise.all(Array.from({ length: streams }, () => ask(port, name)));
      }
      if (round >= 0) figures[n]!.push((cpuOf(pid) - before) / (runs * streams * per) * 1e6);
    }
  }
  return figures.map(median);
}

async function pacedRun({ port, pid }: Proxy, name: string, streams: number) {
  const latencies: number[] = [];
  const idle = memoryOf(pid), before = cpuOf(pid);
  let peak = idle;
  const watch = setInterval(() => peak = Math.max(peak, memoryOf(pid)), 200);
  await Promise.all(Array.from({ length: streams }, async (_, n) => {
    await new Promise((resolve) => setTimeout(resolve, n * 1000 / streams));
    await ask(port, name, latencies);
  }));
  clearInterval(watch);
  latencies.sort((a, b) => a - b);
  return {
    p50: at(latencies, 0.5),
    p99: at(latencies, 0.99),
    cpu: (cpuOf(pid) - before) / latencies.length * 1e6,
    memory: (peak - idle) * 1024 / streams,
  };
}

const cell = (value: number) => value.toFixed(value < 10 ? 2 : 1).padStart(8);

const started = await Promise.all([
  nginx(),
  start("Bun, bytes through", [process.execPath, bare, "bytes", upstream]),
  start("Bun, parse floor", [process.execPath, bare, "parse", upstream]),
  start("Callmend", [executable, "--port", "0", "--upstream", upstream, "--log-level", "error"]),
  start("Callmend, no captures", [
    ...[executable, "--port", "0", "--upstream", upstream, "--log-level", "error", "--captures", "0"],
  ]),
  start("Deno, bytes through", [...deno, bare, "bytes", upstream]),
  start("Callmend on Deno", [
    ...[...deno, join(root, "src/main.ts"), "--port", "0", "--upstream", upstream, "--log-level", "error"],
  ]),
]);
const proxies = started.filter((proxy) => proxy !== undefined);
const named = (name: string) => proxies.findIndex((proxy) => proxy.name === name);

try {
  const parts = options.only.split(",");
  if (parts.includes("cpu")) {
    console.log(
      `CPU seconds for each million chunks, ${options.streams} streams at once, medians of ${rounds} rounds ` +
        `behind ${warm} requests of each kind\n`,
    );
    const rows: string[][] = [];
    const samples = options.samples.split(",");
    const first = await cold(proxies, 100);
    for (const sample of samples) await warmUp(proxies, sample);
    for (const how of ["burst", "each"]) {
      for (const sample of samples) {
        const figures = await cpu(proxies, `${how}:${sample}:500`, Number(options.streams), 100_000);
        const floor = figures[named("Bun, parse floor")]!, ours = figures[named("Callmend")]!;
        rows.push([`${how}, ${sample}`.padEnd(20), ...figures.map(cell), `${(ours / floor).toFixed(2)}×`]);
      }
    }
    console.log([" ".repeat(20), ...proxies.map(({ name }) => name), "Callmend / floor"].join(" | "));
    for (const row of rows) console.log(row.join(" | "));
    console.log(["\nthe first 100 requests, ms each:", ...first.map(cell)].join(" | "));
  }
  if (parts.includes("paced")) {
    console.log(
      "\npaced, 20 tokens/s a stream: latency p50 / p99 ms, CPU s a million chunks, KB of memory a stream\n",
    );
    for (const streams of [50, 1000]) {
      for (const sample of ["prose", "call"]) {
        for (const proxy of proxies) {
          const { p50, p99, cpu, memory } = await pacedRun(proxy, `paced:${sample}:100:50`, streams);
          const what = `${streams} streams, ${sample}, ${proxy.name}`.padEnd(46);
          console.log(`${what} ${cell(p50)} /${cell(p99)} ${cell(cpu)} ${cell(memory)}`);
        }
      }
    }
  }
  if (parts.includes("growth")) {
    // How the cost grows with the length of the arguments, `deno task bench` measures without sockets.
    console.log("\ngrowth: CPU seconds for each million chunks of Callmend, one write an event\n");
    const ours = proxies.slice(named("Callmend"), named("Callmend") + 1);
    for (const streams of [1, 10, 100, 1000]) {
      const [figure] = await cpu(ours, "each:hermes:100", streams, 100_000);
      console.log(`${String(streams).padStart(5)} streams at once ${cell(figure!)}`);
    }
  }
  if (parts.includes("length")) {
    console.log(
      "\nlength: CPU microseconds of a whole request, by how many chunks its answer has, in one write\n",
    );
    const compared = ["Bun, bytes through", "Bun, parse floor", "Callmend"].map((name) =>
      proxies[named(name)]!
    );
    await warmUp(compared, "prose");
    console.log([" ".repeat(12), ...compared.map(({ name }) => name)].join(" | "));
    for (const chunks of [1, 20, 100, 500, 2000]) {
      const model = `burst:prose:${chunks}`, per = countOf(model);
      const figures = await cpu(compared, model, Number(options.streams), 2000 * per);
      console.log([`${per} chunks`.padStart(12), ...figures.map((figure) => cell(figure * per))].join(" | "));
    }
  }
} finally {
  for (const proxy of proxies) proxy.stop();
  rmSync(folder, { recursive: true, force: true });
}
process.exit(0);
