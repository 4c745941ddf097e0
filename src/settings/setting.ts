/** What a setting is, and how it is told that one cannot be used. */
import type * as zod from "zod/mini";

/** zod, handed in where a configuration file is read: most starts read none, and loading it takes a tenth of them. */
export type Zod = typeof zod;

/** A text or a value that is not allowed. */
export class Refused {
  /** @param why what is wrong with it, where "allowed" alone would not tell */
  constructor(readonly why: string | undefined = undefined) {}
}

/** A kind of value. */
export interface Kind<Value> {
  /** What stands for the value in `--help`; empty for a switch, which has none. */
  readonly placeholder: string;
  /** What is allowed, as it stands in error messages. */
  readonly allowed: string;
  /** The same in a configuration file, where that is something else. */
  readonly allowedInFile?: string;
  /** What a flag or a variable says. */
  readonly read: (text: string) => Value | Refused;
  /** What a configuration file may have, to value; the message of a `custom` issue says why not, in front of `allowed`. */
  readonly inFile: (z: Zod) => zod.ZodMiniType<Value>;
  /** A value, as a configuration file has it. */
  written(value: Value): unknown;
  /** The words that it may be, or be made of, where they can be counted; shells complete them. */
  readonly words?: readonly string[];
}

/** One setting of the server, as a user meets it. */
export interface Setting<Value = unknown> extends Kind<Value> {
  readonly flag: string;
  readonly variable: string;
  /** The default, written as a user would write it; undefined when the setting has none. */
  readonly default: string | undefined;
  readonly means: string;
  /** A value to show in `--help`. */
  readonly example: string;
  /** An empty variable is a value too, and not how one writes "not set". */
  readonly mayBeEmpty?: true;
  /** The flag may be given several times; the values are joined by commas. */
  readonly repeatable?: true;
  /** Where it stands in a configuration file: `listen.port`. */
  readonly place?: string;
  /** Each upstream may have its own; where it stands in an entry of the file's `upstreams`. */
  readonly entry?: string;
  /** The value is never shown. */
  readonly secret?: true;
  /** Only a server has it: Callmend inside a client does not read its variable. */
  readonly server?: true;
}

/** A kind; most values stand in a file as they are. */
export function kind<Value>(made: Omit<Kind<Value>, "written"> & Partial<Kind<Value>>): Kind<Value> {
  return { written: (value) => value, ...made };
}

/** Keeps each setting's value type while a table is checked as a whole. */
export const define = <const Table extends Record<string, Setting>>(table: Table): Table => table;

/** A secret, as it may be shown. */
export function hidden(text: string): string {
  return `(${text.length} characters)`;
}

/** A shorter secret is not looked for in texts: it would take ordinary words out of them. */
export const SHORTEST_SECRET = 6;

/** An address as it may be shown: a password or a query does not belong on a screen. */
export function shownAddress(text: string): string {
  return text.replace(/\/\/[^/@]*@/, "//…@").replace(/([?#]).+/, "$1…");
}

/** Texts by name: a process's environment, or the flags that were given. */
export type Texts = { readonly [name: string]: string | undefined };

/** Some settings cannot be used; `problems` has one line for each. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  constructor(readonly problems: readonly string[]) {
    super(problems.join("\n"));
  }
}
