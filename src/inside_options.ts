/** What a Callmend inside a client can be told, as it stands under `callmend` in the client's own configuration. */
import * as z from "zod";
import { dialects } from "./dialects/mod.ts";
import { fixes } from "./fixes/mod.ts";
import type { RepairConfig } from "./repair_config.ts";

/** For an error: what stands there, and what may. */
const cannot = (allowed: string) => ({
  error: ({ input }: { readonly input?: unknown }) =>
    `cannot use ${JSON.stringify(input)}; allowed: ${allowed}`,
});

const idsOf = (all: readonly { readonly id: string }[], command: string) => {
  const id = z.enum(
    all.map(({ id }) => id) as [string, ...string[]],
    cannot(`an id that \`${command}\` lists`),
  );
  return z.array(id, cannot(`a list of ids that \`${command}\` lists`));
};

const dialectIds = idsOf(dialects, "callmend dialects");
const fixIds = idsOf(fixes, "callmend fixes");

const schema = z.strictObject({
  mode: z.enum(["native", "bridge", "fallback"]),
  /** The protocol that a bridged model is taught. */
  protocol: z.enum(["markers", "object", "xml"]),
  /** The dialects to look for, for all models or by model; all of them when not said. */
  dialects: z.union(
    [dialectIds, z.record(z.string(), dialectIds)],
    cannot("a list of ids that `callmend dialects` lists, or such a list for each model"),
  ),
  /** Vendor fixes to switch off, or on that are off by default. */
  fixes: z.strictObject({ disable: fixIds, enable: fixIds }).partial(),
  arguments: z.enum(["stream", "whole"]),
  reasoning: z.enum(["split", "keep", "open"]),
}).partial();

/** The `callmend` object of a client's configuration. */
export type InsideOptions = z.input<typeof schema>;

/** Turns the options into settings of `repair()`. Throws an error that names what cannot be used. */
export function settingsOf(options: unknown): Partial<RepairConfig> {
  const read = schema.safeParse(options ?? {});
  if (!read.success) {
    const told = read.error.issues.map(({ path, message }) =>
      `${["callmend", ...path].join(".")}: ${message}`
    );
    throw new Error(`Cannot use the options of Callmend: ${told.join("; ")}`);
  }
  const { protocol, dialects: some, fixes: chosen, ...settings } = read.data;
  const rules = Array.isArray(some)
    ? [{ models: "*", dialects: some }]
    : some && Object.entries(some).map(([models, dialects]) => ({ models, dialects }));
  const given = {
    ...settings,
    dialects: rules,
    bridgeProtocol: protocol,
    disabledFixes: chosen?.disable,
    enabledFixes: chosen?.enable,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Partial<
    RepairConfig
  >;
}
