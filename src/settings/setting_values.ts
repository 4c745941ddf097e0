/** The kinds of values that settings have: from text or from a file to value, and the words for what is allowed. */
import * as z from "zod";
import { dialects } from "../dialects/mod.ts";
import { fixes } from "../fixes/mod.ts";
import type { DialectRule } from "../repair_config.ts";
import { kind } from "./setting.ts";
import { suggestion } from "./suggest.ts";

/** Longer than a day is taken for a slip: the timers of JavaScript end at 24 days. */
const DAY_SECONDS = 86_400;

const decimal = z.string().regex(/^\d+(\.\d+)?$/).transform(Number);

/** The parts of a list that is written by comma. */
const parts = (text: string) => text.split(",").map((part) => part.trim()).filter((part) => part !== "");

const list = z.string().transform(parts);

/** A text that is checked by a function, which says what is wrong. */
const checked = (problemOf: (text: string) => string | undefined) =>
  z.string().superRefine((text, context) => {
    const message = problemOf(text);
    if (message !== undefined) context.addIssue({ code: "custom", message });
  });

/** One of some words. */
export const oneOf = <const Word extends string>(...words: readonly Word[]) => {
  const file = z.enum(words);
  const allowed = `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
  return kind<Word>({
    placeholder: "<how>",
    allowed,
    schema: z.string().pipe(file as unknown as z.ZodType<Word, string>),
    file: file as unknown as z.ZodType<Word>,
  });
};

function addressProblem(text: string): string | undefined {
  if (!/^https?:\/\//i.test(text)) return "it does not begin with http:// or https://";
  if (!URL.canParse(text)) return "it cannot be read as an address";
  const { username, password } = new URL(text);
  if (username !== "" || password !== "") {
    return "a user name or password in it would end up in logs; send an authorization header";
  }
  return /[?#]/.test(text) ? "it has a query or a fragment" : undefined;
}

const url = z.codec(checked(addressProblem), z.instanceof(URL), {
  decode: (text) => new URL(text),
  encode: ({ href }) => href,
});

/** An address of a server, without what has no place in one. */
export const address = kind({
  placeholder: "<url>",
  allowed: "an http:// or https:// address without user name, query or fragment",
  schema: url,
  file: url,
});

const originUrl = url.refine(({ pathname }) => /^\/(?:v1\/?)?$/.test(pathname), {
  error: "it has a path; for an address with a path use --upstream (UPSTREAM_BASE_URL)",
});

/** The origin of a server. */
export const origin = kind({
  placeholder: "<url>",
  allowed: `${address.allowed}, and without a path (but for /v1, which is meant anyway)`,
  schema: originUrl,
  file: originUrl,
});

/** A time; kept in milliseconds. */
export const seconds = ({ from = 0, to = DAY_SECONDS } = {}) => {
  const file = z.codec(z.number().min(from).max(to), z.number(), {
    decode: (value) => value * 1000,
    encode: (value) => value / 1000,
  });
  return kind({
    placeholder: "<seconds>",
    allowed: `seconds from ${from} to ${to}`,
    schema: decimal.pipe(file),
    file,
  });
};

/** A whole number. */
export const whole = ({ from, to }: { readonly from: number; readonly to: number }) => {
  const file = z.int().min(from).max(to);
  return kind({
    placeholder: "<number>",
    allowed: `a whole number from ${from} to ${to}`,
    schema: z.string().regex(/^\d{1,9}$/).transform(Number).pipe(file),
    file,
  });
};

/** An amount of memory; kept in bytes. */
export const megabytes = (() => {
  const file = z.codec(z.number().gt(0).max(1024), z.number(), {
    decode: (value) => Math.ceil(value * 2 ** 20),
    encode: (value) => value / 2 ** 20,
  });
  return kind({
    placeholder: "<MiB>",
    allowed: "MiB, more than 0 and at most 1024",
    schema: decimal.pipe(file),
    file,
  });
})();

const hostName = z.codec(z.string().regex(/^([\w.-]+|\[?[\da-f:.]+(%\w+)?\]?)$/i), z.string(), {
  decode: (text) => text.replace(/^\[|\]$/g, ""),
  encode: (text) => text,
});

/** Where a server listens. */
export const host = kind({
  placeholder: "<address>",
  allowed: "a host name or an IP address",
  schema: hostName,
  file: hostName,
});

const texts = z.array(z.string().min(1));

/** Names by comma; none at all is a list as well. */
export const names = kind<readonly string[]>({
  placeholder: "<names>",
  allowed: "names of models by comma, or nothing",
  allowedInFile: "a list of names of models",
  schema: list.pipe(texts),
  file: texts,
});

/** The path of a file or a folder. */
export const path = kind({
  placeholder: "<path>",
  allowed: "a path",
  schema: z.string().min(1),
  file: z.string().min(1),
});

/** On or off. */
export const onOff = kind({
  placeholder: "",
  allowed: "1 or 0",
  allowedInFile: "true or false",
  schema: z.string().regex(/^(1|true|yes|on|0|false|no|off)$/i).transform((text) => /^(1|t|y|on)/i.test(text))
    .pipe(z.boolean()),
  file: z.boolean(),
});

const keyText = z.string().regex(/^[\x21-\x7e]+$/);

/** A key, as it travels in a header. */
export const key = kind({
  placeholder: "<key>",
  allowed: "letters, digits and signs of ASCII without spaces",
  schema: keyText,
  file: keyText,
});

const keyList = z.array(keyText);

/** Keys by comma. */
export const keys = kind<readonly string[]>({
  placeholder: "<keys>",
  allowed: `keys by comma, each of ${key.allowed}`,
  allowedInFile: `a list of keys, each of ${key.allowed}`,
  schema: list.pipe(keyList.refine((all) => all.length > 0, { error: "there is no key in it" })),
  file: keyList,
});

/** A text that is one of the ids; editors complete it. */
const idOf = (what: string, ids: readonly string[]) =>
  checked((id) => {
    if (ids.includes(id)) return undefined;
    const meant = suggestion(id, ids);
    const hint = meant === undefined ? "" : `; did you mean ${JSON.stringify(meant)}?`;
    return `there is no ${what} ${JSON.stringify(id)}${hint}`;
  }).meta({ enum: [...ids] });

const dialectIds = z.array(idOf("dialect", dialects.map(({ id }) => id)));

const byModel = z.record(z.string(), dialectIds);

const rules = z.codec(z.union([dialectIds, byModel]), z.custom<readonly DialectRule[]>(), {
  decode: (some) =>
    Array.isArray(some)
      ? [{ models: "*", dialects: some }]
      : Object.entries(some).map(([models, dialects]) => ({ models, dialects })),
  encode: (rules) => {
    const [first] = rules;
    if (rules.length === 1 && first!.models === "*") return [...first!.dialects];
    return Object.fromEntries(rules.map(({ models, dialects }) => [models, [...dialects]]));
  },
});

/** `glm,hermes`, or `glm-*=glm;deepseek*=dsml,hermes`. */
export const dialectRules = kind({
  placeholder: "<ids>",
  allowed: "ids of `callmend dialects` by comma, for all models or as <model>=<ids> by semicolon",
  allowedInFile: "a list of ids of `callmend dialects`, or such a list for each model",
  schema: z.string().transform((text) =>
    Object.fromEntries(
      text.split(";").filter((part) => part.trim() !== "").map((part) => {
        const at = part.indexOf("=");
        return [
          at === -1 ? "*" : part.slice(0, at).trim(),
          part.slice(at + 1).split(",").map((id) => id.trim()),
        ];
      }),
    )
  ).pipe(byModel).transform((some) => z.decode(rules, some)),
  file: rules,
});

const fixIdList = z.array(idOf("fix", fixes.map(({ id }) => id)));

/** Vendor fixes by comma, or `none`. */
export const fixIds = kind<readonly string[]>({
  placeholder: "<ids>",
  allowed: "ids of fixes, by comma, as `callmend fixes` lists them, or none",
  allowedInFile: "a list of ids of fixes, as `callmend fixes` lists them",
  schema: z.string().transform((text, context): readonly string[] => {
    const ids = parts(text).filter((id) => id !== "none");
    const unknown = ids.filter((id) => !fixes.some((fix) => fix.id === id));
    if (unknown.length === 0) return ids;
    context.addIssue({ code: "custom", message: `there is no fix ${unknown.join(", ")}` });
    return z.NEVER;
  }),
  file: fixIdList,
});
