/** The end of the start: from here on code may well run more than once. */

/** What of Bun is used here; its types are not at hand under Deno. */
interface Bun {
  readonly unsafe?: { setJITPolicy?(scale: number): void };
}

/**
 * Executables made with Bun begin with a compiler that is slow to act (`--compile-jit-policy`), which saves time and
 * memory; this makes it act as usual. Under other runtimes, and older ones, nothing happens.
 * See https://bun.com/reference/bun/unsafe/setJITPolicy
 */
export function startIsOver(): void {
  (globalThis as { readonly Bun?: Bun }).Bun?.unsafe?.setJITPolicy?.(1);
}
