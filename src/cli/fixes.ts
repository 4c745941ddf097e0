/** `callmend fixes`: every vendor fix, what it is for, and whether it is on. */
import { fixes } from "../fixes/mod.ts";
import { command, type MakeCommand } from "./command.ts";

export const makeFixes: MakeCommand = (context) =>
  command("fixes", "list the vendor fixes: each works where its model or server is meant", [
    "callmend fixes",
    "callmend fixes --json",
  ])
    .option("--json", "print a list of objects with id, why, ref, symptoms and on")
    .action((options: { json?: boolean }) => {
      const rows = fixes.map(({ id, why, ref, symptoms, off }) => ({
        id,
        why,
        ref,
        symptoms,
        on: off !== true,
      }));
      if (options.json) return context.print(JSON.stringify(rows, null, 2));
      for (const { id, why, on } of rows) {
        context.print(`${id}${on ? "" : " (off: --enable-fix)"}\n    ${why}`);
      }
    });
