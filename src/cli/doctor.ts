/** `callmend doctor`: asks the upstream what its models can do, and tells how to set up Callmend in front of it. */
import { Option } from "commander";
import type { Config, Texts } from "../config.ts";
import type { Upstream } from "../doctor/advice.ts";
import { examine, type Step } from "../doctor/examine.ts";
import { type Findings, findingsOf } from "../doctor/findings.ts";
import { MOST_MODELS, reach, someOf } from "../doctor/models.ts";
import type { Asking } from "../doctor/recording.ts";
import { type SettingName, settings } from "../settings.ts";
import { createUpstream } from "../upstream.ts";
import { addressOf } from "../upstream/address.ts";
import { version } from "../version.ts";
import { BAD_USAGE, command, type Context, type MakeCommand } from "./command.ts";
import { reportLines } from "./doctor_text.ts";
import { createProgress, type Progress } from "./progress.ts";
import { configOf } from "./serve.ts";

/** The settings of `serve` that matter to an upstream's answers. */
const SETTINGS = [
  "upstream",
  "upstreamOrigin",
  "bridgeProtocol",
  "dialects",
  "reasoning",
  "disabledFixes",
  "enabledFixes",
] as const satisfies readonly SettingName[];

/** Where the key is looked for. The second one belongs to any server, and is sent only to one that was named. */
const KEY_VARIABLES = ["UPSTREAM_API_KEY", "OPENAI_API_KEY"] as const;

interface Options {
  readonly model?: readonly string[];
  readonly key?: string;
  readonly timeout: string;
  readonly json?: boolean;
}

export const makeDoctor: MakeCommand = (context) => {
  const made = command(
    "doctor",
    "ask the upstream what its models do with tools, and print the configuration that makes them usable",
    [
      "callmend doctor --upstream http://127.0.0.1:8000/v1",
      "UPSTREAM_API_KEY=… callmend doctor --upstream https://openrouter.ai/api/v1 --model z-ai/glm-4.7 --json",
    ],
  )
    .option(
      "--model <name...>",
      `a model to ask; may be repeated (default: all that /models lists, but at most ${MOST_MODELS})`,
    );
  const options = SETTINGS.map((name) => {
    const { flag, placeholder, variable, means } = settings[name];
    const option = new Option(`${flag} ${placeholder}`, `${means} (${variable})`);
    made.addOption(option);
    return { name, key: option.attributeName() };
  });
  return made
    .option(
      "--key <key>",
      `the upstream's key (${KEY_VARIABLES[0]}, or ${KEY_VARIABLES[1]} for an upstream that is named)`,
    )
    .option("--timeout <seconds>", "how long each answer may take", "120")
    .option("--json", "print one JSON document with all that was found")
    .addHelpText(
      "after",
      "\nExit code 0: tool calls of every model asked work through Callmend with the lines printed; " +
        "1: not, or the\nupstream is not reached; 2: bad usage.",
    )
    .action(async (given: Texts & Options) => {
      const flags = Object.fromEntries(options.map(({ name, key }) => [name, given[key]]));
      const code = await doctor(flags, given, context);
      if (code !== undefined) context.exit(code);
    });
};

/** The settings that were given, as flags. */
function givenFlags(flags: Texts, environment: Texts): string[] {
  return SETTINGS.filter((name) => !name.startsWith("upstream")).flatMap((name) => {
    const value = flags[name] ?? environment[settings[name].variable]?.trim();
    return value ? [settings[name].flag, value] : [];
  });
}

async function doctor(flags: Texts, options: Options, context: Context): Promise<number | undefined> {
  const environment = Object.fromEntries(
    SETTINGS.map((name) => [settings[name].variable, context.environment[settings[name].variable]]),
  );
  if (!/^\d+(\.\d+)?$/.test(options.timeout) || !(Number(options.timeout) > 0)) {
    context.log(`Cannot use --timeout ${JSON.stringify(options.timeout)}: allowed: seconds, more than 0.`);
    return BAD_USAGE;
  }
  const config = configOf(flags, { ...context, environment });
  if (config === undefined) return undefined;
  const named = ["upstream", "upstreamOrigin"].some((name) => flags[name]) ||
    Boolean(environment[settings.upstream.variable] || environment[settings.upstreamOrigin.variable]);
  const variable = KEY_VARIABLES.find((name, n) => (n === 0 || named) && context.environment[name]);
  const key = options.key ?? (variable && context.environment[variable]);
  const hide = (text: string) =>
    key === undefined || key.length < 4 ? text : text.replaceAll(key, "[the key]");
  const safe: Context = {
    ...context,
    print: (line) => context.print(hide(line)),
    log: (line) => context.log(hide(line)),
  };
  // Times are watched by the checks themselves.
  const next = createUpstream({ ...config, firstByteTimeoutMs: 0, idleTimeoutMs: 0 });
  const progress = createProgress(safe);
  try {
    const asking: Asking = { next, key, limitMs: Number(options.timeout) * 1000 };
    const upstream: Upstream = {
      ...upstreamOf(config),
      keyVariable: key === undefined ? undefined : variable ?? KEY_VARIABLES[0],
      flags: ["--upstream", addressOf(config.upstream), ...givenFlags(flags, environment)],
    };
    return await run({ asking, upstream, config, options, progress, context: safe });
  } finally {
    progress.end();
    next.close();
  }
}

