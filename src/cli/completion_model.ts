/** What may stand where on the command line, read off the program itself: completions are made from it. */
import type { Argument, Command, Option } from "commander";
import { settingRows } from "../settings/settings.ts";

/** A word that can be completed to, and what it means. */
export interface Word {
  readonly name: string;
  readonly means: string;
}

/** What may be the value of a flag, or an operand: one of some words, a file, or what only the user knows. */
export type Value =
  | { readonly kind: "words"; readonly words: readonly Word[] }
  | { readonly kind: "files" }
  | { readonly kind: "any" };

/** A flag by all of its names; `value` when it has to be given one. */
export interface Flag {
  readonly names: readonly string[];
  readonly means: string;
  readonly value?: Value;
}

/** A command, or the program itself. */
export interface Place {
  /** The words that lead here, by a blank each: `config check`; empty for the program. */
  readonly path: string;
  readonly commands: readonly Word[];
  readonly flags: readonly Flag[];
  readonly operands: readonly Value[];
  /** The place whose flags may stand behind `--`. */
  readonly behind?: string;
}

/** Every place of the program. `usual` is the command that runs when none is named: its flags fit the program too. */
export function placesOf(program: Command, usual: string): readonly Place[] {
  const [root, ...below] = placesBelow(program, "");
  // Commander does not say what `help` takes: the other commands.
  const words = root!.commands.filter(({ name }) => name !== HELP);
  const rest = below.map((place): Place =>
    place.path === HELP ? { ...place, operands: [{ kind: "words", words }] } : place
  );
  const flags = rest.find(({ path }) => path === usual)?.flags ?? [];
  const own = root!.flags.filter(({ names }) => !flags.some((flag) => flag.names.includes(names[0]!)));
  return [{ ...root!, flags: [...flags, ...own] }, ...rest];
}

const HELP = "help";

function placesBelow(command: Command, path: string): Place[] {
  const help = command.createHelp();
  const below = help.visibleCommands(command);
  const commands = below.map((each) => ({ name: each.name(), means: brief(each.description()) }));
  const operands = command.registeredArguments.map(operandOf);
  const settings = command.registeredArguments.some((each) => each.name() === SETTINGS);
  const place: Place = {
    path,
    commands,
    flags: help.visibleOptions(command).map(flagOf),
    operands,
    ...(settings && { behind: "serve" }),
  };
  return [place, ...below.flatMap((each) => placesBelow(each, `${path} ${each.name()}`.trim()))];
}

/** An argument of this name takes the settings of `serve`, behind `--`. */
export const SETTINGS = "settings";

function flagOf(option: Option): Flag {
  const names = [option.long, option.short].filter((name) => typeof name === "string");
  return {
    names,
    means: brief(option.description),
    ...(option.required && { value: valueOf(option) }),
  };
}

function valueOf(option: Option): Value {
  const placeholder = /[<[](.*?)(?:\.\.\.)?[>\]]/.exec(option.flags)?.[1] ?? "";
  const words = option.argChoices ?? wordsOf(option.long ?? "") ??
    (placeholder.includes("|") ? placeholder.split("|") : undefined);
  if (words !== undefined) return plainWords(words);
  return { kind: isFile(placeholder) ? "files" : "any" };
}

function operandOf(argument: Argument): Value {
  if (argument.argChoices !== undefined) return plainWords(argument.argChoices);
  return { kind: isFile(argument.name()) ? "files" : "any" };
}

const isFile = (name: string) => /^(?:files?|folder|path|directory)$/i.test(name);
const plainWords = (words: readonly string[]): Value => ({
  kind: "words",
  words: words.map((name) => ({ name, means: "" })),
});

/** The values of a setting, by its flag; undefined when they cannot be counted. */
function wordsOf(flag: string): readonly string[] | undefined {
  return settingRows.find(([, setting]) => setting.flag === flag)?.[1].words;
}

/** The beginning of a description: as much as fits beside a completion. */
function brief(description: string): string {
  const words = description.split(/;|\s\(/, 1)[0]!.trim();
  return words.length <= MOST_CHARACTERS
    ? words
    : `${words.slice(0, MOST_CHARACTERS).replace(/\W*\s\S*$/, "")} …`;
}

const MOST_CHARACTERS = 70;
