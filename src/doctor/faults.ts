/** What a raw answer does that the protocol does not allow, by the symptom's number. */
import { isObject } from "../wire/call_piece.ts";
import { finishReason, isProtocolFinish, saysFinish } from "../wire/finish.ts";
import { callPieces, parsed, type Turn } from "./turn.ts";

/** Finds one fault in an answer; not asked of refusals. */
interface Fault {
  readonly symptom: string;
  found(turn: Turn): boolean;
}

/** The pieces of native calls, by the part of the answer that they came in. */
const piecesOf = ({ parts }: Turn) => parts.map(({ said }) => callPieces(said));
const streamed = (turn: Turn) => turn.form === "events";
const finishes = ({ parts }: Turn) => parts.map(({ finish }) => finish);
const blank = (value: unknown) => typeof value !== "string" || value.trim() === "";

const faults: readonly Fault[] = [
  {
    symptom: "B3",
    found: ({ content }) => /<\/?think(?:ing)?>/.test(content),
  },
  {
    symptom: "B7",
    found: ({ parts }) =>
      parts.some(({ said }) =>
        blank(said["reasoning_content"]) &&
        (!blank(said["reasoning"]) || Array.isArray(said["content_blocks"]))
      ),
  },
  {
    symptom: "C1",
    found: (turn) => turn.calls.length > 0 && finishReason(turn.finish) === "stop",
  },
  { symptom: "C2", found: ({ finish }) => saysFinish(finish) && !isProtocolFinish(finish) },
  {
    symptom: "C3",
    found: ({ calls, finish }) => calls.length === 0 && finishReason(finish) === "tool_calls",
  },
  { symptom: "C4", found: (turn) => finishes(turn).some((finish) => finish === "" || finish === "null") },
  { symptom: "C5", found: (turn) => hasChoices(turn) && !finishes(turn).some(saysFinish) },
  { symptom: "C6", found: (turn) => streamed(turn) && (!turn.done || turn.recording.leftOpen === true) },
  { symptom: "C7", found: ({ recording }) => recording.failure?.kind === "broken" },
  {
    symptom: "C8",
    found: (turn) =>
      streamed(turn) && turn.parts.some(({ json }) => json["usage"] && !Array.isArray(json["choices"])),
  },
  { symptom: "C9", found: (turn) => turn.form === "json" && !isObject(turn.parts[0]?.json["usage"]) },
  { symptom: "C10", found: (turn) => finishes(turn).filter(saysFinish).length > 1 },
  {
    symptom: "C11",
    found: (turn) => streamed(turn) && piecesOf(turn).flat().some(({ index }) => index === undefined),
  },
  {
    symptom: "C12",
    found: (turn) => streamed(turn) && idsByIndex(turn).some((ids) => new Set(ids).size > 1),
  },
  { symptom: "C13", found: badIds },
  {
    symptom: "C14",
    found: (turn) =>
      streamed(turn) &&
      [...grouped(turn).values()].some((pieces) => pieces.filter(({ name }) => name !== "").length > 1),
  },
  {
    symptom: "C15",
    found: (turn) =>
      [...grouped(turn).values()].some((pieces) => pieces.every(({ raw, text }) => !raw || text === "")),
  },
  { symptom: "C16", found: (turn) => piecesOf(turn).flat().some(({ raw }) => isObject(raw)) },
  {
    symptom: "C17",
    found: ({ calls }) =>
      calls.some(({ arguments: text }) =>
        text.trim() !== "" && parsed(text) === undefined && !runTogether(text)
      ),
  },
  { symptom: "C18", found: ({ calls }) => calls.some(({ arguments: text }) => runTogether(text)) },
  {
    symptom: "C20",
    found: ({ recording, error }) => recording.status === 200 && error !== undefined && !recording.failure,
  },
  { symptom: "C21", found: (turn) => turn.error === undefined && !hasChoices(turn) },
  { symptom: "C25", found: buffered },
  {
    symptom: "C29",
    found: ({ parts }) =>
      parts.some(({ said }) => Array.isArray(said["tool_calls"]) && said["tool_calls"].length === 0),
  },
  {
    symptom: "C31",
    found: ({ parts, error }) =>
      error === undefined &&
      parts.some(({ json }) => ["id", "object", "created", "model"].some((key) => !(key in json))),
  },
  {
    symptom: "E4",
    found: (turn) =>
      hasChoices(turn) && turn.error === undefined && turn.calls.length === 0 && turn.content.trim() === "" &&
      turn.finish !== "length",
  },
  { symptom: "E8", found: ({ calls }) => calls.some(({ name }) => /^multi_tool_use/.test(name)) },
];

/** The numbers of the symptoms that a raw answer shows. */
export function faultsOf(turn: Turn): readonly string[] {
  if (turn.recording.status !== 200) return [];
  return faults.filter((fault) => fault.found(turn)).map(({ symptom }) => symptom);
}

function hasChoices({ parts }: Turn): boolean {
  return parts.some(({ json }) => Array.isArray(json["choices"]) && json["choices"].length > 0);
}

/** The pieces of each call of a stream by its index; in JSON each is a call of its own. */
function grouped(turn: Turn): Map<number, ReturnType<typeof callPieces>[number][]> {
  const pieces = piecesOf(turn).flat();
  return Map.groupBy(
    pieces.map((piece, n) => ({ ...piece, at: streamed(turn) ? piece.index ?? 0 : n })),
    ({ at }) => at,
  );
}

function idsByIndex(turn: Turn): unknown[][] {
  return [...grouped(turn).values()].map((pieces) => pieces.map(({ id }) => id).filter((id) => !blank(id)));
}

function badIds(turn: Turn): boolean {
  const calls = [...grouped(turn).values()];
  const ids = idsByIndex(turn);
  const all = ids.map(([id]) => id);
  return calls.some(([first]) => blank(first?.id)) || new Set(all).size < all.length ||
    (streamed(turn) && ids.some((each) => new Set(each).size < each.length));
}

/** Several whole objects, one behind the other. */
function runTogether(text: string): boolean {
  if (parsed(text) !== undefined) return false;
  return [...text.matchAll(/\}\s*\{/g)].some(({ index }) => isObject(parsed(text.slice(0, index + 1))));
}

/** Fewer pieces tell nothing, and what takes less time may have come over the network in one piece. */
const [LEAST_PIECES, LEAST_MS] = [8, 250];

/** A stream that came all at once, at its end. */
function buffered({ form, parts, recording }: Turn): boolean {
  const said = parts.filter(({ said }) => !blank(said["content"]) || !blank(said["reasoning_content"]));
  if (form !== "events" || said.length < LEAST_PIECES || recording.ms < LEAST_MS) return false;
  return said.at(-1)!.ms - said[0]!.ms < recording.ms / 20;
}
