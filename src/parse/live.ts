/** The dialects that are live at once, and all the markers that matter in a turn, as one set. */
import type { Dialect, Opener, Tool } from "./dialect.ts";
import { type Marker, MarkerSet } from "./marker.ts";
import { END_TOKENS, LONE_CLOSERS, REASONING_TAGS, RESULT_TAGS, RESULT_WORD } from "./signals.ts";

/** A dialect that may open with a marker. */
export interface Candidate {
  readonly dialect: Dialect;
  readonly opener: Opener;
}

/** The markers of all live dialects, and of everything else that is more than text. */
export interface Live {
  /** What may stand anywhere, and the end of a line. */
  readonly markers: MarkerSet;
  /** The same, and what has to stand first on its line: prose pays for it once a line. */
  readonly lineMarkers: MarkerSet;
  readonly openers: ReadonlyMap<Marker, readonly Candidate[]>;
  readonly fenceOpeners: readonly Marker[];
  readonly thinkOpeners: ReadonlyMap<string, string>;
  readonly thinkClosers: ReadonlySet<string>;
}

const compiled = new WeakMap<readonly Dialect[], WeakMap<readonly Tool[], Live>>();

/** Compiles a list of dialects for a list of tools; the same lists are compiled once. */
export function liveOf(dialects: readonly Dialect[], tools: readonly Tool[]): Live {
  let byTools = compiled.get(dialects);
  if (byTools === undefined) compiled.set(dialects, byTools = new WeakMap());
  let live = byTools.get(tools);
  if (live === undefined) byTools.set(tools, live = compile(dialects, tools));
  return live;
}

function compile(dialects: readonly Dialect[], tools: readonly Tool[]): Live {
  const openers = new Map<Marker, Candidate[]>();
  for (const dialect of dialects) {
    for (const opener of [...dialect.opens, ...dialect.opensFor?.(tools) ?? []]) {
      const candidates = openers.get(opener.marker);
      if (candidates === undefined) openers.set(opener.marker, [{ dialect, opener }]);
      else candidates.push({ dialect, opener });
    }
  }
  const anywhere = [...openers].filter(([, candidates]) =>
    candidates.some(({ opener }) => opener.where === undefined)
  );
  const signals: readonly Marker[] = [
    ...REASONING_TAGS.flat(),
    ...LONE_CLOSERS,
    ...END_TOKENS,
    ...RESULT_TAGS,
    RESULT_WORD,
    "`",
    "~~~",
    "\n",
  ];
  return {
    openers,
    fenceOpeners: [...openers.keys()],
    thinkOpeners: new Map(REASONING_TAGS),
    thinkClosers: new Set([...REASONING_TAGS.map(([, close]) => close), ...LONE_CLOSERS]),
    markers: new MarkerSet([...anywhere.map(([marker]) => marker), ...signals]),
    lineMarkers: new MarkerSet([...openers.keys(), ...signals]),
  };
}
