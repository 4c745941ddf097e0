/** The faults of a configuration file: where each is, and what is told of it; a secret never is. */
import { findNodeAtLocation, type Node } from "jsonc-parser";
import type * as z from "zod/mini";
import { entryPlaces, type Place, topPlaces } from "./config_schema.ts";
import { hidden, shownAddress } from "../settings/setting.ts";
import { suggestion } from "../settings/suggest.ts";

/** A member's name or an element's number, on the way to a value. */
export type PathStep = string | number;

/** Collects faults. */
export interface Faults {
  /** Text that is no JSON. */
  syntax(offset: number, what: string | undefined): void;
  /** Something wrong at an offset of the text. */
  at(offset: number, steps: readonly PathStep[], what: string): void;
  /** A value that cannot be used. */
  value(steps: readonly PathStep[], what: string, allowed: string): void;
  /** What the schema has found. */
  issues(issues: readonly z.core.$ZodIssue[]): void;
  /** All of them, in the order of the file. */
  told(): string[];
  /** The line of a value. */
  lineOf(steps: readonly PathStep[]): number;
}

/** Collects the faults of one file. */
export function faultsOf(path: string, text: string, tree: Node | undefined): Faults {
  const found: { readonly offset: number; readonly line: string; readonly steps?: string }[] = [];
  let broken = false; // what is missing may only not have been read

  const nodeAt = (steps: readonly PathStep[]): Node | undefined =>
    tree && (findNodeAtLocation(tree, [...steps]) ?? nodeAt(steps.slice(0, -1)));
  const place = (offset: number) => {
    const before = text.slice(0, offset).split(/\r\n|\r|\n/);
    return [before.length, before.at(-1)!.length + 1] as const;
  };
  const add = (offset: number, steps: readonly PathStep[] | undefined, what: string) => {
    const where = `${path}:${place(offset).join(":")}: `;
    const line = where + (steps?.length ? `${shownPath(steps)}: ` : "") + what;
    found.push({ offset, line, ...(steps && { steps: JSON.stringify(steps) }) });
  };
  const addValue = (steps: readonly PathStep[], what: string, allowed: string) => {
    // One fault a value: what is behind it follows from it.
    if (found.some((other) => other.steps === JSON.stringify(steps))) return;
    const node = nodeAt(steps);
    add(node?.offset ?? 0, steps, `${what}, allowed: ${allowed}`);
  };

  const issue = (each: z.core.$ZodIssue): void => {
    const steps = each.path as PathStep[];
    if (each.code === "invalid_union") return nearest(each.errors, steps).forEach(issue);
    if (each.code === "unrecognized_keys") return each.keys.forEach((key) => unknownKey(steps, key));
    const node = tree && findNodeAtLocation(tree, steps);
    const { allowed, secret, leaf } = allowedAt(steps);
    if (node === undefined) {
      if (!broken) addValue(steps, "it is missing", allowed);
      return;
    }
    const because = each.code === "custom" ? `: ${each.message}` : "";
    addValue(steps, `cannot use ${shownNode(node, text, leaf, secret)}${because}`, allowed);
  };
  const unknownKey = (steps: readonly PathStep[], key: string) => {
    const members = nodeAt(steps)?.children ?? [];
    const property = members.find(({ children }) => children?.[0]?.value === key);
    const known = keysAt(steps);
    const meant = suggestion(key, known) ?? elsewhere(key);
    const hint = meant === undefined ? "" : `; did you mean ${JSON.stringify(meant)}?`;
    const what = `there is no such key${hint}, allowed: ${known.join(", ")}`;
    add(property?.offset ?? 0, [...steps, key], what);
  };

  return {
    syntax(offset, what = "this is no JSON") {
      broken = true;
      add(offset, undefined, `cannot read it: ${what}, allowed: JSON with comments`);
    },
    at: add,
    value: addValue,
    issues: (issues) => issues.forEach(issue),
    told: () => found.sort((one, other) => one.offset - other.offset).map(({ line }) => line),
    lineOf: (steps) => place(nodeAt(steps)?.offset ?? 0)[0],
  };
}

/** Of several ways to be right, the one that comes nearest: it goes wrong deepest. */
function nearest(
  ways: readonly (readonly z.core.$ZodIssue[])[],
  from: readonly PathStep[],
): z.core.$ZodIssue[] {
  const depth = (issues: readonly z.core.$ZodIssue[]) =>
    Math.max(0, ...issues.map(({ path }) => path.length));
  const best = [...ways].sort((one, other) => depth(other) - depth(one))[0] ?? [];
  return best.map((issue) => ({ ...issue, path: [...from, ...issue.path] }));
}

/** The places that count at some point of the file, and the way on from where they begin. */
function placesAt(steps: readonly PathStep[]): readonly [readonly Place[], readonly PathStep[]] {
  return steps[0] === "upstreams" && steps.length > 1 ? [entryPlaces, steps.slice(2)] : [topPlaces, steps];
}

/** What may stand at a point of the file. `leaf`: it is a value, and no group of them. */
function allowedAt(steps: readonly PathStep[]): { allowed: string; secret: boolean; leaf: boolean } {
  const [places, rest] = placesAt(steps);
  const way = `${rest.join(".")}.`;
  const found = places.find(({ place }) => way.startsWith(`${place}.`));
  if (found !== undefined) {
    return { allowed: found.allowed, secret: found.secret === true, leaf: found.place !== "upstreams" };
  }
  return { allowed: `an object with ${keysAt(steps).join(", ")}`, secret: false, leaf: false };
}

/** The keys that an object may have. */
function keysAt(steps: readonly PathStep[]): string[] {
  const [places, rest] = placesAt(steps);
  const before = rest.length === 0 ? "" : `${rest.join(".")}.`;
  const keys = places.filter(({ place }) => place.startsWith(before))
    .map(({ place }) => place.slice(before.length).split(".")[0]!);
  return [...new Set(keys)];
}

/** The place of a key that has been put in a wrong one. */
function elsewhere(key: string): string | undefined {
  const inEntry = entryPlaces.map(({ place }) => `upstreams[].${place}`);
  return [...topPlaces.map(({ place }) => place), ...inEntry].find((place) => place.endsWith(`.${key}`));
}

/** A value as it stands in the file, if that may be shown. */
function shownNode(node: Node, text: string, leaf: boolean, secret: boolean): string {
  const { type, value, offset, length } = node;
  if (type === "object") return "an object";
  if (type === "array") return "a list";
  if (secret) return `this ${hidden(String(value))}`;
  if (!leaf) return type === "string" ? "a text" : `a ${type}`;
  const raw = text.slice(offset, offset + length);
  return shownAddress(raw.length > 100 ? `${raw.slice(0, 100)}…` : raw).replace(/(^"[^"]*…)$/, '$1"');
}

function shownPath(steps: readonly PathStep[]): string {
  return steps.map((step) => {
    if (typeof step === "number") return `[${step}]`;
    return /^[\w$-]+$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
  }).join("").replace(/^\./, "");
}
