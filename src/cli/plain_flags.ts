/** The flags of a plain start of the proxy, read without Commander, which takes as long to load as the rest. */
import process from "node:process";
import type { Texts } from "../settings/setting.ts";
import { settingRows } from "../settings/settings.ts";

/** Loaded when there are words to read: most start with variables or a file, or with nothing at all. */
const util = () => process.getBuiltinModule("node:util");

/**
 * The flags by setting's name, when the words start the proxy and no more; undefined when they are a command, ask for
 * help, or have a mistake in them, which is for Commander to tell about.
 */
export function plainFlags(words: readonly string[]): Texts | undefined {
  const args = words[0] === "serve" ? words.slice(1) : [...words];
  if (args.length === 0) return {};
  const options = Object.fromEntries(settingRows.map(([, { flag, placeholder, repeatable = false }]) => [
    flag.slice(2),
    { type: placeholder === "" ? "boolean" as const : "string" as const, multiple: repeatable },
  ]));
  try {
    const { values } = util().parseArgs({ args, options });
    return Object.fromEntries(
      settingRows.map(([name, { flag }]) => [name, values[flag.slice(2)]?.toString()]),
    );
  } catch {
    return undefined;
  }
}
