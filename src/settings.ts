/** The one table of settings: it drives the flags, the variables, `--help` and the README's table. */
import { z } from "zod";
import { dialects } from "./dialects/mod.ts";
import type { DialectRule } from "./repair_config.ts";

/** One setting of the server, as a user meets it. */
export interface Setting<Value = unknown> {
  readonly flag: string;
  /** What stands for the value in `--help`. */
  readonly placeholder: string;
  readonly variable: string;
  /** The default, written as a user would write it; undefined when the setting has none. */
  readonly default: string | undefined;
  readonly means: string;
  /** What is allowed, as it stands in error messages. */
  readonly allowed: string;
  /** A value to show in `--help`. */
  readonly example: string;
  /** An empty variable is a value too, and not how one writes "not set". */
  readonly mayBeEmpty?: boolean;
  /** Text to value. The message of a `custom` issue says why, in front of `allowed`. */
  readonly schema: z.ZodType<Value, string>;
}

/** Longer than a day is taken for a slip: the timers of JavaScript end at 24 days. */
const DAY_SECONDS = 86_400;

const addressAllowed = "an http:// or https:// address without user name, query or fragment";

/** An address of a server, without what has no place in one. */
const address = z.string().transform((text, context): URL => {
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
const origin = address.refine((url) => /^\/(?:v1\/?)?$/.test(url.pathname), {
  message: "it has a path; for an address with a path use --upstream (UPSTREAM_BASE_URL)",
});

const decimal = z.string().regex(/^\d+(\.\d+)?$/).transform(Number);

const seconds = decimal.pipe(z.number().max(DAY_SECONDS)).transform((value) => value * 1000);

const port = z.string().regex(/^\d{1,5}$/).transform(Number).pipe(z.number().max(65_535));

const megabytes = decimal.pipe(z.number().positive().max(1024)).transform((value) =>
  Math.ceil(value * 2 ** 20)
);

const host = z.string().regex(/^([\w.-]+|\[?[\da-f:.]+(%\w+)?\]?)$/i)
  .transform((text) => text.replace(/^\[|\]$/g, ""));

/** Names by comma; none at all is a list as well. */
const names = z.string().transform((text) =>
  text.split(",").map((name) => name.trim()).filter((name) => name !== "")
);

const calls = z.string().regex(/^\d{1,3}$/).transform(Number).pipe(z.number().min(1).max(100));

/** `glm,hermes`, or `glm-*=glm;deepseek*=dsml,hermes`. */
const dialectRules = z.string().transform((text, context): readonly DialectRule[] =>
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

const secondsAllowed = `seconds from 0 to ${DAY_SECONDS}`;

/** Keeps each setting's value type while the table is checked as a whole. */
const define = <const Table extends Record<string, Setting>>(table: Table) => table;

export const settings = define({
  upstream: {
    flag: "--upstream",
    placeholder: "<url>",
    variable: "UPSTREAM_BASE_URL",
    default: "https://nano-gpt.com/api/v1",
    means: "the model server's address, with its version path",
    allowed: addressAllowed,
    example: "https://openrouter.ai/api/v1",
    schema: address,
  },
  upstreamOrigin: {
    flag: "--upstream-origin",
    placeholder: "<url>",
    variable: "UPSTREAM_URL",
    default: undefined,
    means: "the model server's origin, instead of --upstream; its API is taken to be under /v1",
    allowed: `${addressAllowed}, and without a path (but for /v1, which is meant anyway)`,
    example: "http://127.0.0.1:8000",
    schema: origin,
  },
  host: {
    flag: "--host",
    placeholder: "<address>",
    variable: "PROXY_HOST",
    default: "127.0.0.1",
    means: "the address to listen on; 0.0.0.0 lets other machines in",
    allowed: "a host name or an IP address",
    example: "0.0.0.0",
    schema: host,
  },
  port: {
    flag: "--port",
    placeholder: "<number>",
    variable: "PROXY_PORT",
    default: "8787",
    means: "the port to listen on; 0 picks a free one and prints it",
    allowed: "a whole number from 0 to 65535",
    example: "9000",
    schema: port,
  },
  mode: {
    flag: "--mode",
    placeholder: "<mode>",
    variable: "TOOL_MODE",
    default: undefined,
    means:
      "native: tools go upstream, and what leaks is mended; bridge: they are taught as text; fallback: native, " +
      "then bridge; not said: bridge at nano-gpt.com, else native",
    allowed: "native, bridge or fallback",
    example: "fallback",
    schema: z.enum(["native", "bridge", "fallback"]),
  },
  bridgeProtocol: {
    flag: "--bridge-protocol",
    placeholder: "<name>",
    variable: "BRIDGE_PROTOCOL",
    default: "markers",
    means:
      "what a bridged model is taught: markers ([[CALL]]), object (one JSON object) or xml (an element a tool)",
    allowed: "markers, object or xml",
    example: "object",
    schema: z.enum(["markers", "object", "xml"]),
  },
  bridgeMaxCalls: {
    flag: "--bridge-max-calls",
    placeholder: "<number>",
    variable: "BRIDGE_MAX_CALLS",
    default: "5",
    means: "the most calls that a bridged model may make in one answer",
    allowed: "a whole number from 1 to 100",
    example: "1",
    schema: calls,
  },
  bridgeModels: {
    flag: "--bridge-models",
    placeholder: "<names>",
    variable: "BRIDGE_MODELS",
    default: undefined,
    means:
      "by comma: these models are bridged, all others fall back; empty: all fall back; not said: --mode decides",
    allowed: "names of models by comma, or nothing",
    example: "deepseek-v3.2,glm-4.7",
    mayBeEmpty: true,
    schema: names,
  },
  fallbackMs: {
    flag: "--fallback-time",
    placeholder: "<seconds>",
    variable: "FALLBACK_TIME",
    default: "600",
    means: "for how long a model that fell back is bridged at once",
    allowed: secondsAllowed,
    example: "3600",
    schema: seconds,
  },
  arguments: {
    flag: "--arguments",
    placeholder: "<how>",
    variable: "TOOL_ARGUMENTS",
    default: "stream",
    means: "stream: arguments go out as they arrive; whole: each call once it is complete",
    allowed: "stream or whole",
    example: "whole",
    schema: z.enum(["stream", "whole"]),
  },
  reasoning: {
    flag: "--reasoning",
    placeholder: "<how>",
    variable: "REASONING",
    default: "split",
    means: "split: `<think>` in the text becomes reasoning_content; keep: it stays in the text; " +
      "open: the prompt has opened it, only `</think>` will come",
    allowed: "split, keep or open",
    example: "keep",
    schema: z.enum(["split", "keep", "open"]),
  },
  dialects: {
    flag: "--dialects",
    placeholder: "<ids>",
    variable: "TOOL_DIALECTS",
    default: undefined,
    means:
      "look for these dialects only, tried in this order, instead of all; by model as glm-*=glm;deepseek*=dsml,hermes",
    allowed: "ids of `callmend dialects` by comma, for all models or as <model>=<ids> by semicolon",
    example: "glm-*=glm,hermes",
    schema: dialectRules,
  },
  drainTimeoutMs: {
    flag: "--drain-timeout",
    placeholder: "<seconds>",
    variable: "DRAIN_TIMEOUT",
    default: "30",
    means: "how long running answers may go on after SIGTERM or Ctrl-C",
    allowed: secondsAllowed,
    example: "120",
    schema: seconds,
  },
  firstByteTimeoutMs: {
    flag: "--first-byte-timeout",
    placeholder: "<seconds>",
    variable: "FIRST_BYTE_TIMEOUT",
    default: "600",
    means: "how long the upstream may take to begin its answer; 0: as long as it likes",
    allowed: secondsAllowed,
    example: "1200",
    schema: seconds,
  },
  idleTimeoutMs: {
    flag: "--idle-timeout",
    placeholder: "<seconds>",
    variable: "IDLE_TIMEOUT",
    default: "300",
    means: "how long the upstream may fall silent within an answer; 0: as long as it likes",
    allowed: secondsAllowed,
    example: "600",
    schema: seconds,
  },
  keepAliveMs: {
    flag: "--keep-alive",
    placeholder: "<seconds>",
    variable: "KEEP_ALIVE",
    default: "15",
    means: "how often an empty delta goes out while a call is held back",
    allowed: "seconds from 1 to 3600",
    example: "5",
    schema: decimal.pipe(z.number().min(1).max(3600)).transform((value) => value * 1000),
  },
  requestBytes: {
    flag: "--max-request",
    placeholder: "<MiB>",
    variable: "MAX_REQUEST_MB",
    default: "64",
    means: "the largest chat request that is taken, in MiB",
    allowed: "MiB, more than 0 and at most 1024",
    example: "128",
    schema: megabytes,
  },
});

/** A setting's name: the field of `Config` that it fills. */
export type SettingName = keyof typeof settings;

/** The table as rows, in the order in which a user reads them. */
export const settingRows = Object.entries(settings) as readonly [SettingName, Setting][];