/** The upstream, and what of the configuration belongs to it. */
function upstreamOf(config: Config): Pick<Upstream, "address" | "host" | "entry"> {
  const { bridgeProtocol, dialects, disabledFixes, enabledFixes } = config;
  const fixes = {
    ...(disabledFixes.length > 0 && { disable: disabledFixes }),
    ...(enabledFixes.length > 0 && { enable: enabledFixes }),
  };
  return {
    address: addressOf(config.upstream),
    host: new URL(config.upstream.origin).hostname,
    entry: {
      ...(bridgeProtocol !== settings.bridgeProtocol.default && { protocol: bridgeProtocol }),
      ...(dialects !== undefined && {
        dialects: Object.fromEntries(dialects.map(({ models, dialects }) => [models, dialects])),
      }),
      ...(Object.keys(fixes).length > 0 && { fixes }),
    },
  };
}

interface Run {
  readonly asking: Asking;
  readonly upstream: Upstream;
  readonly config: Config;
  readonly options: Options;
  readonly progress: Progress;
  readonly context: Context;
}

async function run({ asking, upstream, config, options, progress, context }: Run): Promise<number> {
  const { address, host } = upstream;
  progress.begin(`asking ${address}/models`);
  const reached = await reach(asking);
  const listed = reached.kind === "models" ? reached.models : [];
  const models = options.model ?? someOf(listed);
  const fail = (why: string): number => {
    progress.end();
    if (options.json) {
      const document = {
        version,
        upstream: address,
        reachable: reached.kind !== "failed",
        usable: false,
        why,
        models: [],
      };
      context.print(JSON.stringify(document, null, 2));
    } else context.log(why);
    return 1;
  };
  if (reached.kind === "failed") {
    // The upstream's own words may be a whole sentence already.
    return fail(
      /^Cannot/.test(reached.why) ? reached.why : `Cannot use the upstream ${address}: ${reached.why}.`,
    );
  }
  progress.done(
    `${address} answers; ${
      reached.kind === "models" ? `${listed.length} models` : reached.why
    } (${reached.ms} ms)`,
  );
  if (models.length === 0) {
    return fail(`Cannot tell which models ${address} has (its /models lists none): name one with --model.`);
  }
  const all: Findings[] = [];
  for (const model of models) {
    const pause = async (ms: number) => {
      progress.done(`${model}: asked too often (429); waiting ${ms / 1000} s, as the server asks`);
      await new Promise((resolve) => setTimeout(resolve, ms));
    };
    const { reasoning, dialects, bridgeProtocol, disabledFixes, enabledFixes } = config;
    const means = {
      model,
      host,
      asking,
      pause,
      config: { reasoning, bridgeProtocol, disabledFixes, enabledFixes, ...(dialects && { dialects }) },
    };
    all.push(findingsOf(await examine(means, (step) => show(step, progress)), means, upstream));
  }
  progress.end();
  const usable = all.every((findings) => findings.usable);
  const document = {
    version,
    upstream: address,
    reachable: true,
    listed: listed.length,
    usable,
    models: all,
  };
  if (options.json) context.print(JSON.stringify(document, null, 2));
  else for (const line of reportLines(document)) context.print(line);
  return usable ? 0 : 1;
}

function show({ model, done, total, what, result, ms = 0 }: Step, progress: Progress): void {
  if (result === undefined) progress.begin(`${model} ${done + 1}/${total}: ${what}`);
  else progress.done(`${model} ${done}/${total}: ${what}: ${result} (${(ms / 1000).toFixed(1)} s)`);
}
