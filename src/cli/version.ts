/** `callmend version`: which version this is, and what it runs on. */
import process from "node:process";
import { build, version } from "../version.ts";
import { command, type MakeCommand } from "./command.ts";

export const makeVersion: MakeCommand = (context) =>
  command("version", "print the version", ["callmend version --json"])
    .option(
      "--json",
      "print an object: version, runtime and platform; of an executable, commit and build time too",
    )
    .action((options: { json?: boolean }) => {
      const { bun, deno, node = "" } = process.versions as { [name: string]: string | undefined };
      const runtime = bun ? `bun ${bun}` : deno ? `deno ${deno}` : `node ${node}`;
      const platform = `${process.platform}-${process.arch}`;
      context.print(options.json ? JSON.stringify({ version, ...build, runtime, platform }) : version);
    });
