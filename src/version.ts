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

/** What `.ci/compile.ts` has put in front of the program; undefined when it runs from its sources. */
export const build: Build | undefined = (globalThis as { callmendBuild?: Build }).callmendBuild;
