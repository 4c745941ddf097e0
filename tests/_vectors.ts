/** The vectors under fixtures/dialects/: language-neutral cases that any parser can be held against. */
import { readdirSync, readFileSync } from "node:fs";
import type { Schema, Tool } from "../src/parse/dialect.ts";
import type { Piece, Turn } from "./_turn.ts";

export interface Vector {
  readonly id: string;
  readonly case: string;
  readonly why: string;
  readonly ref?: string;
  readonly tools: readonly string[];
  readonly input: string | readonly Piece[];
  /** The prompt has opened the reasoning. */
  readonly startsInReasoning?: true;
  readonly expect: Omit<Turn, "cut"> & { readonly finish?: "length" };
  readonly knownBroken?: string;
}

export interface VectorFile {
  readonly format: 1;
  readonly dialect: string;
  readonly source: string;
  readonly tools: { readonly [name: string]: { readonly parameters: Schema } };
  readonly cases: readonly Vector[];
  readonly notApplicable?: { readonly [name: string]: string };
}

const folder = new URL("../fixtures/dialects/", import.meta.url);

/** All vector files. */
export const vectorFiles: readonly VectorFile[] = readdirSync(folder)
  .filter((name) => name.endsWith(".json")).sort()
  .map((name) => JSON.parse(readFileSync(new URL(name, folder), "utf8")) as VectorFile);

/** The tools that a vector's request offers. */
export function toolsOf(file: VectorFile, vector: Vector): Tool[] {
  return vector.tools.map((name) => ({ name, parameters: file.tools[name]!.parameters }));
}

/** A vector's input as pieces. */
export function piecesOf({ input }: Vector): readonly Piece[] {
  return typeof input === "string" ? [input] : input;
}
