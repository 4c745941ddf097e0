/** Ids for calls that carry none. */

/** `call_` and 24 random letters and digits, as OpenAI's ids look. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(24));
  return "call_" + Array.from(bytes, (byte) => ALPHABET[byte % ALPHABET.length]).join("");
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
