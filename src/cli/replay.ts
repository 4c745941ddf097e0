/** `callmend replay`: captured exchanges through the present code, and what differs from then. */
import process from "node:process";
import { type Capture, type CapturedAttempt } from "../observe/capture.ts";
import { readCaptures } from "../observe/read_captures.ts";
import { type Difference, differences } from "../observe/differences.ts";
import { recorded, replay, textOf } from "../observe/replay.ts";
import { BAD_USAGE, command, type Context, type MakeCommand } from "./command.ts";

/** What the command is asked for. */
interface Options {
  readonly json?: boolean;
  readonly print?: boolean;
}

/** More differences of one exchange than these are counted, not shown. */
const MOST_SHOWN = 20;

export const makeReplay: MakeCommand = (context) =>
  command(
    "replay",
    "run captured exchanges through this version and show what differs; exit code 1 if anything does",
    [
      "callmend replay captures/20261120093000123-mwoz1f3e.json",
      "callmend replay captures/",
      "callmend replay --print bug-report/",
    ],
  )
    .argument("<files...>", "captures, bundles, or folders of captures")
    .option("--json", "print an object for each: file, id, differences")
    .option("--print", "print what the client would get now")
    .action(async (paths: readonly string[], options: Options) => {
      const all = read(paths, context);
      if (all === undefined) return;
      let differing = 0;
      for (const [n, { path, capture }] of all.entries()) {
        if (all.length > 20 && n % 100 === 99 && process.stderr.isTTY) {
          context.log(`${n + 1} of ${all.length}`);
        }
        const now = await replay(capture);
        const found = differences(recorded(capture), now, capture.attempts.map(said).join("\n"));
        if (found.length > 0) differing++;
        if (options.json) context.print(JSON.stringify({ file: path, id: capture.id, differences: found }));
        else tell(path, capture, found, context);
        if (options.print) context.print(now.answer.trimEnd());
      }
      if (!options.json) context.print(`${all.length} replayed, ${differing} differ`);
      context.exit(differing === 0 ? 0 : 1);
    });

function said({ body }: CapturedAttempt): string {
  return textOf(body);
}

function read(paths: readonly string[], context: Context): ReturnType<typeof readCaptures> | undefined {
  try {
    return paths.flatMap(readCaptures);
  } catch (error) {
    const { code, path, message } = error as Error & { readonly code?: string; readonly path?: string };
    context.log(code === "ENOENT" ? `Cannot read ${path}: there is no such file or folder.` : message);
    context.exit(BAD_USAGE);
  }
}

function tell(path: string, { truncated }: Capture, found: readonly Difference[], { print }: Context): void {
  const note = truncated ? " (too large to have been kept whole)" : "";
  print(`${path}: ${found.length === 0 ? "the same" : `${found.length} differences`}${note}`);
  for (const { path, then, now } of found.slice(0, MOST_SHOWN)) {
    print(`  ${path}`);
    print(`    then: ${shown(then)}`);
    print(`    now:  ${shown(now)}`);
  }
  if (found.length > MOST_SHOWN) print(`  and ${found.length - MOST_SHOWN} more (--json shows all)`);
}

function shown(value: unknown): string {
  const text = value === undefined ? "(nothing)" : JSON.stringify(value);
  return text.length > 200 ? `${text.slice(0, 200)}… (${text.length} characters)` : text;
}
