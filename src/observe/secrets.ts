/** Keeps keys and cookies out of the logs: of headers, of addresses, and of bodies that repeat them. */
import { Buffer } from "node:buffer";
import { SHORTEST_SECRET } from "../settings/setting.ts";

const SECRET_NAME = /auth|key|token|secret|cookie|passw|credential|signature/i;

/** Names that only sound like it. */
const HARMLESS = /^(?:max[_-]?(?:completion[_-]?)?tokens|x-ratelimit-.*|idempotency-key|x-stainless-.*)$/i;

function isSecret(name: string): boolean {
  return SECRET_NAME.test(name) && !HARMLESS.test(name);
}

/** What must not be written for one exchange. */
export class Secrets {
  readonly #values = new Set<string>();

  /** `known`: secrets that no header names. */
  constructor(known: readonly string[] = []) {
    known.forEach((value) => this.#add(value));
  }

  /** Takes note of the secrets in headers, and gives the headers without them, also where another one repeats them. */
  headers(headers: Headers): { readonly [name: string]: string } {
    for (const [name, value] of headers) {
      if (!isSecret(name)) continue;
      this.#add(value);
      for (const part of value.split(/[\s,;]+/)) {
        this.#add(part);
        this.#add(part.slice(part.indexOf("=") + 1));
      }
    }
    return Object.fromEntries(
      [...headers].map(([name, value]) => [
        name,
        isSecret(name) ? `(${value.length} characters)` : this.text(value),
      ]),
    );
  }

  /** An address without what it may hold of secrets: user names, passwords and keys in the query. */
  address(text: string): string {
    const url = new URL(text);
    for (const part of [url.username, url.password]) this.#add(decodeURIComponent(part));
    [url.username, url.password] = ["", ""];
    for (const [name, value] of url.searchParams) {
      if (!isSecret(name)) continue;
      this.#add(value);
      url.searchParams.set(name, "...");
    }
    return url.href;
  }

  /** The secrets in a text become asterisks, as many as they have characters. */
  text(text: string): string {
    let clean = text;
    // The longest first: one may be part of another.
    for (const value of [...this.#values].sort((one, other) => other.length - one.length)) {
      clean = clean.replaceAll(value, "*".repeat(value.length));
    }
    return clean;
  }

  /** The same for bytes that come in pieces; what could begin a secret waits for the next piece. */
  stream(): { push(bytes: Uint8Array): Uint8Array; end(): Uint8Array } {
    const bytesOf = (text: string) => Buffer.from(text, "latin1");
    // As bytes, one character each: pieces may end within a character.
    const values = [...this.#values].map((value) => Buffer.from(value, "utf8").toString("latin1"));
    const longest = Math.max(0, ...values.map(({ length }) => length));
    let held = ""; // may begin a secret
    const clean = (text: string) => {
      let cleaned = text;
      for (const value of values.sort((one, other) => other.length - one.length)) {
        cleaned = cleaned.replaceAll(value, "*".repeat(value.length));
      }
      return cleaned;
    };
    return {
      push(bytes) {
        held = clean(held + Buffer.from(bytes).toString("latin1"));
        const keep = Math.min(held.length, longest);
        const ready = held.slice(0, held.length - keep);
        held = held.slice(held.length - keep);
        return bytesOf(ready);
      },
      end: () => bytesOf(held),
    };
  }

  #add(value: string): void {
    if (value.length < SHORTEST_SECRET || /^(?:bearer|basic)$/i.test(value)) return;
    this.#values.add(value);
    const escaped = JSON.stringify(value).slice(1, -1); // as it stands in a body
    this.#values.add(escaped);
  }
}
