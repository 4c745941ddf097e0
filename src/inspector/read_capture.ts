/** An exchange made readable: what the model wrote in each attempt, what the client got, and what struck where. */
import { bridgeOf } from "../bridge/mod.ts";
import { liveDialects } from "../dialects/mod.ts";
import { bytesOf, type Capture, type CapturedBody, type Mark } from "../observe/capture.ts";
import { defaultRepairConfig, dialectsFor } from "../repair_config.ts";
import type { Dialect } from "../parse/dialect.ts";
import type { Field } from "../parse/event.ts";
import { isObject } from "../wire/call_piece.ts";
import { type ChatRequest, readChatRequest } from "../wire/chat_request.ts";
import { fold, toChunks } from "../wire/fold.ts";
import type { Chunk, Json, ToolCallDelta } from "../wire/openai.ts";
import { SseDecoder } from "../wire/sse.ts";
import { type ReadTurn, readTurn, type TurnPiece } from "./reading.ts";

/** What the page shows of a capture beside the capture itself. */
export interface CaptureReading {
  readonly attempts: readonly AttemptReading[];
  /** What the client got, as one message or as it is. */
  readonly answer: Json | null;
}

export interface AttemptReading {
  readonly bridged: boolean;
  readonly choices: readonly ChoiceReading[];
  /** The upstream's answer as it is, if it is no chat completion: an error, most often. Null when it is no JSON. */
  readonly message: Json | null;
  /** What was noticed or done on the wire, with the place in the text that had been received by then. */
  readonly marks: readonly PlacedMark[];
}

export interface ChoiceReading extends ReadTurn {
  readonly index: number;
  /** The calls that the upstream itself delivered, put together. */
  readonly delivered: readonly unknown[];
  /** The same in the pieces in which they came. */
  readonly native: readonly unknown[];
  /** For each piece of text: how many bytes had come with it, its field, and how long the field was then. */
  readonly places: readonly (readonly [bytes: number, field: Field, end: number])[];
}

export type PlacedMark = Mark & { readonly choice: number; readonly field: Field; readonly at: number };

/** A chunk, and how many bytes had come when it was whole. */
interface Placed {
  readonly chunk: Chunk;
  readonly bytes: number;
}

/** Reads a capture; takes its time over a large one, and lets others go on meanwhile. */
export async function readCapture(capture: Capture): Promise<CaptureReading> {
  const asked = readChatRequest(parseObject(capture.request.body) ?? {});
  const attempts: AttemptReading[] = [];
  for (const [n, { request, body, ended }] of capture.attempts.entries()) {
    const sent = parseObject(request.body) ?? {};
    const bridged = asked.tools.length > 0 && sent["tools"] === undefined &&
      Array.isArray(sent["messages"]);
    const placed = chunksOf(body);
    const open = ended === null && capture.report === null;
    const choices = await readChoices(placed, capture, {
      asked,
      dialects: dialectsOf(capture, asked, bridged),
      open,
    });
    const message = placed.length > 0 ? errorIn(placed) : parseObject(textOf(body));
    attempts.push({
      bridged,
      choices,
      message: message ?? null,
      marks: capture.marks.filter(({ attempt }) => attempt === n).flatMap((mark) =>
        placedMark(mark, choices)
      ),
    });
  }
  return { attempts, answer: capture.answer === null ? null : messageOf(capture.answer.body) };
}

/** An answer as one message; an error as it is; null when it is no JSON. */
function messageOf(body: CapturedBody): Json | null {
  const placed = chunksOf(body);
  const error = errorIn(placed);
  const chunks = placed.filter(({ chunk }) => chunk["error"] === undefined).map(({ chunk }) => chunk);
  if (chunks.length === 0) return error ?? parseObject(textOf(body)) ?? null;
  return { ...fold(chunks), ...error };
}

/** The error that an answer reports after it has begun. */
function errorIn(placed: readonly Placed[]): Json | undefined {
  const error = placed.find(({ chunk }) => chunk["error"] !== undefined)?.chunk["error"];
  return error === undefined ? undefined : { error };
}

function dialectsOf(
  { config }: Capture,
  { model, tools }: ChatRequest,
  bridged: boolean,
): readonly Dialect[] {
  const live = liveDialects(dialectsFor(model, config.dialects));
  const protocol = config.bridgeProtocol ?? defaultRepairConfig.bridgeProtocol;
  return bridged ? [bridgeOf(protocol).dialect(tools), ...live] : live;
}

async function readChoices(
  placed: readonly Placed[],
  { config }: Capture,
  { asked, dialects, open }: { asked: ChatRequest; dialects: readonly Dialect[]; open: boolean },
): Promise<ChoiceReading[]> {
  const heard = listen(placed);
  const choices: ChoiceReading[] = [];
  for (const [index, { pieces, native, places }] of [...heard].sort(([one], [other]) => one - other)) {
    const turn = asked.tools.length === 0
      ? untouched(pieces)
      : await readTurn(pieces, { tools: asked.tools, dialects, reasoning: config.reasoning, open });
    choices.push({ index, ...turn, delivered: delivered(native), native, places });
  }
  return choices;
}

