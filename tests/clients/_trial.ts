/** One run of a client: it reads a file through a model that leaks, and tells the secret word that the file holds. */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { readConfig } from "../../src/config.ts";
import { listen } from "../../src/listen.ts";
import { serveObserved } from "../_servers.ts";
import { installed, seconds } from "./_install.ts";
import { type Fault, faults, leakingModel, MARK, type Seen } from "./_leaking_model.ts";

/** Where Callmend is: nowhere, in front of the model, or inside the client. */
export type Way = "without" | "proxy" | "provider" | "plugin" | "plugin and proxy";

/** A client's run is prepared with this. */
export interface Scene {
  readonly way: Way;
  readonly baseURL: string;
  readonly home: string;
  readonly project: string;
  readonly prompt: string;
}

/** A client. */
export interface Client {
  readonly name: string;
  /** The ways in which it is tried, but for `without`. */
  readonly ways: readonly Way[];
  /** The faults that it bears by itself: without Callmend they pass as well. */
  readonly bears?: readonly string[];
  /** Writes its settings; gives the commands to run, of which the last one tells the answer. */
  prepare(scene: Scene): readonly Run[];
  /** Looks at what a run has left behind; gives what is wrong with it. */
  check?(scene: Scene): readonly string[];
}

export interface Run {
  readonly command: readonly string[];
  readonly environment?: { readonly [name: string]: string };
}

/** A model that is asked more often than this is asked without end. */
const MOST_ASKED = 12;

/** How long one run may take. */
const LIMIT_MS = 90_000;

/** Markup, or what is left of it. */
const MARKUP = /<\/?(?:tool_call|arg_key|arg_value|function|parameter)|DSML/;

const nodeFolder = join(installed("node22", "node@22"), ".bin");

/** Tries each client with each fault in each way, two at once; gives how many have not gone as they should. */
export async function tryAll(clients: readonly Client[]): Promise<number> {
  const trials = clients.flatMap((client) =>
    faults.flatMap((fault) =>
      (["without", ...client.ways] as const).map((way) => () => trial(client, fault, way))
    )
  );
  let failed = 0;
  const worker = async () => {
    for (let next = trials.shift(); next !== undefined; next = trials.shift()) {
      if (!await next()) failed++;
    }
  };
  await Promise.all([worker(), worker()]);
  return failed;
}

/** One client, one fault, one way; true when it went as it should. */
async function trial(client: Client, fault: Fault, way: Way): Promise<boolean> {
  const begin = Date.now();
  console.error(
    `       ${client.name}, ${fault.id}, ${way === "without" ? "without Callmend" : way}: running`,
  );
  const folder = mkdtempSync(join(tmpdir(), "callmend-client-"));
  const [home, project] = [join(folder, "home"), join(folder, "project")];
  for (const each of [home, join(project, ".git")]) mkdirSync(each, { recursive: true });
  const notes = join(project, "notes.txt");
  const secret = `quokka-${crypto.randomUUID().slice(0, 8)}`;
  writeFileSync(notes, `Notes of the day.\nThe secret word is ${secret}.\nNothing else.\n`);

  const seen: Seen = { asked: 0, wrong: [] };
  const model = listen({ host: "127.0.0.1", port: 0 }, leakingModel(fault, notes, seen));
  const upstream = `http://127.0.0.1:${model.port}/v1`;
  const log: string[] = [];
  const flags = { upstream, port: "0", mode: "native", drainTimeoutMs: "1" };
  const proxy = way.endsWith("proxy")
    ? serveObserved(readConfig(flags), (line) => log.push(line))
    : undefined;
  const baseURL = proxy === undefined ? upstream : `${proxy.address}/v1`;
  const prompt = `Read the file ${notes} with your tools and tell me the secret word it holds.`;

  let last = { code: null as number | null, out: "", err: "", why: "" };
  const scene = { way, baseURL, home, project, prompt };
  for (const run of client.prepare(scene)) {
    last = await runProgram(run, home, project, seen);
  }
  await proxy?.drain();
  await model.stop();

  const { code, out, err } = last;
  const wrong = [
    ...seen.wrong,
    ...(client.check?.(scene) ?? []),
    ...(last.why ? [last.why] : []),
    ...(code === 0 ? [] : [`exit code ${code}`]),
    ...(out.includes(secret) ? [] : ["no secret word"]),
    ...(out.includes(MARK) ? [] : ["the answer is not whole"]),
    ...(MARKUP.test(out) ? ["markup in the answer"] : []),
  ];
  const passed = wrong.length === 0;
  const expected = way !== "without" || (client.bears?.includes(fault.id) ?? false);
  const right = passed === expected;
  const outcome = passed ? "reads the file and tells the secret" : `fails: ${wrong.join(", ").slice(0, 160)}`;
  const word = way === "without" ? "without Callmend" : way;
  console.log(
    `${right ? "ok    " : "FAILED"} ${client.name}, ${fault.id}, ${word}: ${outcome} (${seconds(begin)})`,
  );
  if (!right) console.log([out, err, ...log].join("\n").slice(-4000).replace(/^/gm, "       | "));
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  return right;
}

/** Runs a program with nothing of this machine's settings, until it ends, or asks without end. */
function runProgram(
  { command: [program, ...given], environment }: Run,
  home: string,
  project: string,
  seen: Seen,
) {
  const child = spawn(program!, given, {
    cwd: project,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true, // a group of its own, which can be ended as a whole
    env: {
      PATH: `${nodeFolder}:/usr/local/bin:/usr/bin:/bin`,
      HOME: home,
      XDG_CONFIG_HOME: join(home, ".config"),
      XDG_DATA_HOME: join(home, ".local/share"),
      XDG_CACHE_HOME: join(home, ".cache"),
      XDG_STATE_HOME: join(home, ".local/state"),
      TMPDIR: tmpdir(),
      LANG: "C.UTF-8",
      TERM: "dumb",
      NO_COLOR: "1",
      // Nothing but this machine can be reached.
      npm_config_offline: "true",
      npm_config_fetch_retries: "0",
      ...environment,
    },
  });
  let [out, err, why] = ["", "", ""];
  child.stdout.on("data", (bytes) => out += bytes);
  child.stderr.on("data", (bytes) => err += bytes);
  const begin = Date.now();
  const end = () => {
    try {
      process.kill(-child.pid!, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  };
  const watch = setInterval(() => {
    if (seen.asked > MOST_ASKED) why = "asks without end";
    else if (Date.now() - begin > LIMIT_MS) why = `still running after ${LIMIT_MS / 1000} s`;
    if (why !== "") end();
  }, 200);
  return new Promise<{ code: number | null; out: string; err: string; why: string }>((resolve) => {
    // Helpers that it leaves behind may hold its output open.
    child.on("exit", (code) => {
      clearInterval(watch);
      setTimeout(() => {
        end();
        resolve({ code, out, err, why });
      }, 100);
    });
    child.on("error", (error) => resolve({ code: null, out, err, why: String(error) }));
  });
}
