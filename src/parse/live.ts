/** The dialects that are live at once, and all the markers that matter in a turn, as one set. */
import type { Dialect, Opener } from "./dialect.ts";
import { type Marker, MarkerSet } from "./marker.ts";
import { END_TOKENS, REASONING_TAGS, RESULT_TAGS, RESULT_WORD } from "./signals.ts";

/** A dialect that may open with a marker. */
export interface Candidate {
  readonly dialect: Dialect;
  readonly opener: Opener;
}

/** The markers of all live dialects, and of everything else that is more than text. */
export interface Live {
  readonly markers: MarkerSet;
  readonly openers: ReadonlyMap<Marker, readonly Candidate[]>;
  readonly fenceOpeners: readonly Marker[];
  readonly answerOpeners: readonly Marker[];
  readonly thinkOpeners: ReadonlyMap<string, string>;
  readonly thinkClosers: ReadonlySet<string>;
}

const compiled = new WeakMap<readonly Dialect[], Live>();

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
  const live: Live = {
    openers,
    fenceOpeners: [...openers.keys()],
    answerOpeners: [...openers].filter(([, all]) => all.some(({ opener }) => opener.answer)).map(([marker]) =>
      marker
    ),
    thinkOpeners: new Map(REASONING_TAGS),
    thinkClosers: new Set(REASONING_TAGS.map(([, close]) => close)),
    markers: new MarkerSet<Marker>([
      ...openers.keys(),
      ...REASONING_TAGS.flat(),
      ...END_TOKENS,
      ...RESULT_TAGS,
      RESULT_WORD,
      "`",
      "~~~",
    ]),
  };
  compiled.set(dialects, live);
  return live;
}
