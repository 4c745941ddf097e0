/** Tool names: which tool of the request a model means by what it wrote. */
import type { Tool } from "./dialect.ts";

/** What may stand between a namespace and a name: `functions.read`, `tool:read`, `github/read`, `mcp__files__read`. */
const SEPARATOR = /\.|:|\/|__/g;

/** Kimi numbers its calls in the name: `functions.read:0` (vLLM's kimi_k2 parser cuts it off); others `read_1_234`. */
const NUMBER = /(?::\d+|_\d+|\(\))$/;

/** Some proxies put their word in front of all names, and models repeat it: `proxy_read`, `ProxyRead`. */
const PROXY = /^proxy[-_]*/i;

/**
 * Finds the tool that is meant by a name (rule 6): the tool of exactly that name; else the one that is the same
 * but for case, `-` and `_`; else the same with a namespace, a proxy's prefix or a number behind it removed, or with
 * what it says twice said once. Undefined when none or more than one fits: a wrong tool is worse than an error that the
 * model can read.
 */
export function resolver(tools: readonly Tool[]): (name: string) => string | undefined {
  const exact = new Set(tools.map((tool) => tool.name));
  const loose = new Map<string, string | undefined>(); // undefined: two tools differ in nothing but spelling
  for (const name of exact) loose.set(bare(name), loose.has(bare(name)) ? undefined : name);
  const find = (name: string) => exact.has(name) ? name : loose.get(bare(name));
  return (name) => {
    const whole = name.trim();
    if (whole === "") return undefined;
    if (exact.has(whole) || loose.has(bare(whole))) return find(whole);
    for (const candidate of shorter(whole)) {
      if (exact.has(candidate) || loose.has(bare(candidate))) return find(candidate);
    }
    return undefined;
  };
}

/** Says whether a name that is still arriving may become a tool's name, as far as it has come. */
export function beginnings(tools: readonly Tool[]): (name: string) => boolean {
  const names = tools.map((tool) => bare(tool.name));
  const begins = (text: string) => names.some((name) => name.startsWith(bare(text)));
  return (name) => {
    const whole = name.trimStart();
    return begins(whole) ||
      ["functions.", "proxy"].some((prefix) => prefix.startsWith(whole.toLowerCase())) ||
      [...shorter(whole)].some(begins) ||
      /(?:\.|:|\/|__)$/.test(whole);
  };
}

/** What remains of a name without its suffix and its namespaces, the longest first. */
function* shorter(name: string): Generator<string> {
  let unnumbered = name;
  while (unnumbered.length < 256 && NUMBER.test(unnumbered)) {
    unnumbered = unnumbered.replace(NUMBER, "");
    if (unnumbered !== "") yield unnumbered;
  }
  for (const separator of unnumbered.matchAll(SEPARATOR)) {
    const rest = unnumbered.slice(separator.index + separator[0].length);
    if (bare(rest) !== "") yield rest;
  }
  const own = unnumbered.replace(PROXY, "");
  if (own !== unnumbered && bare(own) !== "") yield own;
  const half = name.slice(0, name.length / 2);
  if (half + half === name) yield half; // the server joined a name that came with each delta (symptoms C14)
}

function bare(name: string): string {
  return name.toLowerCase().replace(/[-_]/g, "");
}

/** The declared parameter that is meant by a name which differs in case, `-` or `_`; undefined unless it is one. */
export function declaredName(name: string, declared: readonly string[]): string | undefined {
  for (const plain of [(text: string) => text.toLowerCase(), bare]) {
    const meant = declared.filter((each) => plain(each) === plain(name));
    if (meant.length > 0) return meant.length === 1 ? meant[0] : undefined;
  }
  return undefined;
}
