// @ts-check
/** A request as a command for a shell. */

/** @typedef {import("../../observe/capture.ts").CapturedRequest} CapturedRequest */

/** What curl sets by itself, or what belonged to the connection. */
const OWN =
  /^(?:host|content-length|connection|accept-encoding|transfer-encoding|keep-alive|te|upgrade|proxy-.*|sec-fetch-.*)$/i;

/** How a secret is told in a capture: by its length. */
const HIDDEN = /^\(\d+ characters\)$/;

/**
 * What was secret is a variable: `API_KEY` has to be set.
 * @param {CapturedRequest} request
 * @param {string} origin where a path without a host leads
 */
export function curlOf({ method, url, headers, body }, origin) {
  const address = URL.canParse(url) ? url : new URL(url, origin).href;
  const words = [`curl -N ${quoted(address)}`];
  if (method !== (body === "" ? "GET" : "POST")) words.push(`-X ${quoted(method)}`);
  for (const [name, value] of Object.entries(headers)) {
    if (OWN.test(name)) continue;
    if (!HIDDEN.test(value)) words.push(`-H ${quoted(`${name}: ${value}`)}`);
    else if (!/cookie/i.test(name)) words.push(`-H ${secret(name)}`);
  }
  if (body !== "") words.push(`--data-raw ${quoted(body)}`);
  return `${words.join(" \\\n  ")}\n`;
}

/** @param {string} name */
function secret(name) {
  const scheme = /^(?:proxy-)?authorization$/i.test(name) ? "Bearer " : "";
  return `${quoted(`${name}: ${scheme}`)}"$API_KEY"`;
}

/** For any POSIX shell: nothing means anything between single quotes. @param {string} text */
function quoted(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
