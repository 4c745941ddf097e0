/** What the values of settings may be: from text to value, and the words for what is allowed. */
import { z } from "zod";
import { dialects } from "./dialects/mod.ts";
import { fixes } from "./fixes/mod.ts";
import type { DialectRule } from "./repair_config.ts";

/** Longer than a day is taken for a slip: the timers of JavaScript end at 24 days. */
const DAY_SECONDS = 86_400;

export const addressAllowed = "an http:// or https:// address without user name, query or fragment";

/** An address of a server, without what has no place in one. */
export const address = z.string().transform((text, context): URL => {
  const refuse = (message: string): never => {
    context.addIssue({ code: "custom", message });
    return z.NEVER;
  };
  if (!/^https?:\/\//i.test(text)) return refuse("it does not begin with http:// or https://");
  if (!URL.canParse(text)) return refuse("it cannot be read as an address");
  const url = new URL(text);
  if (url.username !== "" || url.password !== "") {
    return refuse("a user name or password in it would end up in logs; send an authorization header");
  }
  if (/[?#]/.test(text)) return refuse("it has a query or a fragment");
  return url;
});

/** The origin of a server. */
export const origin = address.refine((url) => /^\/(?:v1\/?)?$/.test(url.pathname), {
  message: "it has a path; for an address with a path use --upstream (UPSTREAM_BASE_URL)",
});

export const decimal = z.string().regex(/^\d+(\.\d+)?$/).transform(Number);

export const seconds = decimal.pipe(z.number().max(DAY_SECONDS)).transform((value) => value * 1000);

export const port = z.string().regex(/^\d{1,5}$/).transform(Number).pipe(z.number().max(65_535));

export const megabytes = decimal.pipe(z.number().positive().max(1024)).transform((value) =>
  Math.ceil(value * 2 ** 20)
);

export const host = z.string().regex(/^([\w.-]+|\[?[\da-f:.]+(%\w+)?\]?)$/i)
  .transform((text) => text.replace(/^\[|\]$/g, ""));

/** Names by comma; none at all is a list as well. */
export const names = z.string().transform((text) =>
  text.split(",").map((name) => name.trim()).filter((name) => name !== "")
);

export const calls = z.string().regex(/^\d{1,3}$/).transform(Number).pipe(z.number().min(1).max(100));

/** `glm,hermes`, or `glm-*=glm;deepseek*=dsml,hermes`. */
export const dialectRules = z.string().transform((text, context): readonly DialectRule[] =>
  text.split(";").filter((part) => part.trim() !== "").map((part) => {
    const at = part.indexOf("=");
    const ids = part.slice(at + 1).split(",").map((id) => id.trim());
    const unknown = ids.find((id) => !dialects.some((dialect) => dialect.id === id));
    if (unknown !== undefined) {
      context.addIssue({ code: "custom", message: `there is no dialect ${JSON.stringify(unknown)}` });
    }
    return { models: at === -1 ? "*" : part.slice(0, at).trim(), dialects: ids };
  })
);

export const fixIds = z.string().transform((text, context): readonly string[] => {
  const ids = text.split(",").map((id) => id.trim()).filter((id) => id !== "" && id !== "none");
  const unknown = ids.filter((id) => !fixes.some((fix) => fix.id === id));
  if (unknown.length === 0) return ids;
  context.addIssue({ code: "custom", message: `there is no fix ${unknown.join(", ")}` });
  return z.NEVER;
});

export const fixesAllowed = "ids of fixes, by comma, as `callmend fixes` lists them, or none";

export const secondsAllowed = `seconds from 0 to ${DAY_SECONDS}`;
