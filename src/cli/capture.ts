/** `callmend capture list|export`: the exchanges that the running server keeps; one of them as a bundle. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Capture, CaptureSummary } from "../observe/capture.ts";
import { captureIn, readCaptures } from "../observe/read_captures.ts";
import { bundleOf } from "../observe/fixture.ts";
import { countsOf } from "../observe/exchange_log.ts";
import { Refused, shownAddress } from "../settings/setting.ts";
import { address } from "../settings/setting_values.ts";
import { BAD_USAGE, command, type Context, type MakeCommand } from "./command.ts";
import { localGet } from "./local_get.ts";
import { serverAddress } from "./server_address.ts";

const FROM_MEANS = "the server (default: where the settings in force here say that it listens)";

const KEY_MEANS = "one of the server's client keys, if it is on another machine";

interface Options {
  readonly from?: string;
  readonly key?: string;
  readonly to?: string;
  readonly json?: boolean;
}

export const makeCapture: MakeCommand = (context) => {
  const made = command(
    "capture",
    "show the exchanges that a running server keeps, and make bug reports of them",
    [
      "callmend capture list",
      "callmend capture export mwoz1f3e4a9c01d2 --to bug-report",
    ],
  );
  made.addCommand(
    command("list", "list them, the newest first", ["callmend capture list --from http://127.0.0.1:9000"])
      .option("--from <address>", FROM_MEANS)
      .option("--key <key>", KEY_MEANS)
      .option("--json", "print the list as JSON")
      .action((options: Options) => guarded(context, () => list(options, context))),
  );
  made.addCommand(
    command("export", "write one as a folder: a bug report, a fixture, and what `callmend replay` reads", [
      "callmend capture export mwoz1f3e4a9c01d2",
      "callmend capture export captures/20261120093000123-mwoz1f3e.json --to bug-report",
    ])
      .argument(
        "<id>",
        "the exchange's id, as the log, the page and the header x-callmend-id say it; or a file",
      )
      .option("--from <address>", FROM_MEANS)
      .option("--key <key>", KEY_MEANS)
      .option("--to <folder>", "the folder to write (default: exchange-<id>)")
      .action((id: string, options: Options) => guarded(context, () => write(id, options, context))),
  );
  return made;
};

async function list({ from, json, key }: Options, context: Context): Promise<void> {
  const { print } = context;
  const address = addressOf("exchanges", from, context);
  if (address === undefined) return;
  const { exchanges } = await get(address, key) as { exchanges?: readonly CaptureSummary[] };
  if (!Array.isArray(exchanges)) throw noCallmend(address);
  if (json) return print(JSON.stringify(exchanges, null, 2));
  if (exchanges.length === 0) return print("There are none: nothing has been asked yet, or --captures is 0.");
  for (const { id, time, model, outcome = "running", calls = 0, problems, fixes } of exchanges) {
    const noticed = [...Object.keys(problems), ...fixes].join(", ");
    print(`${id}  ${time}  ${model}  ${outcome}  ${calls} calls${noticed && `  (${noticed})`}`);
  }
}

async function write(id: string, options: Options, context: Context): Promise<void> {
  const { to } = options;
  const { print } = context;
  const there = existsSync(id);
  if (!there && /[/\\.]/.test(id)) throw new Error(`Cannot read ${id}: there is no such file or folder.`);
  const capture = there ? readCaptures(id)[0]!.capture : await fetched(id, options, context);
  if (capture === undefined) return;
  const folder = resolve(to ?? `exchange-${capture.id}`);
  if (existsSync(folder)) throw new Error(`Cannot write ${folder}: it is there already; --to names another.`);
  const files = saying(`Cannot export ${capture.id}`, () => bundleOf(capture));
  saying(`Cannot write ${folder}`, () => {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  });
  print(`${folder}: ${Object.keys(files).join(", ")}`);
  const problems = Object.keys(countsOf({ problems: capture.report?.problems ?? [] }));
  if (problems.length > 0) print(`Problems noticed: ${problems.join(", ")}`);
  print(
    "Keys are taken out. Read what the model was asked before you publish it; README.md says where to add words.",
  );
}

/** Does something; when that fails, the error says what could not be done. */
function saying<Made>(what: string, work: () => Made): Made {
  try {
    return work();
  } catch (error) {
    throw new Error(`${what}: ${(error as Error).message}`);
  }
}

/** The capture of an exchange, out of the running server. */
async function fetched(id: string, { from, key }: Options, context: Context): Promise<Capture | undefined> {
  const address = addressOf(`exchanges/${encodeURIComponent(id)}/bundle`, from, context);
  return address && captureIn(await get(address, key), address.href);
}

/** The command was given something that cannot be used. */
class UsageError extends Error {}

/** Where a server has some of what its page shows; undefined when the settings that say where it is were refused. */
function addressOf(what: string, given: string | undefined, context: Context): URL | undefined {
  const from = given ?? serverAddress({}, context);
  if (from === undefined) return undefined;
  const read = address.read(from);
  if (!(read instanceof Refused)) return new URL(`/callmend/api/${what}`, read);
  const shown = JSON.stringify(shownAddress(from));
  throw new UsageError(`Cannot use --from ${shown}: allowed: ${address.allowed}.`);
}

/** Tells what failed, and ends with 1; with 2 when it was never tried. */
async function guarded(context: Context, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    context.log((error as Error).message);
    context.exit(error instanceof UsageError ? BAD_USAGE : 1);
  }
}

/** An exchange may be large. */
const LIMIT_MS = 60_000;

async function get(url: URL, key: string | undefined): Promise<unknown> {
  const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
  const { status, body } = await localGet(url, LIMIT_MS, headers).catch((error: Error) => {
    throw new Error(
      `Cannot reach a running Callmend at ${url.origin}: ${error.message}; --from names another.`,
    );
  });
  const object = status === 200 ? objectIn(body) : undefined;
  if (object !== undefined) return object;
  if (status === 200) throw noCallmend(url);
  throw new Error(`Cannot get ${url.href}: status ${status}: ${body.slice(0, 500)}`);
}

function objectIn(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function noCallmend({ origin }: URL): Error {
  return new Error(`Cannot use what answers at ${origin}: it is not Callmend; --from names another.`);
}