/** Calls in pieces, put together. */
function delivered(native: readonly unknown[]): readonly unknown[] {
  if (native.length === 0) return [];
  const chunks = native.map((calls): Chunk => ({
    choices: [{
      index: 0,
      delta: { tool_calls: (Array.isArray(calls) ? calls : [calls]) as ToolCallDelta[] },
    }],
  }));
  const [choice] = fold(chunks)["choices"] as {
    readonly message: { readonly tool_calls?: readonly unknown[] };
  }[];
  return choice?.message.tool_calls ?? [];
}

interface Heard {
  readonly pieces: TurnPiece[];
  readonly native: unknown[];
  readonly places: [number, Field, number][];
  readonly size: { [field in Field]: number };
}

/** Sorts what chunks say by choice. */
function listen(placed: readonly Placed[]): Map<number, Heard> {
  const heard = new Map<number, Heard>();
  for (const { chunk, bytes } of placed) {
    if (!Array.isArray(chunk.choices)) continue;
    for (const [position, choice] of chunk.choices.entries()) {
      if (!isObject(choice) || !isObject(choice.delta)) continue;
      const index = typeof choice.index === "number" ? choice.index : position;
      let own = heard.get(index);
      if (own === undefined) {
        heard.set(index, own = { pieces: [], native: [], places: [], size: { content: 0, reasoning: 0 } });
      }
      const { content, reasoning_content, reasoning = reasoning_content, tool_calls: calls } = choice.delta;
      for (
        const [field, text] of [["reasoning", reasoning_content ?? reasoning], ["content", content]] as const
      ) {
        if (typeof text !== "string" || text === "") continue;
        own.pieces.push({ field, text });
        own.size[field] += text.length;
        own.places.push([bytes, field, own.size[field]]);
      }
      if (!Array.isArray(calls) || calls.length === 0) continue;
      own.native.push(calls.length === 1 ? calls[0] : calls);
      const last = own.pieces.at(-1);
      if (last !== undefined && last !== "native-call") own.pieces.push("native-call");
    }
  }
  return heard;
}

/** Without tools nothing is looked for (rule 2). */
function untouched(pieces: readonly TurnPiece[]): ReadTurn {
  const textOf = (field: Field) =>
    pieces.flatMap((piece) => piece !== "native-call" && piece.field === field ? [piece.text] : []).join("");
  const whole = (field: Field, kind: "text" | "reasoning") => {
    const text = textOf(field);
    return { text, spans: text === "" ? [] : [{ kind, start: 0, end: text.length }] };
  };
  return {
    fields: { content: whole("content", "text"), reasoning: whole("reasoning", "reasoning") },
    calls: [],
    problems: [],
  };
}

/** A mark with its place; none if the reading has found the same by itself, at its character. */
function placedMark(mark: Mark, choices: readonly ChoiceReading[]): PlacedMark[] {
  const found = mark.kind === "problem" &&
    choices.some(({ problems }) =>
      problems.some(({ code, detail }) => code === mark.code && detail === mark.detail)
    );
  if (found) return [];
  if (mark.kind === "problem" && mark.code === "markup-left") {
    for (const { index, fields: { content } } of choices) {
      const at = content.text.indexOf(mark.detail.slice(0, 24));
      if (at !== -1) return [{ ...mark, choice: index, field: "content", at }];
    }
  }
  for (const { index, places } of choices) {
    const place = places.findLast(([bytes]) => bytes <= mark.received);
    if (place !== undefined) return [{ ...mark, choice: index, field: place[1], at: place[2] }];
  }
  return [{ ...mark, choice: choices[0]?.index ?? 0, field: "content", at: 0 }];
}

/** The chunks of a stream, or those that a whole answer stands for; none when it is neither. */
function chunksOf(body: CapturedBody): Placed[] {
  const bytes = bytesOf(body);
  const text = textOf(body);
  if (/^\s*\{/.test(text)) {
    const completion = parseObject(text);
    const chunks = Array.isArray(completion?.["choices"]) ? toChunks(completion) : [];
    return chunks.map((chunk) => ({ chunk, bytes: bytes.length }));
  }
  const decoder = new SseDecoder();
  let at = 0;
  return [...decoder.push(bytes), ...decoder.end().events].flatMap(({ raw, data }) => {
    at += utf8.encode(raw).length;
    const chunk = data === undefined ? undefined : parseObject(data);
    if (chunk === undefined) return [];
    const choices = chunk["choices"];
    const whole = Array.isArray(choices) &&
      choices.some((choice) => isObject(choice) && isObject(choice["message"]));
    return (whole ? toChunks(chunk) : [chunk as Chunk]).map((each) => ({ chunk: each, bytes: at }));
  });
}

const utf8 = new TextEncoder();

function textOf(body: CapturedBody): string {
  return body.text ?? new TextDecoder().decode(bytesOf(body));
}

function parseObject(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
