/** Who may ask: keys of clients, the one key of an upstream, and what only this machine may see. */
import { Buffer } from "node:buffer";
import process from "node:process";
import { isLoopbackHost } from "./exposure.ts";
import type { Fetch } from "./repair.ts";
import { SHORTEST_SECRET } from "./settings/setting.ts";
import { settings } from "./settings/settings.ts";

/** Loaded when there is a key to compare: most have none, and it takes as long as an eighth of the start. */
const crypto = () => process.getBuiltinModule("node:crypto");

/** The headers in which a client sends its key. */
const KEY_HEADERS = ["authorization", "x-api-key", "api-key"] as const;

/** The keys of clients. */
export interface KeyRing {
  /** There are keys, and one of them has to be sent. */
  readonly required: boolean;
  /** Whether a request has one of the keys; `basic`: as the password of Basic authentication too, as browsers send it. */
  opens(request: Request, how?: { readonly basic?: boolean }): boolean;
  /** Takes the keys out of headers that go on to an upstream. */
  strip(headers: Headers): void;
}

/** Compares in constant time: of two hashes, so that lengths do not show either. */
export function createKeyRing(keys: readonly string[]): KeyRing {
  const hashes = keys.map(hashOf);
  const fits = (given: string | undefined): boolean => {
    if (given === undefined) return false;
    const hash = hashOf(given);
    return hashes.map((each) => crypto().timingSafeEqual(each, hash)).includes(true);
  };
  return {
    required: keys.length > 0,
    opens: ({ headers }, { basic = false } = {}) =>
      KEY_HEADERS.some((name) => fits(keyIn(headers, name)) || (basic && fits(passwordIn(headers)))),
    strip(headers) {
      if (fits(passwordIn(headers))) headers.delete("authorization");
      for (const name of KEY_HEADERS) if (fits(keyIn(headers, name))) headers.delete(name);
    },
  };
}

function hashOf(text: string): Uint8Array {
  return crypto().createHash("sha256").update(text).digest();
}

function keyIn(headers: Headers, name: (typeof KEY_HEADERS)[number]): string | undefined {
  const value = headers.get(name) ?? undefined;
  return name === "authorization" ? /^Bearer +(\S+) *$/i.exec(value ?? "")?.[1] : value;
}

function passwordIn(headers: Headers): string | undefined {
  const encoded = /^Basic +(\S+) *$/i.exec(headers.get("authorization") ?? "")?.[1];
  if (encoded === undefined) return undefined;
  try {
    const text = atob(encoded);
    return text.slice(text.indexOf(":") + 1);
  } catch {
    return undefined;
  }
}

/**
 * Puts the upstream's own key in place of the client's, and keeps the clients' keys here. It stands behind the pipeline,
 * which tells one client from another by what it sent.
 */
export function withCredential(next: Fetch, key: string | undefined, ring: () => KeyRing): Fetch {
  return async (request) => {
    if (key === undefined && !ring().required) return await next(request);
    const headers = new Headers(request.headers);
    ring().strip(headers);
    if (key !== undefined) {
      for (const name of KEY_HEADERS) headers.delete(name);
      headers.set("authorization", `Bearer ${key}`);
    }
    const sent = new Request(request, { headers, signal: request.signal });
    const response = await next(sent);
    return key === undefined ? response : await withoutKey(response, key);
  };
}

/** An error that repeats the upstream's key must not hand it to clients, who do not have it. */
async function withoutKey(response: Response, key: string): Promise<Response> {
  const { ok, status, statusText, body } = response;
  if (ok || key.length < SHORTEST_SECRET) return response;
  const headers = new Headers(response.headers);
  for (const [name, value] of response.headers) {
    if (value.includes(key)) headers.set(name, value.replaceAll(key, "*".repeat(key.length)));
  }
  if (body === null || headers.has("content-encoding")) {
    return new Response(body, { status, statusText, headers });
  }
  const bytes = Buffer.from(await response.arrayBuffer());
  for (let at = bytes.indexOf(key); at !== -1; at = bytes.indexOf(key, at + key.length)) {
    bytes.fill("*", at, at + key.length);
  }
  return new Response(bytes, { status, statusText, headers });
}

/** What a client gets that sent no key, or a wrong one. */
export function keyRefusal(): Response {
  return refusal(
    401,
    "Cannot answer without one of this server's client keys: send it as authorization: Bearer <key>.",
    { "www-authenticate": 'Bearer realm="callmend"' },
  );
}

/**
 * For what only its owner may see (captures, metrics): undefined when the request comes from this machine or has a key
 * (a browser: as the password), else the answer that it gets. `peer`: the address of who is connected.
 */
export function privateRefusal(
  request: Request,
  peer: string | undefined,
  ring: KeyRing,
): Response | undefined {
  if (isLoopback(request, peer) || ring.opens(request, { basic: true })) return undefined;
  if (ring.required) {
    return refusal(401, "Cannot show this without a key: the password is one of this server's client keys.", {
      "www-authenticate": 'Basic realm="callmend", charset="UTF-8"',
    });
  }
  return refusal(
    403,
    "Cannot show this to other machines: ask http://localhost on the machine itself, or set " +
      `${settings.clientKeys.variable} and send one of the keys.`,
  );
}

/**
 * Whether a request comes from this very machine. A proxy in front of it would make all the world look so: no header of
 * one may be there. A page of the web could have its own name lead to 127.0.0.1 (DNS rebinding): the name that was
 * asked for must be this machine's.
 */
export function isLoopback({ headers }: Request, peer: string | undefined): boolean {
  if (peer === undefined || !isLoopbackHost(peer)) return false;
  if (["forwarded", "x-forwarded-for", "x-real-ip"].some((name) => headers.has(name))) return false;
  const host = /^(?:\[([\da-f:.]+)\]|([^:[\]]+))(?::\d{1,5})?$/i.exec(headers.get("host") ?? "");
  return host !== null && isLoopbackHost((host[1] ?? host[2])!);
}

function refusal(status: number, message: string, headers: { [name: string]: string } = {}): Response {
  const code = status === 401 ? "invalid_api_key" : "forbidden";
  const error = { message, type: "invalid_request_error", code, param: null };
  return Response.json({ error }, { status, headers });
}
