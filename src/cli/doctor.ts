/** `callmend doctor`: asks the upstream what its models can do, and tells how to set up Callmend in front of it. */
import { Option } from "commander";
import { settle, type Settled, type Texts } from "../config.ts";
import { loadConfigFile } from "../config/config_file.ts";
import { findConfigFile } from "../config/config_place.ts";
import { MOST_MODELS } from "../doctor/models.ts";
import { type SettingName, settings } from "../settings/settings.ts";
import { BAD_USAGE, command, type Context, type MakeCommand } from "./command.ts";
import { consult, type Consultation, type Patient } from "./doctor_run.ts";
import { reportLines } from "./doctor_text.ts";
import { createProgress } from "./progress.ts";
import { tried } from "./load_config.ts";
import { addressOf } from "../upstream/address.ts";

/** The settings of `serve` that matter to an upstream's answers. */
const SETTINGS = [
  "configFile",
  "upstream",
  "upstreamOrigin",
  "upstreamKey",
  "bridgeProtocol",
  "dialects",
  "reasoning",
  "disabledFixes",
  "enabledFixes",
] as const satisfies readonly SettingName[];

/** Those that have to be said again in front of any upstream. */
const REPEATED = SETTINGS.filter((name) => !/^(?:configFile|upstream.*)$/.test(name));

/** The key that other programs use too: it is sent only to an upstream that somebody has named. */
const OTHER_KEY = "OPENAI_API_KEY";

interface Options {
  readonly model?: readonly string[];
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
      `a model to ask; may be repeated (default: all that the upstream lists, but at most ${MOST_MODELS})`,
    );
  const options = SETTINGS.map((name) => {
    const { flag, placeholder, variable, means } = settings[name];
    const also = name === "upstreamKey" ? ` or, for an upstream that is named, ${OTHER_KEY}` : "";
    const option = new Option(`${flag} ${placeholder}`, `${means} (${variable}${also})`);
    made.addOption(option);
    return { name, key: option.attributeName() };
  });
  return made
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

async function doctor(flags: Texts, options: Options, context: Context): Promise<number | undefined> {
  const { environment } = context;
  if (!/^\d+(\.\d+)?$/.test(options.timeout) || !(Number(options.timeout) > 0)) {
    context.log(`Cannot use --timeout ${JSON.stringify(options.timeout)}: allowed: seconds, more than 0.`);
    return BAD_USAGE;
  }
  // The other settings are the server's business.
  const own = Object.fromEntries(
    SETTINGS.map((name) => [settings[name].variable, environment[settings[name].variable]]),
  );
  const settled = tried(() => {
    const path = findConfigFile(flags, own);
    return settle(flags, own, path === undefined ? undefined : loadConfigFile(path, environment));
  }, context);
  if (settled === undefined) return undefined;
  const repeated = REPEATED.flatMap((name) => {
    const value = flags[name] ?? own[settings[name].variable]?.trim();
    return value ? [settings[name].flag, value] : [];
  });
  const patients = patientsOf(settled, repeated, environment[OTHER_KEY]);
  const keys = patients.flatMap(({ key }) => key === undefined || key.length < SHORTEST_KEY ? [] : [key]);
  const hide = (line: string) => keys.reduce((text, key) => text.replaceAll(key, "[the key]"), line);
  const print = (line: string) => context.print(hide(line));
  const progress = createProgress({ environment, log: (line) => context.log(hide(line)) });
  let found: Consultation;
  try {
    found = await consult(patients, {
      models: options.model,
      limitMs: Number(options.timeout) * 1000,
      progress,
    });
  } finally {
    progress.end();
  }
  for (const { why } of found.upstreams) if (why !== undefined) context.log(hide(why));
  if (options.json) print(JSON.stringify(found, null, 2));
  else if (found.models.length > 0) reportLines(found).forEach(print);
  return found.usable ? 0 : 1;
}

/** A shorter one would take ordinary words out of the report. */
const SHORTEST_KEY = 4;

/** The upstreams to ask, each as it is configured. */
function patientsOf(
  { config, told }: Settled,
  flags: readonly string[],
  otherKey: string | undefined,
): Patient[] {
  return config.upstreams.map((upstream) => {
    const source = (what: string) =>
      told().find(({ place }) => place === `upstreams[${upstream.name}].${what}`)?.source;
    const named = source("baseUrl") !== "default";
    const key = upstream.upstreamKey ?? (named ? otherKey || undefined : undefined);
    const variable = upstream.upstreamKey === undefined ? OTHER_KEY : settings.upstreamKey.variable;
    const { bridgeProtocol, dialects, disabledFixes, enabledFixes } = upstream;
    const fixes = {
      ...(disabledFixes.length > 0 && { disable: disabledFixes }),
      ...(enabledFixes.length > 0 && { enable: enabledFixes }),
    };
    return {
      settings: upstream,
      key,
      lines: {
        address: addressOf(upstream.upstream),
        host: new URL(upstream.upstream.origin).hostname,
        // A name that the user has not given is made of the host.
        ...(upstream.name !== new URL(upstream.upstream.origin).host && { name: upstream.name }),
        keyVariable: key === undefined ? undefined : variable,
        flags: ["--upstream", addressOf(upstream.upstream), ...flags],
        entry: {
          ...(bridgeProtocol !== settings.bridgeProtocol.default && { protocol: bridgeProtocol }),
          ...(dialects !== undefined && {
            dialects: Object.fromEntries(dialects.map(({ models, dialects }) => [models, dialects])),
          }),
          ...(Object.keys(fixes).length > 0 && { fixes }),
        },
      },
    };
  });
}
