/**
 * Recorded exchanges: what the client asked and the upstream said, and what each of them got. `UPDATE=1` rewrites the
 * goldens. An exchange of several turns has a folder for each; one repairing fetch answers them all, as it remembers.
 */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { fixes } from "../src/fixes/mod.ts";
import { type Fetch, repair } from "../src/repair.ts";
import { withoutMadeUp } from "../src/observe/made_up.ts";
import { onEnd } from "../src/wire/watcher.ts";
import type { RepairConfig } from "../src/repair_config.ts";
import { joined } from "./_joined.ts";
import { test } from "./_test.ts";

// Another folder can be checked: a bundle is a fixture, and a test of bundles says so.
const elsewhere = process.env["EXCHANGES"] !== undefined;
const folder = !elsewhere
  ? new URL("../fixtures/exchanges/", import.meta.url)
  : pathToFileURL(`${process.env["EXCHANGES"]}/`);
const update = process.env["UPDATE"] === "1";
const names = readdirSync(folder).sort();

/** What `exchange.json` may say. */
interface Settings {
  /** The upstream's host, where a fix depends on it. */
  readonly upstreamHost?: string;
  readonly enabledFixes?: readonly string[];
  /** The upstream's status; 200 when not said. */
  readonly status?: number;
  /** The fixes that this exchange shows: without any one of them it comes out another way. */
  readonly shows?: readonly string[];
}

/** What both sides of one turn got. */
interface Seen {
  readonly turn: URL;
  /** What the upstream was sent, each time that it was asked. */
  readonly asked: readonly string[];
  readonly answered: string;
  /** The file that holds what the client got. */
  readonly file: string;
  readonly fixes: readonly string[];
}

for (const name of names) {
  const at = new URL(`${name}/`, folder);
  const { shows = [], status = 200, ...config } = settingsOf(at);
  test(`exchange ${name}`, async () => {
    const run = (size: number, more: Partial<RepairConfig> = {}) =>
      exchange(at, { ...config, ...more }, size, status);
    const whole = await run(Infinity);
    for (const { turn, file, asked, answered } of whole) {
      const asks = asked.map((text, n) => [`upstream${n === 0 ? "" : `-${n + 1}`}-request.json`, text]);
      for (const [golden, text] of [...asks, [file, answered]] as [string, string][]) {
        const path = new URL(golden, turn);
        if (update) writeFileSync(path, text);
        const kept = readFileSync(path, "utf8");
        // What a bundle holds of the client's answer came in reads of its own.
        if (elsewhere && golden === "client.sse") assert.deepEqual(joined(text), joined(kept), path.pathname);
        else assert.equal(text, kept, path.pathname);
      }
    }
    assert.ok(existsSync(new URL("README.md", at)), "an exchange says what it shows and where it was seen");
    for (const size of [1, 2, 3, 7, 64, 1000]) {
      assert.deepEqual(said(await run(size)), said(whole), `in reads of ${size} bytes`);
    }
    const applied = new Set(whole.flatMap((turn) => turn.fixes));
    for (const id of shows) {
      assert.ok(applied.has(id), `${id} is named`);
      const without = await run(Infinity, { disabledFixes: [id] });
      assert.notDeepEqual(texts(without), texts(whole), `without ${id} it comes out another way`);
      assert.ok(without.every((turn) => !turn.fixes.includes(id)), `${id} is off`);
    }
  });
}

if (!elsewhere) {
  test("every fix has an exchange that shows it", () => {
    const shown = new Set(names.flatMap((name) => settingsOf(new URL(`${name}/`, folder)).shows ?? []));
    assert.deepEqual(fixes.map(({ id }) => id).filter((id) => !shown.has(id)), []);
  });
}

function settingsOf(at: URL): Settings {
  const path = new URL("exchange.json", at);
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : {};
}

/** Sends each turn's request through one pipeline, whose upstream answers in reads of `size` bytes. */
async function exchange(
  at: URL,
  config: Partial<RepairConfig>,
  size: number,
  status: number,
): Promise<Seen[]> {
  const turns = readdirSync(at).filter((name) => /^\d+$/.test(name)).sort();
  let turn = at, asked: string[] = [], said = "", applied: readonly string[] = [];
  const next: Fetch = async (request) => {
    asked.push(await request.text());
    const { bytes, type } = saidIn(turn, asked.length);
    said += new TextDecoder().decode(bytes);
    return new Response(inReads(bytes, size), { status, headers: { "content-type": type } });
  };
  const fetch = repair(next, config, onEnd((report) => applied = report.fixes));
  const seen: Seen[] = [];
  for (turn of turns.length === 0 ? [at] : turns.map((name) => new URL(`${name}/`, at))) {
    [asked, said] = [[], ""];
    const body = readFileSync(new URL("request.json", turn), "utf8");
    const headers = { authorization: "Bearer key" };
    const response = await fetch(
      new Request("http://proxy/v1/chat/completions", { method: "POST", headers, body }),
    );
    const answered = withoutMadeUp(await response.text(), said, body);
    const streams = response.headers.get("content-type")?.startsWith("text/event-stream");
    seen.push({ turn, asked, answered, file: streams ? "client.sse" : "client.json", fixes: applied });
  }
  return seen;
}

/** What the upstream says when it is asked for the nth time: in a file with that number, else as the first time. */
function saidIn(turn: URL, nth: number): { bytes: Uint8Array; type: string } {
  for (const number of [`-${nth}`, ""]) {
    for (const [kind, type] of [["sse", "text/event-stream"], ["json", "application/json"]] as const) {
      const path = new URL(`upstream${number}.${kind}`, turn);
      if (existsSync(path)) return { bytes: readFileSync(path), type };
    }
  }
  throw new Error(`no upstream.sse or upstream.json in ${turn.pathname}`);
}

/** The same, however finely it was cut. */
function said(seen: readonly Seen[]): readonly unknown[] {
  return seen.flatMap(({ asked, answered }) => [...asked, ...joined(answered)]);
}

function texts(seen: readonly Seen[]): readonly string[] {
  return seen.flatMap(({ asked, answered }) => [...asked, answered]);
}

function inReads(bytes: Uint8Array, size: number): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(Uint8Array.from(bytes.subarray(at, at + size)));
      at += size;
    },
  }, { highWaterMark: 0 });
}
