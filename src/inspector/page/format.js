// @ts-check
/** Numbers, sizes and times as people read them. */

const whole = new Intl.NumberFormat("en");

/** @param {number | undefined | null} value */
export function count(value) {
  return value === undefined || value === null ? "–" : whole.format(value);
}

/** @param {number | undefined | null} bytes */
export function bytes(bytes) {
  if (bytes === undefined || bytes === null) return "–";
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${(bytes / 1000).toFixed(bytes < 10_000 ? 1 : 0)} kB`;
  return `${(bytes / 1_000_000).toFixed(bytes < 10_000_000 ? 1 : 0)} MB`;
}

/** @param {number | undefined | null} ms */
export function duration(ms) {
  if (ms === undefined || ms === null) return "–";
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** @param {string} time in ISO 8601 */
export function clock(time) {
  return new Date(time).toLocaleTimeString("en-GB");
}

/** @param {string} time in ISO 8601 */
export function moment(time) {
  return new Date(time).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" });
}

/** @param {number} n @param {string} one @param {string} [many] */
export function several(n, one, many = `${one}s`) {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/**
 * JSON with line breaks, its values as they are written: no number is rounded, no key lost. Other text as it is.
 * @param {string} text
 */
export function prettyJson(text) {
  try {
    JSON.parse(text);
  } catch {
    return text;
  }
  /** @type {string[]} */
  const out = [];
  let depth = 0;
  const line = () => `\n${"  ".repeat(depth)}`;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s"{}[\],:]+/g)) {
    const last = out.at(-1);
    if (token === "}" || token === "]") {
      depth--;
      out.push(last === "{" || last === "[" ? token : line() + token);
      continue;
    }
    if (last === "{" || last === "[" || last === ",") out.push(line());
    out.push(token === ":" ? ": " : token);
    if (token === "{" || token === "[") depth++;
  }
  return out.join("");
}
