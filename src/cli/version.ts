/** `callmend version`: which version this is, and what it runs on. */
import process from "node:process";
import { build, version } from "../version.ts";
import { command, type MakeCommand } from "./command.ts";

export const makeVersion: MakeCommand = (context) =>
  command("version", "print the version", ["callmend version --json"])
    .option(
      "--json",
      "print an object: version, commit and build time (null when it runs from its sources), runtime, os, arch",
    )
    .action((options: { json?: boolean }) => {
      const { commit = null, built = null } = build() ?? {};
      const { platform: os, arch } = process;
      const facts = { version, commit, built, runtime: runtime(), os, arch, platform: `${os}-${arch}` };
      context.print(options.json ? JSON.stringify(facts) : version);
    });

function runtime(): string {
  const { bun, deno, node = "" } = process.versions as { [name: string]: string | undefined };
  return bun ? `bun ${bun}` : deno ? `deno ${deno}` : `node ${node}`;
}
