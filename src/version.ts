/** The version of Callmend; it stands in deno.json and nowhere else. */
import manifest from "../deno.json" with { type: "json" };

export const version: string = manifest.version;
