/** Captures as files: written when an exchange is over, and read again. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import type { Capture } from "./capture.ts";
import { PrivateFiles } from "./private_files.ts";

/** Writes each exchange into a folder. */
export interface CaptureFiles {
  write(capture: Capture): void;
  /** Resolves when all has been written. */
  settled(): Promise<void>;
}

/** `tell` is told once when the folder cannot be written in. */
export function captureFiles(folder: string, tell: (line: string) => void): CaptureFiles {
  const files = new PrivateFiles(tell, "captures");
  return {
    write(capture) {
      const file = files.create(join(folder, fileName(capture)));
      file.write(`${JSON.stringify(capture)}\n`);
      file.close();
    },
    settled: () => files.settled(),
  };
}

/** Names sort by time. */
function fileName({ time, id }: Capture): string {
  return `${time.replace(/\D/g, "").slice(0, 17)}-${id}.json`;
}

const headers = z.record(z.string(), z.string());
const request = z.object({ method: z.string(), url: z.string(), headers, body: z.string() });
const body = z.object({
  text: z.string().optional(),
  base64: z.base64().optional(),
  cuts: z.array(z.tuple([z.number(), z.number()])),
});

/** What a capture has to have for it to be played; the rest is not looked at. */
const schema = z.object({
  format: z.literal(1, "was written by a newer Callmend"),
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
  if (chosen.length === 0) throw new Error(`Cannot replay ${path}: there is no capture in it.`);
  return chosen.map((name) => join(path, name)).map((path) => ({ path, capture: readCapture(path) }));
}

function readCapture(path: string): Capture {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new Error(`Cannot read ${path}: ${(error as Error).message}`);
  }
  const read = schema.safeParse(value);
  if (read.success) return value as Capture;
  const [issue] = read.error.issues;
  throw new Error(
    `Cannot read ${path} as a capture: ${issue?.path.join(".") || "the file"}: ${issue?.message}`,
  );
}
