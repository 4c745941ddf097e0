/** One exchange as it is kept: what was asked, what the upstream sent when, and what the client got. No secret is in it. */
import type { RepairConfig } from "../repair_config.ts";
import type { AnyProblemCode } from "../wire/problem.ts";
import type { ExchangeReport } from "../wire/watcher.ts";
import type { ByteLog } from "./byte_log.ts";
import type { Secrets } from "./secrets.ts";

/** An exchange, as JSON: the page shows it, files hold it, `callmend replay` reads it. */
export interface Capture {
  readonly format: 1;
  /** The version of Callmend that took it. */
  readonly callmend: string;
  readonly id: string;
  /** When the request was whole, in ISO 8601. */
  readonly time: string;
  readonly upstream: CapturedUpstream;
  /** The settings that it was answered with. */
  readonly config: CapturedConfig;
  readonly request: CapturedRequest;
  /** How the upstream was asked: more than once where an answer was of no use. */
  readonly attempts: readonly CapturedAttempt[];
  /** Null while there is none. */
  readonly answer: CapturedAnswer | null;
  /** What Callmend noticed and did, in order. */
  readonly marks: readonly Mark[];
  /** Null while the exchange goes on. */
  readonly report: ExchangeReport | null;
  /** It was too large to be kept whole. */
  readonly truncated: boolean;
}

export interface CapturedUpstream {
  readonly name: string;
  readonly address: string;
}

/** Settings of `repair()` that are plain values. */
export type CapturedConfig = Partial<Omit<RepairConfig, "memory">>;

export interface CapturedRequest {
  readonly method: string;
  /** The path and query; at an upstream, the whole address. */
  readonly url: string;
  readonly headers: { readonly [name: string]: string };
  readonly body: string;
}

export interface CapturedAttempt {
  readonly request: CapturedRequest;
  /** When it was sent, in milliseconds since `time`. */
  readonly ms: number;
  /** Undefined when no answer came. */
  readonly status?: number;
  readonly headers?: { readonly [name: string]: string };
  readonly body: CapturedBody;
  /** "whole", "cancelled", or what broke it; null while it goes on. */
  readonly ended: string | null;
}

export interface CapturedAnswer {
  readonly status: number;
  readonly headers: { readonly [name: string]: string };
  readonly body: CapturedBody;
}

/** Bytes with the pieces that they came in. */
export interface CapturedBody {
  /** The bytes, if they are a text of UTF-8. */
  readonly text?: string;
  /** The bytes in base64, if they are not. */
  readonly base64?: string;
  /** Of each piece: when it came, in milliseconds since `time`, and how many bytes there were behind it. */
  readonly cuts: readonly (readonly [ms: number, bytes: number])[];
}

/** Something that Callmend noticed or did, and where it struck. */
export type Mark =
  & {
    readonly ms: number;
    /** Which attempt was under way, counted from 0; -1 before the first. */
    readonly attempt: number;
    /** How many bytes of it had been received. */
    readonly received: number;
    /** How many bytes had gone to the client. */
    readonly sent: number;
  }
  & (
    | { readonly kind: "problem"; readonly code: AnyProblemCode; readonly detail: string }
    | { readonly kind: "fix"; readonly id: string }
  );

/** What a list shows of an exchange. */
export interface CaptureSummary extends Partial<Omit<ExchangeReport, "problems">> {
  readonly id: string;
  readonly time: string;
  readonly running: boolean;
  readonly upstream: string;
  readonly model: string;
  readonly stream: boolean;
  readonly tools: number;
  /** How often each problem came. */
  readonly problems: { readonly [code: string]: number };
  readonly fixes: readonly string[];
  /** How many bytes of memory it takes. */
  readonly size: number;
  readonly truncated: boolean;
}

/** A capture's body as bytes. */
export function bytesOf({ text, base64 = "" }: CapturedBody): Uint8Array<ArrayBuffer> {
  if (text !== undefined) return new TextEncoder().encode(text);
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

/** Bytes as a capture's body. Secrets become asterisks, as many as they had bytes: the cuts stay where they are. */
export function bodyOf({ bytes, cuts }: Pick<ByteLog, "bytes" | "cuts">, secrets: Secrets): CapturedBody {
  const mask = secrets.stream();
  const [first, last] = [mask.push(bytes), mask.end()];
  const clean = new Uint8Array(bytes.length);
  clean.set(first);
  clean.set(last, first.length);
  try {
    return { text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(clean), cuts };
  } catch {
    return { base64: base64Of(clean), cuts };
  }
}

function base64Of(bytes: Uint8Array): string {
  let binary = "";
  for (let at = 0; at < bytes.length; at += 8192) {
    binary += String.fromCharCode(...bytes.subarray(at, at + 8192));
  }
  return btoa(binary);
}
