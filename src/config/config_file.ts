/** A configuration file, read and checked: every fault is told, with its line and column. */
import { dirname, resolve } from "node:path";
import * as z from "zod/mini";
import { type Node, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser";
import { type Faults, faultsOf, type PathStep } from "./config_faults.ts";
import { configText } from "./config_place.ts";
import { entryPlaces, fileSchema, type Place, topPlaces } from "./config_schema.ts";
import { ConfigError, type Texts } from "../settings/setting.ts";
import type { SettingName } from "../settings/settings.ts";

/** One value of the file. */
export interface FileValue {
  readonly value: unknown;
  /** Where it stands: `callmend.jsonc:4`. */
  readonly at: string;
}

/** The values of settings. */
export type FileSettings = ReadonlyMap<SettingName, FileValue>;

/** An entry of `upstreams`. */
export interface FileUpstream {
  readonly name: string;
  readonly baseUrl: FileValue;
  /** What other upstreams do not have to be asked for; undefined: whatever comes. */
  readonly models?: readonly string[];
  readonly aliases: { readonly [alias: string]: string };
  readonly settings: FileSettings;
}

/** What a file says. */
export interface ConfigFile {
  /** Its path, as the user knows it. */
  readonly path: string;
  readonly settings: FileSettings;
  readonly upstreams?: readonly FileUpstream[];
}

/**
 * Reads the text of a configuration file; `${NAME}` in it is a variable of the environment.
 * Throws a `ConfigError` with all that is wrong, a line for each: `file:line:column: place: what, allowed …`.
 */
export function readConfigFile(path: string, text: string, environment: Texts): ConfigFile {
  const source = text.replace(/^\ufeff/, "");
  const errors: ParseError[] = [];
  const tree = parseTree(source, errors, { allowTrailingComma: true });
  const faults = faultsOf(path, source, tree);
  for (const { error, offset } of errors) faults.syntax(offset, SYNTAX[printParseErrorCode(error)]);
  const value = tree && valueOf(tree, [], environment, faults);
  const read = z.safeParse(fileSchema(), value);
  if (tree !== undefined && !read.success) faults.issues(read.error.issues);
  refuseClashes(value, faults);
  const problems = faults.told();
  if (problems.length > 0 || !read.success) throw new ConfigError(problems);

  const at = (steps: readonly PathStep[]) => `${path}:${faults.lineOf(steps)}`;
  const settingsIn = (places: readonly Place[], from: readonly PathStep[]): FileSettings =>
    new Map(places.flatMap(({ place, setting }) => {
      if (setting === undefined) return [];
      const steps = [...from, ...place.split(".")];
      const value = valueAt(read.data, steps);
      if (value === undefined) return [];
      const kept = setting === "captureFolder" ? resolve(dirname(path), value as string) : value;
      return [[setting, { value: kept, at: at(steps) }] as const];
    }));
  const { upstreams } = read.data as { upstreams?: readonly Entry[] };
  return {
    path,
    settings: settingsIn(topPlaces, []),
    ...(upstreams && {
      upstreams: upstreams.map(({ name, baseUrl, models, aliases = {} }, n) => ({
        name,
        baseUrl: { value: baseUrl, at: at(["upstreams", n, "baseUrl"]) },
        ...(models && { models }),
        aliases,
        settings: settingsIn(entryPlaces, ["upstreams", n]),
      })),
    }),
  };
}

/** What an entry has beside settings. */
interface Entry {
  readonly name: string;
  readonly baseUrl: URL;
  readonly models?: readonly string[];
  readonly aliases?: { readonly [alias: string]: string };
}

/** Reads and checks the file at `path`. Throws a `ConfigError` with all that is wrong with it. */
export function loadConfigFile(path: string, environment: Texts): ConfigFile {
  return readConfigFile(path, configText(path), environment);
}

/** What the parser's codes mean; what it does not name is said in general. */
const SYNTAX: { readonly [code: string]: string } = {
  CommaExpected: "a comma is missing",
  ColonExpected: "a colon is missing",
  ValueExpected: "a value is missing",
  PropertyNameExpected: "a name in double quotes is missing",
  CloseBraceExpected: "a closing } is missing",
  CloseBracketExpected: "a closing ] is missing",
  EndOfFileExpected: "there is more behind the end",
  UnexpectedEndOfString: "a closing quote is missing",
  UnexpectedEndOfComment: "the end of a comment is missing",
  InvalidEscapeCharacter: "there is no such escape; a backslash is written \\\\",
  InvalidCharacter: "a character that cannot stand in a text; a line break is written \\n",
  InvalidNumberFormat: "it is no number",
};

/** A node's value, with variables put in. */
function valueOf(node: Node, steps: readonly PathStep[], environment: Texts, faults: Faults): unknown {
  const { type, children = [] } = node;
  if (type === "string") return withVariables(String(node.value), steps, environment, faults);
  if (type === "array") {
    return children.map((child, n) => valueOf(child, [...steps, n], environment, faults));
  }
  if (type !== "object") return node.value;
  const members = new Map<string, unknown>();
  for (const { children: [key, value] = [], offset } of children) {
    const name = String(key?.value);
    if (members.has(name)) faults.at(offset, [...steps, name], "it is there twice; keep one");
    if (value !== undefined) members.set(name, valueOf(value, [...steps, name], environment, faults));
  }
  return Object.fromEntries(members);
}

/** A text with the environment's values in place of `${NAME}`; `$${` stands for `${` itself. */
function withVariables(
  text: string,
  steps: readonly PathStep[],
  environment: Texts,
  faults: Faults,
): string {
  return text.replace(/\$?\$\{([^}]*)\}?/g, (whole, name: string) => {
    if (whole.startsWith("$$")) return whole.slice(1);
    if (!/^[A-Za-z_]\w*$/.test(name) || !whole.endsWith("}")) {
      faults.value(steps, "it has a ${ without a variable's name", "${NAME}, or $${ for a plain ${");
      return "";
    }
    const value = environment[name]?.trim();
    if (!value) faults.value(steps, `the variable ${name} is not set`, "the name of a variable that is set");
    return value ?? "";
  });
}

/** Names that mean two things. */
function refuseClashes(value: unknown, faults: Faults): void {
  const list = valueAt(value, ["upstreams"]);
  const [names, aliases] = [new Map<unknown, number>(), new Map<string, number>()];
  for (const [n, entry] of (Array.isArray(list) ? list : []).entries()) {
    const name = valueAt(entry, ["name"]);
    const first = names.get(name);
    if (typeof name === "string" && first !== undefined) {
      faults.value(["upstreams", n, "name"], `upstreams[${first}] has that name too`, "a name for each");
    } else names.set(name, n);
    for (const alias of Object.keys(objectAt(entry, ["aliases"]))) {
      const other = aliases.get(alias);
      const steps = ["upstreams", n, "aliases", alias];
      if (other !== undefined) {
        faults.value(steps, `upstreams[${other}] has that alias too`, "one upstream for each");
      } else aliases.set(alias, n);
    }
  }
}

function objectAt(value: unknown, steps: readonly PathStep[]): object {
  const found = valueAt(value, steps);
  return typeof found === "object" && found !== null && !Array.isArray(found) ? found : {};
}

function valueAt(value: unknown, steps: readonly PathStep[]): unknown {
  return steps.reduce<unknown>(
    (found, step) =>
      typeof found === "object" && found !== null && Object.hasOwn(found, step)
        ? (found as { readonly [step: PathStep]: unknown })[step]
        : undefined,
    value,
  );
}
