/** The registry of bridges: every protocol that a model can be taught. */
import type { Bridge } from "./bridge.ts";
import { markers } from "./markers.ts";
import { object } from "./object.ts";
import { xml } from "./xml.ts";

/** All protocols; the first one is the default. */
export const bridges: readonly Bridge[] = [markers, object, xml];

/** The protocol of this name; the default one when there is none. */
export function bridgeOf(id: string): Bridge {
  return bridges.find((bridge) => bridge.id === id) ?? markers;
}
