/** What a dialect looks like to people. */
import type { Dialect } from "../parse/dialect.ts";

/** How blocks of a dialect begin, as one would write it; forms that only recover a lost wrapper are left out. */
export function openersOf({ opens, opensFor }: Dialect): string[] {
  const openers = [...opens, ...opensFor?.([{ name: "NAME" }]) ?? []].filter(({ form }) =>
    form !== "recovered"
  );
  return [
    ...new Set(openers.flatMap(({ marker, shown }) => shown ?? (typeof marker === "string" ? marker : []))),
  ];
}
