/** The name of the model in a request: read out of it, and changed with all else left as it is. */

/** The model that a JSON body names; undefined when it is no JSON object, or names none. */
export function modelIn(bytes: Uint8Array): string | undefined {
  try {
    const body: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof body !== "object" || body === null || !("model" in body)) return undefined;
    return typeof body.model === "string" ? body.model : undefined;
  } catch {
    return undefined;
  }
}

/** A JSON object's text with another model; every other character stays, numbers of any length too. */
export function withModel(text: string, model: string): string {
  const name = JSON.stringify(model);
  let [made, done] = ["", 0]; // what is written, and how far the text has been taken over
  let depth = 0;
  let key: string | undefined; // the name of the member that is being read
  for (let at = 0; at < text.length; at++) {
    const sign = text[at];
    if (sign === "{" || sign === "[") depth++;
    else if (sign === "}" || sign === "]") depth--;
    else if (sign === "," && depth === 1) key = undefined;
    else if (sign === '"') {
      const end = stringEnd(text, at);
      if (depth === 1 && key === undefined) key = JSON.parse(text.slice(at, end)) as string;
      else if (depth === 1 && key === "model") {
        made += text.slice(done, at) + name;
        done = end;
      }
      at = end - 1;
    }
  }
  return made + text.slice(done);
}

/** The place behind the quote that ends a string. */
function stringEnd(text: string, from: number): number {
  for (let at = text.indexOf('"', from + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let escapes = 0;
    while (text[at - 1 - escapes] === "\\") escapes++;
    if (escapes % 2 === 0) return at + 1;
  }
  return text.length;
}
