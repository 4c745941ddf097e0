/** What can go wrong on the way to the upstream, told so that the reader knows what to do. */
import { settings } from "../settings/settings.ts";

/** The upstream could not be reached, or its connection broke. */
export class UpstreamUnreachable extends Error {
  override readonly name = "UpstreamUnreachable";
}

/** The upstream kept silent for longer than is allowed. */
export class UpstreamTimeout extends Error {
  override readonly name = "UpstreamTimeout";
}

const check = `Check that the server is running and that ${settings.upstream.flag} ` +
  `(${settings.upstream.variable}, ${settings.upstreamOrigin.variable}; baseUrl in the file) is its address.`;

/** What the system's codes mean to someone who has to mend it. */
const CAUSES: readonly (readonly [code: RegExp, meaning: string])[] = [
  [/^ECONNREFUSED$/, "the connection was refused; nothing listens there"],
  [/^(ENOTFOUND|EAI_\w+)$/, "its host name is not known to DNS"],
  [/^(ETIMEDOUT|ConnectTimeout|EHOSTUNREACH|ENETUNREACH|ENETDOWN)$/, "there is no way to its network"],
  [/CERT|SELF_SIGNED|UNABLE_TO_|HOSTNAME|ALTNAME/, "its TLS certificate is not trusted"],
  [/^(EPROTO|ERR_SSL|ERR_TLS|SSL)/, "the TLS handshake failed; does it speak https on this port?"],
  [/^(HPE_|Malformed|InvalidHTTP)/, "what it answered is not HTTP; is it http:// or https://?"],
  [/^(ECONNRESET|EPIPE|ECONNABORTED|UND_ERR_SOCKET)$/, "it closed the connection before it answered"],
];

/** A failure before the answer began. */
export function unreachable(address: string, cause: unknown): UpstreamUnreachable {
  const { code, message } = described(cause);
  const meaning = CAUSES.find(([pattern]) => pattern.test(code))?.[1] ?? message;
  const shown = code === "" ? "" : ` (${code})`;
  return new UpstreamUnreachable(`Cannot reach the upstream ${address}: ${meaning}${shown}. ${check}`, {
    cause,
  });
}

/** A failure within the answer. */
export function broken(address: string, cause: unknown): UpstreamUnreachable {
  const { code, message } = described(cause);
  return new UpstreamUnreachable(
    `Cannot read on: the upstream ${address} broke off in the middle of its answer (${code || message}).`,
    { cause },
  );
}

/** No first byte within the time allowed. */
export function noFirstByte(address: string, limitMs: number): UpstreamTimeout {
  const { flag, variable } = settings.firstByteTimeoutMs;
  return new UpstreamTimeout(
    `Cannot wait longer: the upstream ${address} sent no byte of an answer within ${limitMs / 1000} s. ` +
      `To wait longer, set ${flag} (${variable}).`,
  );
}

/** Silence within an answer. */
export function fellSilent(address: string, limitMs: number): UpstreamTimeout {
  const { flag, variable } = settings.idleTimeoutMs;
  return new UpstreamTimeout(
    `Cannot wait longer: the upstream ${address} fell silent for ${limitMs / 1000} s within its answer. ` +
      `To wait longer, set ${flag} (${variable}).`,
  );
}

/** The code of a system error; Deno and Bun put it on the error or on its cause. */
export function codeOf(error: unknown): string {
  return described(error).code;
}

function described(error: unknown): { code: string; message: string } {
  if (!(error instanceof Error)) return { code: "", message: String(error) };
  const own = (error as { code?: unknown }).code;
  if (typeof own === "string") return { code: own, message: error.message };
  return error.cause instanceof Error ? described(error.cause) : { code: "", message: error.message };
}
