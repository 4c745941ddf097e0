/** `callmend dialects`: every way of writing calls that this version reads. */
import { dialects } from "../dialects/mod.ts";
import { openersOf } from "../dialects/describe.ts";
import { command, type MakeCommand } from "./command.ts";
import counts from "./vector_counts.json" with { type: "json" };

export const makeDialects: MakeCommand = (context) =>
  command("dialects", "list the dialects that are read, all at once", [
    "callmend dialects",
    "callmend dialects --json",
  ])
    .option("--json", "print a list of objects")
    .action((options: { json?: boolean }) => {
      const rows = dialects.map((dialect) => ({
        id: dialect.id,
        models: dialect.models,
        markers: openersOf(dialect),
        aka: dialect.aka,
        vectors: (counts as { [id: string]: number })[dialect.id] ?? 0,
      }));
      if (options.json) return context.print(JSON.stringify(rows, null, 2));
      for (const { id, models, markers, aka, vectors } of rows) {
        context.print(`${id}  (${vectors} vectors)`);
        context.print(`    written by       ${models}`);
        context.print(`    opens with       ${markers.join("  ")}`);
        if (aka.length > 0) context.print(`    known elsewhere  ${aka.join(", ")}`);
      }
    });
