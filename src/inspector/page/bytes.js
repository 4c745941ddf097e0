// @ts-check
/// <reference lib="dom" />
/** The bytes of an exchange: as text, as pieces over time, and which characters a piece is. */

/** @typedef {import("../../observe/capture.ts").Capture} Capture */
/** @typedef {import("../../observe/capture.ts").CapturedBody} CapturedBody */
/** @typedef {import("./timeline.js").Piece} Piece */
/** @typedef {import("./timeline.js").Tick} Tick */
/** @typedef {import("./long_text.js").LongText} LongText */

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** @param {CapturedBody | undefined} body */
function bytesOf(body) {
  if (body?.text !== undefined) return encoder.encode(body.text);
  return Uint8Array.from(atob(body?.base64 ?? ""), (character) => character.charCodeAt(0));
}

/** A body as text. @param {CapturedBody | undefined} body */
export function rawOf(body) {
  return body?.text ?? decoder.decode(bytesOf(body));
}

/** @param {CapturedBody | undefined} body @param {number} attempt @returns {Piece[]} */
function piecesIn(body, attempt) {
  let start = 0;
  return (body?.cuts ?? []).map(([ms, end]) => {
    const piece = { ms, start, end, attempt };
    start = end;
    return piece;
  });
}

/** What the timeline draws of an exchange. @param {Capture} capture */
export function piecesOf({ attempts, answer, marks, report }) {
  /** @type {Map<CapturedBody | undefined, Uint8Array>} */
  const read = new Map();
  return {
    upstream: attempts.flatMap(({ body }, n) => piecesIn(body, n)),
    client: piecesIn(answer?.body, 0),
    ticks: marks.map((mark) => ({
      ms: mark.ms,
      kind: mark.kind,
      name: mark.kind === "fix" ? mark.id : mark.code,
    })),
    asked: attempts.map(({ ms }) => ms),
    total: report?.times.totalMs ?? 0,
    /** @param {"upstream" | "client"} lane @param {Piece} piece */
    text(lane, { start, end, attempt }) {
      const body = lane === "upstream" ? attempts[attempt]?.body : answer?.body;
      let bytes = read.get(body);
      if (bytes === undefined) read.set(body, bytes = bytesOf(body));
      return decoder.decode(bytes.subarray(start, end));
    },
  };
}

/** The same text, but what is to be highlighted is told in bytes. @param {string} raw @param {LongText} shown @returns {LongText} */
export function inBytes(raw, shown) {
  /** @type {Uint8Array | undefined} */
  let bytes;
  const characters = (/** @type {number} */ at) => {
    bytes ??= encoder.encode(raw);
    return bytes.length === raw.length ? at : decoder.decode(bytes.subarray(0, at)).length;
  };
  return { ...shown, highlight: (start, end) => shown.highlight(characters(start), characters(end)) };
}
