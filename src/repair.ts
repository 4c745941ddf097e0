/** Stands in for the pipeline until it lands. */
import type { Config } from "./config.ts";

export type Fetch = (request: Request) => Promise<Response>;

/** Wraps a fetch so that tool calls come out of it repaired. */
export function repair(next: Fetch, _config?: Partial<Config>): Fetch {
  return next;
}
