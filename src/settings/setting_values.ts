/**
 * The kinds of values that settings have: from text or from a file to value, and the words for what is allowed. Schemas
 * are made when there is something to check, and in zod's mini form: most starts go by defaults, and should be short.
 */
import * as z from "zod/mini";
import { kind } from "./setting.ts";

/** Longer than a day is taken for a slip: the timers of JavaScript end at 24 days. */
const DAY_SECONDS = 86_400;

/** A text of this form. */
const like = (form: RegExp) => z.string().check(z.regex(form));

/** A text that is checked by a function, which says what is wrong. */
export const checked = (problemOf: (text: string) => string | undefined) =>
  z.string().check(z.superRefine((text, context) => {
    const message = problemOf(text);
    if (message !== undefined) context.addIssue({ code: "custom", message });
  }));

/** From text by a function, then by a schema. */
export const read = <Made, Value>(
  text: z.ZodMiniType<string, string>,
  by: (text: string) => Made,
  into: z.ZodMiniType<Value, Made>,
): z.ZodMiniType<Value, string> => {
  const made = z.pipe(text, z.transform(by)) as z.ZodMiniType<Made, string>;
  return z.pipe(made, into);
};

const decimal = () => like(/^\d+(\.\d+)?$/);

/** The parts of a list that is written by comma. */
export const parts = (text: string) =>
  text.split(",").map((part) => part.trim()).filter((part) => part !== "");

const same = (text: string) => text;

/** One of some words. */
export const oneOf = <const Word extends string>(...words: readonly Word[]) =>
  kind<Word>({
    placeholder: "<how>",
    allowed: `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`,
    words,
    convert: (text) => text as Word,
    schemas: () => {
      const word = z.enum(words) as unknown as z.ZodMiniType<Word, string>;
      return { text: word, file: word };
    },
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

const toUrl = (text: string) => new URL(text);

const url = () =>
  z.codec(checked(addressProblem), z.instanceof(URL), { decode: toUrl, encode: ({ href }) => href });

/** An address of a server, without what has no place in one. */
export const address = kind({
  placeholder: "<url>",
  allowed: "an http:// or https:// address without user name, query or fragment",
  convert: toUrl,
  schemas: () => {
    const file = url();
    return { text: file, file };
  },
});

/** The origin of a server. */
export const origin = kind({
  placeholder: "<url>",
  allowed: `${address.allowed}, and without a path (but for /v1, which is meant anyway)`,
  convert: toUrl,
  schemas: () => {
    const file = url().check(z.refine(({ pathname }) => /^\/(?:v1\/?)?$/.test(pathname), {
      error: "it has a path; for an address with a path use --upstream (UPSTREAM_BASE_URL)",
    }));
    return { text: file, file };
  },
});

/** A number that is kept in another unit. */
const scaled = (
  number: () => z.ZodMiniType<number, number>,
  unit: { readonly decode: (value: number) => number; readonly encode: (value: number) => number },
) => ({
  convert: (text: string) => unit.decode(Number(text)),
  schemas: () => {
    const file = z.codec(number(), z.number(), unit);
    return { text: read(decimal(), Number, file), file };
  },
});

/** A time; kept in milliseconds. */
export const seconds = ({ from = 0, to = DAY_SECONDS } = {}) =>
  kind({
    placeholder: "<seconds>",
    allowed: `seconds from ${from} to ${to}`,
    ...scaled(() => z.number().check(z.gte(from), z.lte(to)), {
      decode: (value) => value * 1000,
      encode: (value) => value / 1000,
    }),
  });

/** A whole number. */
export const whole = ({ from, to }: { readonly from: number; readonly to: number }) =>
  kind({
    placeholder: "<number>",
    allowed: `a whole number from ${from} to ${to}`,
    convert: Number,
    schemas: () => {
      const file = z.int().check(z.gte(from), z.lte(to));
      return { text: read(like(/^\d{1,9}$/), Number, file), file };
    },
  });

/** An amount of memory; kept in bytes. */
export const megabytes = kind({
  placeholder: "<MiB>",
  allowed: "MiB, more than 0 and at most 1024",
  ...scaled(() => z.number().check(z.gt(0), z.lte(1024)), {
    decode: (value) => Math.ceil(value * 2 ** 20),
    encode: (value) => value / 2 ** 20,
  }),
});

/** Where a server listens. */
export const host = kind({
  placeholder: "<address>",
  allowed: "a host name or an IP address",
  convert: same,
  schemas: () => {
    const file = z.codec(like(/^([\w.-]+|\[?[\da-f:.]+(%\w+)?\]?)$/i), z.string(), {
      decode: (text) => text.replace(/^\[|\]$/g, ""),
      encode: same,
    });
    return { text: file, file };
  },
});

const someText = () => z.string().check(z.minLength(1));

/** Names by comma; none at all is a list as well. */
export const names = kind<readonly string[]>({
  placeholder: "<names>",
  allowed: "names of models by comma, or nothing",
  allowedInFile: "a list of names of models",
  convert: parts,
  schemas: () => {
    const file = z.array(someText());
    return { text: read(z.string(), parts, file), file };
  },
});

/** The path of a file or a folder. */
export const path = kind({
  placeholder: "<path>",
  allowed: "a path",
  convert: same,
  schemas: () => ({ text: someText(), file: someText() }),
});

const isOn = (text: string) => /^(?:1|t|y|on)/i.test(text);

/** On or off. */
export const onOff = kind({
  placeholder: "",
  allowed: "1 or 0",
  allowedInFile: "true or false",
  convert: isOn,
  schemas: () => {
    const file = z.boolean();
    return { text: read(like(/^(1|true|yes|on|0|false|no|off)$/i), isOn, file), file };
  },
});

const keyText = () => like(/^[\x21-\x7e]+$/);

/** A key, as it travels in a header. */
export const key = kind({
  placeholder: "<key>",
  allowed: "letters, digits and signs of ASCII without spaces",
  convert: same,
  schemas: () => ({ text: keyText(), file: keyText() }),
});

/** Keys by comma. */
export const keys = kind<readonly string[]>({
  placeholder: "<keys>",
  allowed: `keys by comma, each of ${key.allowed}`,
  allowedInFile: `a list of keys, each of ${key.allowed}`,
  convert: parts,
  schemas: () => {
    const file = z.array(keyText());
    const some = file.check(z.refine((all) => all.length > 0, { error: "there is no key in it" }));
    return { text: read(z.string(), parts, some), file };
  },
});
