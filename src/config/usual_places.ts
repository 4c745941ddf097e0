/** Which configuration file is meant: the one that is named, or one of the usual places. */
import type { Texts } from "../settings/setting.ts";
import { settings } from "../settings/settings.ts";
import { userFolder, within } from "./user_folder.ts";

/** What the file is called where nobody has named one. */
const CONFIG_NAME = "callmend.jsonc";

/** The file that a flag or a variable names. */
export function namedFile(flags: Texts, environment: Texts): string | undefined {
  return flags.configFile ?? (environment[settings.configFile.variable]?.trim() || undefined);
}

/** Where a file is looked for when none is named; the first that is there counts. */
export function usualPlaces(): string[] {
  const folder = userFolder();
  return [CONFIG_NAME, ...(folder === undefined ? [] : [within(folder, CONFIG_NAME)])];
}

/** What of Bun is used here; its types are not at hand under Deno. */
interface Bun {
  file(path: string): { exists(): Promise<boolean> };
}

/** False when no file is named and none is there. Bun itself tells so: to load node:fs takes a tenth of its start. */
export async function mayHaveFile(flags: Texts, environment: Texts): Promise<boolean> {
  const { Bun } = globalThis as { readonly Bun?: Bun };
  if (Bun === undefined || namedFile(flags, environment) !== undefined) return true;
  const there = await Promise.all(usualPlaces().map((path) => Bun.file(path).exists().catch(() => true)));
  return there.includes(true);
}
