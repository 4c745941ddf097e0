/** Callmend's own errors, in the shape that OpenAI's clients know. */

const INTERNAL = [500, "server_error", "internal_error"] as const;

/** The client's request cannot be understood. */
export class InvalidRequest extends Error {
  override readonly name = "InvalidRequest";
}

/** Errors that have a place in the contract, by their `name`. */
const KNOWN: { readonly [name: string]: readonly [status: number, type: string, code: string] } = {
  InvalidRequest: [400, "invalid_request_error", "invalid_request"],
  UpstreamUnreachable: [502, "upstream_error", "upstream_unreachable"],
  UpstreamTimeout: [504, "upstream_error", "upstream_timeout"],
};

/** What a client gets for an error that was thrown on the way. */
export function errorAnswer(error: unknown): Response {
  const known = error instanceof Error ? KNOWN[error.name] : undefined;
  const [status, type, code] = known ?? INTERNAL;
  // What is not expected may hold anything; the log has it, the client gets where to look.
  const message = known ? (error as Error).message : "Cannot answer: Callmend failed; its log says why.";
  return Response.json({ error: { message, type, code, param: null } }, { status });
}
