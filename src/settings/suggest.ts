/** The word that was meant by one that is misspelled. */

/** The nearest of `words`; undefined when none is near enough to be meant. */
export function suggestion(word: string, words: readonly string[]): string | undefined {
  const plain = (text: string) => text.toLowerCase().replace(/[-_\s]/g, "");
  const near = words.map((known) => ({ known, steps: distance(plain(word), plain(known)) }))
    .filter(({ known, steps }) => steps <= Math.max(1, Math.floor(known.length / 3)))
    .sort((one, other) => one.steps - other.steps);
  return near[0]?.known;
}

/** How many letters have to be put in, taken out, changed, or swapped with their neighbour. */
function distance(one: string, other: string): number {
  let [before, row] = [[] as number[], Array.from({ length: other.length + 1 }, (_, n) => n)];
  for (let n = 1; n <= one.length; n++) {
    const next = [n];
    for (let m = 1; m <= other.length; m++) {
      const change = row[m - 1]! + (one[n - 1] === other[m - 1] ? 0 : 1);
      const swapped = n > 1 && m > 1 && one[n - 1] === other[m - 2] && one[n - 2] === other[m - 1];
      next.push(Math.min(change, row[m]! + 1, next[m - 1]! + 1, swapped ? before[m - 2]! + 1 : Infinity));
    }
    [before, row] = [row, next];
  }
  return row[other.length]!;
}
