/** How else models spell the names of tools, where a name is part of a marker. */

/** For each name its other spellings that mean no other one (rule 6): in case, and in what joins its words. */
export function spellingsOf(names: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const own = new Map(names.map((name) => [name, new Set(waysOf(name))]));
  const meant = new Map<string, number>(); // by how many names
  for (const way of [...own.values()].flatMap((ways) => [...ways])) meant.set(way, (meant.get(way) ?? 0) + 1);
  return new Map([...own].map(([name, ways]) => [
    name,
    [...ways].filter((way) => way !== name && meant.get(way) === 1 && !own.has(way)),
  ]));
}

function waysOf(name: string): string[] {
  const words = name.split(/[-_]|(?<=[a-z0-9])(?=[A-Z])/).filter((word) => word !== "")
    .map((word) => word.toLowerCase());
  const large = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
  return [
    name,
    name.toLowerCase(),
    name.toUpperCase(),
    name.charAt(0).toUpperCase() + name.slice(1),
    words.join("_"),
    words.join("-"),
    words.join(""),
    large,
    large.charAt(0).toLowerCase() + large.slice(1),
  ].filter((way) => /^[\w.:-]+$/.test(way));
}
