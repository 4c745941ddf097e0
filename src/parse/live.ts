/** The dialects that are live at once, and all the markers that matter in a turn, as one set. */
import type { Dialect, Opener } from "./dialect.ts";
import { type Marker, MarkerSet, measure } from "./marker.ts";
import { END_TOKENS, REASONING_TAGS, RESULT_TAGS, RESULT_WORD } from "./signals.ts";

/** A dialect that may open with a marker. */
export interface Candidate {
  readonly dialect: Dialect;
  readonly opener: Opener;
}

/** The markers of all live dialects, and of everything else that is more than text. */
export interface Live {
  readonly markers: MarkerSet;
  /** The same, and the end of a line. */
  readonly lineMarkers: MarkerSet;
  /** Dialects whose calls may begin with a tool's name. */
  readonly opensWithName: readonly Dialect[];
  readonly openers: ReadonlyMap<Marker, readonly Candidate[]>;
  readonly fenceOpeners: readonly Marker[];
  readonly thinkOpeners: ReadonlyMap<string, string>;
  readonly thinkClosers: ReadonlySet<string>;
}

const compiled = new WeakMap<readonly Dialect[], Live>();

/** Who may open with `text`: several markers may match the same text. */
export function candidatesOf({ openers }: Live, text: string): Candidate[] {
  return [...openers].flatMap(([marker, candidates]) =>
    measure(marker, text, 0, true) === text.length ? candidates : []
  );
}

/** Compiles a list of dialects; the same list is compiled once. */
export function liveOf(dialects: readonly Dialect[]): Live {
  const known = compiled.get(dialects);
  if (known !== undefined) return known;
  const openers = new Map<Marker, Candidate[]>();
  for (const dialect of dialects) {
    for (const opener of dialect.opens) {
      const candidates = openers.get(opener.marker);
      if (candidates === undefined) openers.set(opener.marker, [{ dialect, opener }]);
      else candidates.push({ dialect, opener });
    }
  }
  const markers: readonly Marker[] = [
    ...openers.keys(),
    ...REASONING_TAGS.flat(),
    ...END_TOKENS,
    ...RESULT_TAGS,
    RESULT_WORD,
    "`",
    "~~~",
  ];
  const live: Live = {
    openers,
    opensWithName: dialects.filter(({ opensWithName }) => opensWithName),
    fenceOpeners: [...openers.keys()],
    thinkOpeners: new Map(REASONING_TAGS),
    thinkClosers: new Set(REASONING_TAGS.map(([, close]) => close)),
    markers: new MarkerSet(markers),
    lineMarkers: new MarkerSet([...markers, "\n"]),
  };
  compiled.set(dialects, live);
  return live;
}
