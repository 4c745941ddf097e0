/** The dialects that are live at once, and all the markers that matter in a turn, as one set. */
import type { Dialect, Opener } from "./dialect.ts";
import { type Hit, type Marker, MarkerSet, measure } from "./marker.ts";
import { END_TOKENS, NUMBERED_THINK, REASONING_TAGS, RESULT_TAGS, RESULT_WORD } from "./signals.ts";

/** A dialect that may open with a marker. */
export interface Candidate {
  readonly dialect: Dialect;
  readonly opener: Opener;
}

/** An opener that stands at a place in the turn, and as what. */
export interface Opening extends Candidate {
  readonly text: string;
}

/** The markers of all live dialects, and of everything else that is more than text. */
export interface Live {
  readonly markers: MarkerSet;
  /** Those that matter once something has been said. */
  readonly laterMarkers: MarkerSet;
  readonly openers: ReadonlyMap<Marker, readonly Candidate[]>;
  readonly candidates: readonly Candidate[];
  readonly fenceOpeners: readonly Marker[];
}

const SIGNALS: readonly Marker[] = [
  ...REASONING_TAGS.flat(),
  ...NUMBERED_THINK,
  ...END_TOKENS,
  ...RESULT_TAGS,
  RESULT_WORD,
  "`",
  "~~~",
];

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
  const later = [...openers].flatMap(([marker, candidates]) =>
    candidates.every(({ opener }) => opener.where === "turn") ? [] : marker
  );
  const live: Live = {
    openers,
    candidates: dialects.flatMap((dialect) => dialect.opens.map((opener) => ({ dialect, opener }))),
    fenceOpeners: [...openers.keys()],
    markers: new MarkerSet<Marker>([...openers.keys(), ...SIGNALS]),
    laterMarkers: new MarkerSet<Marker>([...later, ...SIGNALS]),
  };
  compiled.set(dialects, live);
  return live;
}

/**
 * All openers that stand where `hit` was found, the longest first: one dialect's shape may be another's string,
 * and one's opener the start of another's.
 */
export function openingsAt({ openers, candidates }: Live, { marker, text }: Hit): readonly Opening[] {
  if (!openers.has(marker)) return [];
  const openings = candidates.flatMap((candidate) => {
    const size = measure(candidate.opener.marker, text, 0, true);
    return size > 0 ? [{ ...candidate, text: text.slice(0, size) }] : [];
  });
  return openings.sort((one, other) => other.text.length - one.text.length);
}
