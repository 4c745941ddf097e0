/** Reads the tags of the protocol `xml`. */
import { type Marker, MarkerSet } from "../parse/marker.ts";
import type { Scanner, Step } from "../parse/scanner.ts";

/** The rest of a tag, without its `>`. */
export function* restOfTag(scan: Scanner): Step<string | undefined> {
  let text = "";
  do {
    const part = yield* scan.take(TAG_END, 65_536);
    if (part === undefined) return undefined;
    text += (text === "" ? "" : ">") + part.text;
  } while (text.split('"').length % 2 === 0); // an open quote: `>` is part of it
  return text.trimEnd();
}

export interface ChildTag {
  readonly name: string;
  /** The argument that is meant: the same, but for `<parameter name="…">`. */
  readonly parameter: string;
  /** What else may follow its closer. */
  readonly next: readonly Marker[];
  readonly kind: "json" | "string" | undefined;
  readonly empty: boolean;
}

/** A child's opening tag. */
export function* childTag(scan: Scanner, declared: readonly string[]): Step<ChildTag | undefined> {
  if (!(yield* scan.accept("<"))) return undefined;
  const tag = yield* scan.take(TAG_END, 256);
  const read = tag && CHILD.exec(tag.text);
  if (!read) return undefined;
  const [, name, rest = ""] = read as unknown as [string, string, string?];
  const type = /\btype\s*=\s*["']?(\w+)/.exec(rest)?.[1];
  const named = PARAMETER.includes(name) ? NAME.exec(rest)?.[2] : undefined;
  return {
    name,
    next: named === undefined ? [] : [`<${name} name=`, `<${name}=`],
    parameter: named !== undefined && !declared.includes(name) ? named : name,
    kind: type === "json" || type === "string" ? type : undefined,
    empty: tag.text.endsWith("/"),
  };
}

const TAG_END = new MarkerSet([">"]);
const CHILD = /^([^\s<>/=]+)([\s=][^<>]*?)?\/?$/;
/** How other dialects write an argument: `<parameter name="filePath">`, `<parameter=filePath>`. */
const PARAMETER = ["parameter", "param", "argument", "arg"];
const NAME = /^(?:\s+name\s*)?=\s*(["']?)([\w.:-]+)\1\s*$/;
