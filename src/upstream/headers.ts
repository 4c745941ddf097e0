/** Which headers go on from one connection to the next (rule 5). */

/** Headers that speak of one connection (RFC 9110, 7.6.1), and `expect`, which our own server has answered. */
const HOP_BY_HOP = [
  "connection",
  "expect",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

/** Takes out what speaks of the connection that the headers came over. */
export function dropHopByHop(headers: Headers): Headers {
  for (const name of (headers.get("connection") ?? "").split(",")) {
    if (/^[\w!#$%&'*+.^`|~-]+$/.test(name.trim())) headers.delete(name.trim());
  }
  for (const name of HOP_BY_HOP) headers.delete(name);
  return headers;
}

/** The headers of a request on their way up; length and host are the sender's to set. */
export function requestHeaders(request: Request): Headers {
  const headers = dropHopByHop(new Headers(request.headers));
  headers.delete("host");
  headers.delete("content-length");
  headers.set("accept-encoding", "identity");
  return headers;
}
