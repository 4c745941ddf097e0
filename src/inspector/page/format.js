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
  let [depth, last] = [0, ""];
  const line = () => `\n${"  ".repeat(depth)}`;
  for (const token of tokens(text)) {
    const closes = token === "}" || token === "]";
    const opened = last === "{" || last === "[";
    if (closes) depth--;
    if (closes ? !opened : opened || last === ",") out.push(line());
    out.push(token === ":" ? ": " : token);
    if (token === "{" || token === "[") depth++;
    last = token;
  }
  return out.join("");
}

/** The tokens of a JSON text. Strings are found by hand: they may be longer than a pattern can be. @param {string} text */
function* tokens(text) {
  const plain = /[{}[\],:]|[^\s"{}[\],:]+|"/g;
  for (let found = plain.exec(text); found !== null; found = plain.exec(text)) {
    if (found[0] !== '"') {
      yield found[0];
      continue;
    }
    let end = found.index;
    let escaped = true;
    while (escaped) {
      end = text.indexOf('"', end + 1);
      let at = end;
      while (text[at - 1] === "\\") at--;
      escaped = (end - at) % 2 === 1;
    }
    plain.lastIndex = end + 1;
    yield text.slice(found.index, end + 1);
  }
}
