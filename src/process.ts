/** The process that this runs in. Importing node:process takes Bun a tenth of the start; all runtimes have it at hand. */
export const { process } = globalThis;
