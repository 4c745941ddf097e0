/** The version of Callmend; it stands in deno.json and nowhere else. */
import manifest from "../deno.json" with { type: "json" };

export const version: string = manifest.version;

/** What an executable was made from. */
export interface Build {
  /** The commit; ends in `-dirty` when there was more than that. */
  readonly commit: string;
  /** The time, as ISO 8601 writes it. */
  readonly built: string;
}

/**
 * What `.ci/compile.ts` has put into the executable; undefined when the program runs from its sources. Looked at when it
 * is asked for: a bundler may run this file before the one that puts it there.
 */
export function build(): Build | undefined {
  return (globalThis as { callmendBuild?: Build }).callmendBuild;
}
