/** Patches the runtime's fetch once, however many copies of Callmend ask for it, and puts it back. */
import { addressOf, type FetchFunction, isMended } from "./wrap_fetch.ts";

/** Where copies of this module find each other: each bundle is a module of its own. */
const REGISTRY = Symbol.for("callmend.patched-fetch");

/** The patch that is in place. */
interface Patch {
  /** How many have asked for it and not yet let go. */
  copies: number;
  restore(): void;
}

type Global = { fetch: FetchFunction; [REGISTRY]?: Patch };

/** What comes of asking for the patch. */
export interface Patched {
  /** This is the copy whose fetch is used. */
  readonly first: boolean;
  /** Lets go of the patch; the last to do so puts the runtime's fetch back. */
  release(): void;
}

/** Sends requests to some hosts through `wrap`; all others reach the runtime's fetch as they were made. */
export function patchFetch(
  isMine: (host: string) => boolean,
  wrap: (fetch: FetchFunction) => FetchFunction,
  scope: object = globalThis,
): Patched {
  const place = scope as Global;
  const first = place[REGISTRY] === undefined;
  const patch = place[REGISTRY] ??= install(place, isMine, wrap);
  patch.copies++;
  let held = true;
  return {
    first,
    release() {
      if (!held) return;
      held = false;
      if (--patch.copies === 0) patch.restore();
    },
  };
}

function install(
  place: Global,
  isMine: (host: string) => boolean,
  wrap: (fetch: FetchFunction) => FetchFunction,
): Patch {
  const original = place.fetch;
  const plain: FetchFunction = (input, init) => original.call(place, input, init);
  const mending = wrap(plain);
  let active = true;
  const patched: FetchFunction = (input, init) => {
    const host = active && !isMended(init) ? addressOf(input)?.hostname : undefined;
    return host !== undefined && isMine(host) ? mending(input, init) : plain(input, init);
  };
  // Bun's fetch has functions of its own.
  const { length: _, name: __, prototype: ___, ...properties } = Object.getOwnPropertyDescriptors(
    original,
  ) as { [name: string]: PropertyDescriptor };
  Object.defineProperties(patched, properties);
  place.fetch = patched;
  return {
    copies: 0,
    restore() {
      active = false; // for whoever keeps the patched one, or has patched it in turn
      delete place[REGISTRY];
      if (place.fetch === patched) place.fetch = original;
    },
  };
}

/** The hosts that a text names, by comma. */
export function hostsIn(text: string): string[] {
  return text.toLowerCase().split(",").map((entry) => entry.trim()).filter((entry) => entry !== "");
}

/** Whether it is the name of a host, as an address has it between scheme and port, or `*.` and one. */
export function isHost(entry: string): boolean {
  return /^(?:(?:\*\.)?[^\s/:*@?#[\]]+|\[[\da-f:.]+\])$/i.test(entry);
}

/** Whether a host is among these; `*.example.com` stands for all hosts below `example.com`. */
export function hostMatcher(hosts: readonly string[]): (host: string) => boolean {
  return (host) =>
    hosts.some((entry) => entry.startsWith("*.") ? host.endsWith(entry.slice(1)) : host === entry);
}
