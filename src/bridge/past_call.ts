/** Calls of earlier turns as text. */
import { AFTER_MEMBER, jsonMembers, jsonValue, parseLenient } from "../parse/json.ts";
import { Scanner } from "../parse/scanner.ts";
import { isJson } from "../wire/json_text.ts";
import type { PastCall } from "./bridge.ts";

/** A call as one JSON object, its arguments as the client sent them. */
export function callText({ name, json }: PastCall): string {
  return `{"name": ${JSON.stringify(name)}, "arguments": ${json}}`;
}

/** What a client sent as a call's arguments, as the text of a JSON object; what is none becomes one. */
export function argumentsText(given: unknown): string {
  if (typeof given !== "string") return given === undefined || given === null ? "{}" : objectText(given);
  const text = given.trim();
  if (text === "" || text === "null") return "{}";
  if (text.startsWith("{") && isJson(text)) return text;
  const mended = parseLenient(text);
  return mended?.startsWith("{") ? mended : JSON.stringify({ arguments: given });
}

/** The members of an object that is JSON text, each value as it stands. */
export function membersOf(json: string): [name: string, json: string][] {
  const members: [string, string][] = [];
  const scan = new Scanner();
  scan.push(json);
  scan.end();
  jsonMembers(scan, function* (name) {
    let value = "";
    const end = yield* jsonValue(scan, (text) => value += text, { after: AFTER_MEMBER });
    members.push([name, value]);
    return end;
  }).next(); // all is there: it never pauses
  return members;
}

function objectText(given: unknown): string {
  const text = JSON.stringify(given);
  return text.startsWith("{") ? text : JSON.stringify({ arguments: given });
}
