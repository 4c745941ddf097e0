/** Edits of an OpenCode configuration in place: comments, layout and line ends stay. */
import {
  applyEdits,
  createScanner,
  findNodeAtLocation,
  type FormattingOptions,
  type JSONPath,
  modify,
  parse,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from "jsonc-parser";
import { isObject } from "../wire/call_piece.ts";
import type { Json } from "../wire/openai.ts";
import type { Kind } from "./bundles.ts";

/** The configuration cannot be read or has something else where ours should stand. */
export class OpencodeConfigError extends Error {
  override readonly name = "OpencodeConfigError";
}

/** What is written. */
export interface Addition {
  readonly kind: Kind;
  /** The address of the bundle. */
  readonly url: string;
  /** The provider's name in the configuration; a provider of that name gets our bundle instead of its own. */
  readonly id: string;
  /** The model server that a new provider is for, and its models. */
  readonly upstream: string;
  readonly models: readonly string[];
}

/** What stands under `provider.<id>` when there has been nothing. */
export function newProvider({ url, upstream, models }: Addition): Json {
  return {
    npm: url,
    name: "Callmend",
    options: { baseURL: upstream, apiKey: "{env:CALLMEND_API_KEY}" },
    models: Object.fromEntries(models.map((model) => [model, {}])),
  };
}

/** The text with our lines in it; the same text when they stand there already. */
export function withCallmend(text: string, addition: Addition): string {
  const { kind, url, id } = addition;
  const config = read(text);
  if (kind === "plugin") {
    const plugins = config.plugin ?? [];
    if (!Array.isArray(plugins)) throw new OpencodeConfigError('"plugin" is no list');
    if (plugins.some((entry) => urlOf(entry) === url)) return text;
    if (config.plugin === undefined) return edit(text, ["plugin"], [url]);
    return edit(text, ["plugin", 0], url, true);
  }
  const providers = config.provider ?? {};
  if (!isObject(providers)) throw new OpencodeConfigError('"provider" is no object');
  const there = providers[id];
  if (there === undefined) return edit(text, ["provider", id], newProvider(addition));
  if (!isObject(there)) throw new OpencodeConfigError(`"provider.${id}" is no object`);
  return there.npm === url ? text : edit(text, ["provider", id, "npm"], url);
}

/** Whether a provider of that name is there, which keeps its settings. */
export function hasProvider(text: string, id: string): boolean {
  const { provider } = read(text);
  return isObject(provider) && provider[id] !== undefined;
}

/** The text without our lines: what `before` has in their place comes back. */
export function withoutCallmend(
  text: string,
  { kind, url }: { kind: Kind; url: string },
  before = "{}",
): string {
  const [config, old] = [read(text), read(before)];
  if (kind === "plugin") {
    const plugins = Array.isArray(config.plugin) ? config.plugin : [];
    const at = plugins.findIndex((entry) => urlOf(entry) === url);
    if (at === -1) return text;
    return cut(text, plugins.length === 1 && old.plugin === undefined ? ["plugin"] : ["plugin", at]);
  }
  const oldProviders = isObject(old.provider) ? old.provider : undefined;
  let cleaned = text;
  for (const [id, provider] of Object.entries(isObject(config.provider) ? config.provider : {})) {
    if (!isObject(provider) || provider.npm !== url) continue;
    const was = oldProviders?.[id];
    const npm = isObject(was) && was.npm !== url ? was.npm : undefined;
    cleaned = isObject(was) ? edit(cleaned, ["provider", id, "npm"], npm) : cut(cleaned, ["provider", id]);
  }
  const left = read(cleaned).provider;
  const emptied = cleaned !== text && oldProviders === undefined && isObject(left);
  return emptied && Object.keys(left).length === 0 ? cut(cleaned, ["provider"]) : cleaned;
}

/** An entry of `plugin`: an address, or an address with options. */
function urlOf(entry: unknown): unknown {
  return Array.isArray(entry) ? entry[0] : entry;
}

function read(text: string): Json {
  const errors: ParseError[] = [];
  const config: unknown = text.trim() === "" ? {} : parse(text, errors, { allowTrailingComma: true });
  const [error] = errors;
  if (error !== undefined) {
    const line = text.slice(0, error.offset).split("\n").length;
    throw new OpencodeConfigError(`line ${line}: ${printParseErrorCode(error.error)}`);
  }
  if (!isObject(config)) throw new OpencodeConfigError("it is no object");
  return config;
}

function edit(text: string, path: JSONPath, value: unknown, isArrayInsertion = false): string {
  const formattingOptions = layoutOf(text);
  // In front: behind the last one, a comment on its line would seem to belong to ours.
  const getInsertionIndex = (names: string[]) => names[0] === "$schema" ? 1 : 0;
  return applyEdits(
    text,
    modify(text, path, value, { formattingOptions, isArrayInsertion, getInsertionIndex }),
  );
}

/** Takes out one value, with its name, its comma, and its line if that is empty then: comments stay. */
function cut(text: string, path: JSONPath): string {
  const tree = parseTree(text, [], { allowTrailingComma: true });
  const value = tree && findNodeAtLocation(tree, path);
  const node = value?.parent?.type === "property" ? value.parent : value;
  if (node === undefined) return text;
  const siblings = node.parent?.children ?? [];
  const before = siblings[siblings.indexOf(node) - 1];
  let [start, end] = [node.offset, node.offset + node.length];
  const own = commaBehind(text, end);
  const comma = own ?? (before && commaBehind(text, before.offset + before.length));
  while (/[ \t]/.test(text[start - 1] ?? "")) start--;
  if (own === end) end++;
  const lineEnd = /^[ \t]*\r?\n/.exec(text.slice(end))?.[0];
  if (text[start - 1] === "\n" && lineEnd !== undefined) end += lineEnd.length;
  const without = text.slice(0, start) + text.slice(end);
  if (comma === undefined || (comma >= start && comma < end)) return without;
  const at = comma < start ? comma : comma - (end - start);
  return without.slice(0, at) + without.slice(at + 1);
}

/** Where the comma behind a value stands. */
function commaBehind(text: string, end: number): number | undefined {
  const scanner = createScanner(text, true); // without comments and white space
  scanner.setPosition(end);
  return scanner.scan() === COMMA ? scanner.getTokenOffset() : undefined;
}

/** `SyntaxKind.CommaToken`, which is a type only. */
const COMMA = 5;

/** How a text is laid out: new lines should look like the old ones. */
function layoutOf(text: string): FormattingOptions {
  const indent = /^([ \t]+)"/m.exec(text)?.[1] ?? "  ";
  return {
    insertSpaces: !indent.startsWith("\t"),
    tabSize: indent.startsWith("\t") ? 1 : indent.length,
    eol: text.includes("\r\n") ? "\r\n" : "\n",
  };
}
