/** What has to be sent back to a model and is dropped by clients: kept in process, for a while, by call id. */

export interface MemoryOptions {
  /** How many entries are kept; the oldest go first. */
  readonly entries: number;
  /** How large they may be together, in bytes of UTF-16. */
  readonly bytes: number;
  /** How long an entry is kept, in milliseconds. */
  readonly ms: number;
  now(): number;
}

/** A call, as far as it tells one from another. */
export interface CallKey {
  readonly id: string;
  readonly name: string;
  /** The arguments' text. */
  readonly arguments: string;
}

/** One client's part of the memory, for one model of one upstream. */
export interface Recall {
  get(kind: string, call: CallKey): string | undefined;
  put(kind: string, call: CallKey, value: string): void;
}

/** What `Recall` is when nobody may remember. */
export const forgetful: Recall = { get: () => undefined, put: () => {} };

interface Entry {
  readonly value: string;
  readonly until: number;
}

export class Memory {
  readonly #options: MemoryOptions;
  readonly #entries = new Map<string, Entry>(); // the one that was used last stands last
  #bytes = 0;

  constructor(options: MemoryOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): string | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#drop(key);
    if (entry.until <= this.#options.now()) return undefined;
    this.#keep(key, entry);
    return entry.value;
  }

  put(key: string, value: string): void {
    const { entries, bytes, ms, now } = this.#options;
    this.#drop(key);
    if (entries < 1 || sizeOf(key, value) > bytes) return;
    const time = now();
    for (const [old, { until }] of this.#entries) {
      const full = this.#entries.size >= entries || this.#bytes + sizeOf(key, value) > bytes;
      if (!full && until > time) break;
      this.#drop(old);
    }
    this.#keep(key, { value, until: time + ms });
  }

  /** The part of it that `scope` may see. */
  of(scope: Scope): Recall {
    const keyOf = (kind: string, call: CallKey) => {
      const key = identify(call, scope.known);
      return key === undefined ? undefined : [scope.name, kind, key].join("\0");
    };
    return {
      get: (kind, call) => {
        const key = keyOf(kind, call);
        return key === undefined ? undefined : this.get(key);
      },
      put: (kind, call, value) => {
        const key = keyOf(kind, call);
        if (key !== undefined && value !== "") this.put(key, value);
      },
    };
  }

  #keep(key: string, entry: Entry): void {
    this.#entries.set(key, entry);
    this.#bytes += sizeOf(key, entry.value);
  }

  #drop(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#bytes -= sizeOf(key, entry.value);
  }
}

/** Who asks, of what. */
export interface Scope {
  readonly name: string;
  /** The client has named itself by a key. */
  readonly known: boolean;
}

/** The scope of a request: a hash, so that no key is kept. */
export async function scopeOf(headers: Headers, host: string, model: string): Promise<Scope> {
  const keys = ["authorization", "x-api-key", "api-key"].map((name) => headers.get(name) ?? "");
  const text = new TextEncoder().encode(JSON.stringify([...keys, host, model]));
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", text));
  const name = Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return { name, known: keys.some((key) => key !== "") };
}

/**
 * What stands for a call. Some servers count their ids from 0 in each answer (`functions.read:0`): such an id says
 * nothing without what was called, and nothing at all of a client that did not say who it is.
 */
function identify({ id, name, arguments: text }: CallKey, known: boolean): string | undefined {
  if (/(?=[\w-]*\d)[\w-]{16,}/.test(id)) return id;
  return known && id !== "" ? [id, name, canonical(text)].join("\0") : undefined;
}

/** Clients write JSON anew, with other white space. */
function canonical(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    return text;
  }
}

function sizeOf(key: string, value: string): number {
  return 2 * (key.length + value.length);
}
