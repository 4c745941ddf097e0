/** The kinds of values that settings have: from text or from a file to value, and the words for what is allowed. */
import type { ZodMiniType } from "zod/mini";
import { kind, Refused, type Zod } from "./setting.ts";

/** Longer than a day is taken for a slip: the timers of JavaScript end at 24 days. */
const DAY_SECONDS = 86_400;

/** A text of this form. */
const like = (z: Zod, form: RegExp) => z.string().check(z.regex(form));

/** A text that is checked by a function, which says what is wrong. */
export const checked = (z: Zod, problemOf: (text: string) => string | undefined) =>
  z.string().check(z.superRefine((text, context) => {
    const message = problemOf(text);
    if (message !== undefined) context.addIssue({ code: "custom", message });
  }));

/** A text of a file, made into a value. */
const made = <Value>(z: Zod, text: ZodMiniType<string, string>, by: (text: string) => Value) =>
  z.pipe(text, z.transform(by)) as ZodMiniType<Value>;

/** The parts of a list that is written by comma. */
export const parts = (text: string) =>
  text.split(",").map((part) => part.trim()).filter((part) => part !== "");

/** One of some words. */
export const oneOf = <const Word extends string>(...words: readonly Word[]) =>
  kind<Word>({
    placeholder: "<how>",
    allowed: `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`,
    words,
    read: (text) => words.find((word) => word === text) ?? new Refused(),
    inFile: (z) => z.enum(words) as unknown as ZodMiniType<Word>,
  });

function addressProblem(text: string): string | undefined {
  if (!/^https?:\/\//i.test(text)) return "it does not begin with http:// or https://";
  if (!URL.canParse(text)) return "it cannot be read as an address";
  const { username, password } = new URL(text);
  if (username !== "" || password !== "") {
    return "a user name or password in it would end up in logs; send an authorization header";
  }
  return /[?#]/.test(text) ? "it has a query or a fragment" : undefined;
}

function originProblem(text: string): string | undefined {
  const problem = addressProblem(text);
  if (problem !== undefined || /^\/(?:v1\/?)?$/.test(new URL(text).pathname)) return problem;
  return "it has a path; for an address with a path use --upstream (UPSTREAM_BASE_URL)";
}

const url = (allowed: string, problemOf: (text: string) => string | undefined) => {
  const toUrl = (text: string) => new URL(text);
  return kind<URL>({
    placeholder: "<url>",
    allowed,
    read(text) {
      const problem = problemOf(text);
      return problem === undefined ? toUrl(text) : new Refused(problem);
    },
    inFile: (z) => made(z, checked(z, problemOf), toUrl),
    written: ({ href }) => href,
  });
};

/** An address of a server, without what has no place in one. */
export const address = url(
  "an http:// or https:// address without user name, query or fragment",
  addressProblem,
);

/** The origin of a server. */
export const origin = url(
  `${address.allowed}, and without a path (but for /v1, which is meant anyway)`,
  originProblem,
);

/** What a number has to be. */
interface Limits {
  readonly from: number;
  /** It may be no less than `from`, and not `from` itself either. */
  readonly above?: true;
  readonly to: number;
}

/** A number that is written in this form, within limits. */
function readNumber(text: string, form: RegExp, { from, above, to }: Limits): number | Refused {
  const number = Number(text);
  const low = above ? number <= from : number < from;
  return low || number > to || !form.test(text) ? new Refused() : number;
}

const limited = (z: Zod, number: ZodMiniType<number, number>, { from, above, to }: Limits) =>
  number.check(above ? z.gt(from) : z.gte(from), z.lte(to));

/** A number that is kept in another unit. */
const scaled = (limits: Limits, keep: (value: number) => number, written: (kept: number) => number) => ({
  read(text: string) {
    const number = readNumber(text, /^\d+(\.\d+)?$/, limits);
    return number instanceof Refused ? number : keep(number);
  },
  inFile: (z: Zod) => z.pipe(limited(z, z.number(), limits), z.transform(keep)) as ZodMiniType<number>,
  written,
});

/** A time; kept in milliseconds. */
export const seconds = ({ from = 0, to = DAY_SECONDS } = {}) =>
  kind({
    placeholder: "<seconds>",
    allowed: `seconds from ${from} to ${to}`,
    ...scaled({ from, to }, (value) => value * 1000, (kept) => kept / 1000),
  });

/** A whole number. */
export const whole = (limits: Limits) =>
  kind({
    placeholder: "<number>",
    allowed: `a whole number from ${limits.from} to ${limits.to}`,
    read: (text) => readNumber(text, /^\d{1,9}$/, limits),
    inFile: (z) => limited(z, z.int(), limits),
  });

/** An amount of memory; kept in bytes. */
export const megabytes = kind({
  placeholder: "<MiB>",
  allowed: "MiB, more than 0 and at most 1024",
  ...scaled(
    { from: 0, above: true, to: 1024 },
    (value) => Math.ceil(value * 2 ** 20),
    (kept) => kept / 2 ** 20,
  ),
});

/** Texts of some form, kept as they are or a little tidied. */
const text = (
  form: RegExp,
  words: { readonly placeholder: string; readonly allowed: string },
  tidy = (value: string) => value,
) =>
  kind<string>({
    ...words,
    read: (value) => form.test(value) ? tidy(value) : new Refused(),
    inFile: (z) => made(z, like(z, form), tidy),
  });

/** Where a server listens. */
export const host = text(
  /^([\w.-]+|\[?[\da-f:.]+(%\w+)?\]?)$/i,
  { placeholder: "<address>", allowed: "a host name or an IP address" },
  (name) => name.replace(/^\[|\]$/g, ""),
);

/** The path of a file or a folder. */
export const path = text(/\S/, { placeholder: "<path>", allowed: "a path" });

const KEY = /^[\x21-\x7e]+$/;

/** A key, as it travels in a header. */
export const key = text(KEY, {
  placeholder: "<key>",
  allowed: "letters, digits and signs of ASCII without spaces",
});

/** Names by comma; none at all is a list as well. */
export const names = kind<readonly string[]>({
  placeholder: "<names>",
  allowed: "names of models by comma, or nothing",
  allowedInFile: "a list of names of models",
  read: parts,
  inFile: (z) => z.array(z.string().check(z.minLength(1))),
});

/** On or off. */
export const onOff = kind({
  placeholder: "",
  allowed: "1 or 0",
  allowedInFile: "true or false",
  read(text) {
    if (/^(1|true|yes|on)$/i.test(text)) return true;
    return /^(0|false|no|off)$/i.test(text) ? false : new Refused();
  },
  inFile: (z) => z.boolean(),
});

/** Keys by comma. */
export const keys = kind<readonly string[]>({
  placeholder: "<keys>",
  allowed: `keys by comma, each of ${key.allowed}`,
  allowedInFile: `a list of keys, each of ${key.allowed}`,
  read(text) {
    const all = parts(text);
    if (all.length === 0) return new Refused("there is no key in it");
    return all.every((one) => KEY.test(one)) ? all : new Refused();
  },
  inFile: (z) => z.array(like(z, KEY)),
});
