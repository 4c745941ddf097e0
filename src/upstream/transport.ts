/** What is asked of a way to send one request, and what comes back. */

import type { Source } from "../wire/direct_stream.ts";

export type { Source };

/** A request on its way up. */
export interface Outgoing {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  /** Bytes can be sent a second time; a stream is sent as it comes. */
  readonly body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | undefined;
  /** The length that the client gave for a stream; without it the stream goes up in chunks. */
  readonly length: string | undefined;
  /** Aborted when the client has gone away, or when the upstream was silent for too long. */
  readonly signal: AbortSignal;
}

/** What the upstream answered. */
export interface Answer {
  readonly status: number;
  readonly statusText: string;
  readonly headers: Headers;
  readonly body: Source | undefined;
}

/** Sends a request. Rejects when no answer came. */
export type Send = (outgoing: Outgoing) => Promise<Answer>;

/** These answers have no body, whatever their headers say. */
export function bodiless(method: string, status: number): boolean {
  return method === "HEAD" || status === 204 || status === 205 || status === 304;
}
