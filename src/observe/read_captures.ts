/** Captures read again from their files. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import type { Capture } from "./capture.ts";

const headers = z.record(z.string(), z.string());
const request = z.object({ method: z.string(), url: z.string(), headers, body: z.string() });
const body = z.object({
  text: z.string().optional(),
  base64: z.base64().optional(),
  cuts: z.array(z.tuple([z.number(), z.number()])),
});

/** What a capture has to have for it to be played; the rest is not looked at. */
const schema = z.object({
  format: z.literal(1, {
    error: ({ input }) => input === undefined ? "it is missing" : "was written by a newer Callmend",
  }),
  id: z.string(),
  config: z.record(z.string(), z.unknown()),
  request,
  attempts: z.array(z.object({
    request,
    status: z.number().optional(),
    headers: headers.optional(),
    body,
    ended: z.string().nullable(),
  })),
  answer: z.object({ status: z.number(), headers, body }).nullable(),
});

/**
 * Reads captures: a file, a bundle (a folder with `capture.json`), or a folder of such files. Throws an error that names
 * the file and what is wrong with it.
 */
export function readCaptures(path: string): readonly { readonly path: string; readonly capture: Capture }[] {
  if (!statSync(path).isDirectory()) return [{ path, capture: readCapture(path) }];
  const names = readdirSync(path).filter((name) => name.endsWith(".json")).sort();
  const chosen = names.includes("capture.json") ? ["capture.json"] : names;
  if (chosen.length === 0) throw new Error(`Cannot read ${path}: there is no capture in it.`);
  return chosen.map((name) => join(path, name)).map((path) => ({ path, capture: readCapture(path) }));
}

function readCapture(path: string): Capture {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new Error(`Cannot read ${path}: ${(error as Error).message}`);
  }
  return captureIn(value, path);
}

/** A value that has to be a capture. Throws an error that says where it is from and what is wrong with it. */
export function captureIn(value: unknown, from: string): Capture {
  const read = schema.safeParse(value);
  if (read.success) return value as Capture;
  const [issue] = read.error.issues;
  throw new Error(
    `Cannot read ${from} as a capture: ${issue?.path.join(".") || "the whole"}: ${issue?.message}`,
  );
}
