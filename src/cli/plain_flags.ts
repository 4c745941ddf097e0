/** The flags of a plain start of the proxy, read by hand: Commander takes as long to load as all else, and so nearly does node:util. */
import type { Texts } from "../settings/setting.ts";
import { settingRows } from "../settings/settings.ts";

/**
 * The flags by setting's name, when the words start the proxy and no more, each as `--flag value` or `--flag=value`.
 * Undefined for all that could mean something else: a command, a call for help, a mistake. Commander tells about it.
 */
export function plainFlags(words: readonly string[]): Texts | undefined {
  const flags: { [name: string]: string } = {};
  const rest = words[0] === "serve" ? words.slice(1) : [...words];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const [flag, joined] = halves(word);
    const [name, setting] = settingRows.find(([, setting]) => setting.flag === flag) ?? [];
    if (name === undefined) return undefined;
    const isSwitch = setting!.placeholder === "";
    if (isSwitch && joined !== undefined) return undefined;
    const value = isSwitch ? "true" : joined ?? rest.shift();
    if (value === undefined || (joined === undefined && value.startsWith("-"))) return undefined;
    flags[name] = setting!.repeatable && name in flags ? `${flags[name]},${value}` : value;
  }
  return flags;
}

/** A flag, and what is joined to it with `=`. */
function halves(word: string): [flag: string, value: string | undefined] {
  const at = word.indexOf("=");
  return at === -1 ? [word, undefined] : [word.slice(0, at), word.slice(at + 1)];
}
