/** Looks through text without reading it: lines that nothing opens and inline code are text wherever they stand. */
import type { Live } from "./live.ts";
import { behindBackticks } from "./markdown.ts";
import { type Look, MORE } from "./marker.ts";

/** Where a text stands that is looked through. */
export interface Ground {
  /** Nothing but blanks stands before it on its line. */
  readonly lineBlank: boolean;
  /** It stands in a code fence. */
  readonly fenced: boolean;
  /** Any backtick may be the start of what closes the fence round the whole answer. */
  readonly wrapped: boolean;
}

/** The first place in `text`, from `from` on, that may be more than text. */
export function skim({ markers, lineMarkers }: Live, text: string, from: number, ground: Ground): Look {
  let { lineBlank } = ground;
  for (let at = from;;) {
    let first = -1; // where the first word of the line stands
    if (lineBlank) {
      first = behindBlanks(text, at);
      const found = ground.fenced || first === text.length ? undefined : lineMarkers.at(text, first, false);
      if (found === MORE) return { at: first, starts: true };
      if (found !== undefined && found.marker !== "\n") return { at: first, starts: false };
      at = first;
    }
    const { at: next, marker } = markers.locate(text, at, false);
    if (marker === undefined) return { at: next, starts: next < text.length };
    if (marker === "`" && next !== first && !ground.wrapped) {
      at = behindBackticks(text, next);
      if (at === text.length) return { at: next, starts: true }; // there may be more of them
      lineBlank = false;
    } else if (marker === "\n") {
      at = next + 1;
      lineBlank = true;
    } else return { at: next, starts: false };
  }
}

function behindBlanks(text: string, at: number): number {
  while (text.charAt(at) === " " || text.charAt(at) === "\t") at++;
  return at;
}
