/** The dialects that are live at once, and all the markers that matter in a turn, as one set. */
import type { Dialect, Opener, Tool } from "./dialect.ts";
import { type Hit, type Marker, MarkerSet, measure } from "./marker.ts";
import {
  END_TOKENS,
  LONE_CLOSERS,
  NUMBERED_THINK,
  REASONING_TAGS,
  RESULT_TAGS,
  RESULT_WORD,
  SHORT_CLOSER_TAGS,
} from "./signals.ts";

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
  /** What may stand anywhere, and the end of a line. */
  readonly markers: MarkerSet;
  /** The same, and what has to stand first on its line: prose pays for it once a line. */
  readonly lineMarkers: MarkerSet;
  readonly openers: ReadonlySet<Marker>;
  readonly candidates: readonly Candidate[];
  /** Those of the openers that open a whole answer. */
  readonly answerOpeners: readonly Marker[];
}

const SIGNALS: readonly Marker[] = [
  ...REASONING_TAGS.flat(),
  ...LONE_CLOSERS,
  ...SHORT_CLOSER_TAGS,
  ...NUMBERED_THINK,
  ...END_TOKENS,
  ...RESULT_TAGS,
  RESULT_WORD,
  "`",
  "~~~",
  "\n",
];

const compiled = new WeakMap<readonly Dialect[], Map<string, Live>>();

/** How many lists of tool names are remembered: clients send the same one with each request. */
const REMEMBERED = 64;

/** Compiles a list of dialects for a list of tools; for the same dialects and the same names this is done once. */
export function liveOf(dialects: readonly Dialect[], tools: readonly Tool[]): Live {
  let byNames = compiled.get(dialects);
  if (byNames === undefined) compiled.set(dialects, byNames = new Map());
  const names = tools.map(({ name }) => name).join("\0");
  let live = byNames.get(names);
  if (live === undefined) {
    if (byNames.size >= REMEMBERED) byNames.delete(byNames.keys().next().value!);
    byNames.set(names, live = compile(dialects, tools));
  }
  return live;
}

function compile(dialects: readonly Dialect[], tools: readonly Tool[]): Live {
  const candidates = dialects.flatMap((dialect) =>
    [...dialect.opens, ...dialect.opensFor?.(tools) ?? []].map((opener) => ({ dialect, opener }))
  );
  const openers = new Set(candidates.map(({ opener }) => opener.marker));
  const anywhere = candidates.filter(({ opener }) => opener.where === undefined).map(({ opener }) =>
    opener.marker
  );
  return {
    candidates,
    openers,
    answerOpeners: candidates.filter(({ opener }) => opener.answer).map(({ opener }) => opener.marker),
    markers: new MarkerSet([...anywhere, ...SIGNALS]),
    lineMarkers: new MarkerSet([...openers, ...SIGNALS]),
  };
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
