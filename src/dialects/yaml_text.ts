/** The little YAML that models write for arguments: mappings, lists, scalars, block text. */

/** A member of the outermost mapping: text that its schema has to type, a string, or JSON. */
export interface YamlMember {
  readonly key: string;
  readonly kind: "string" | "json" | undefined;
  readonly text: string;
  /** What it holds if it is a mapping. */
  readonly members?: readonly YamlMember[];
}

type YamlValue = Omit<YamlMember, "key">;

interface Line {
  readonly indent: number;
  readonly text: string;
}

const MEMBER = /^("[^"]*"|'[^']*'|[\w.$-]+)\s*:(?:\s+(.*))?$/;
const BLOCK = /^([|>])([+-]?)\d*$/;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** The members of a mapping; undefined when `text` is none. */
export function yamlMembers(text: string): readonly YamlMember[] | undefined {
  const lines = text.replace(/\r\n/g, "\n").split("\n").map((line): Line => ({
    indent: /^ */.exec(line)![0].length,
    text: line.trim(),
  }));
  const reader = new YamlReader(lines, text.replace(/\r\n/g, "\n").split("\n"));
  const members = reader.members(reader.indent);
  return members.length > 0 && reader.done ? members : undefined;
}

class YamlReader {
  #at = 0; // the line that is read next
  readonly #lines: readonly Line[];
  readonly #raw: readonly string[];

  constructor(lines: readonly Line[], raw: readonly string[]) {
    this.#lines = lines;
    this.#raw = raw;
  }

  get done(): boolean {
    this.#skipBlank();
    return this.#at >= this.#lines.length;
  }

  /** How far the next line is indented; -1 at the end. */
  get indent(): number {
    this.#skipBlank();
    return this.#lines[this.#at]?.indent ?? -1;
  }

  members(indent: number): YamlMember[] {
    const members: YamlMember[] = [];
    while (this.indent === indent) {
      const found = MEMBER.exec(this.#lines[this.#at]!.text);
      if (found === null) break;
      this.#at++;
      members.push({ key: unquoted(found[1]!), ...this.#value(found[2]?.trim() ?? "", indent) });
    }
    return members;
  }

  #value(text: string, indent: number): YamlValue {
    const block = BLOCK.exec(text);
    if (block !== null) return { kind: "string", text: this.#blockText(indent, block[1]!, block[2]!) };
    if (text !== "") {
      if (/^["']/.test(text)) return { kind: "string", text: unquoted(text) };
      return { kind: undefined, text };
    }
    if (this.indent > indent) return this.#nested(this.indent);
    const isList = this.indent === indent && this.#lines[this.#at]!.text.startsWith("-");
    return isList ? { kind: "json", text: this.#list(indent) } : { kind: undefined, text: "null" };
  }

  #nested(indent: number): YamlValue {
    if (this.#lines[this.#at]!.text.startsWith("- ")) return { kind: "json", text: this.#list(indent) };
    const members = this.members(indent);
    const text = `{${members.map((member) => `${JSON.stringify(member.key)}:${json(member)}`).join(",")}}`;
    return { kind: "json", text, members };
  }

  #list(indent: number): string {
    const items: string[] = [];
    while (this.indent === indent && /^-(?: |$)/.test(this.#lines[this.#at]!.text)) {
      const text = this.#lines[this.#at++]!.text.slice(1).trim();
      items.push(json(this.#value(text, indent)));
    }
    return `[${items.join(",")}]`;
  }

  #blockText(indent: number, style: string, chomp: string): string {
    const first = this.#at;
    let last = first; // behind the last line that is not blank
    while (this.#at < this.#lines.length) {
      const line = this.#lines[this.#at]!;
      if (line.text !== "" && line.indent <= indent) break;
      this.#at++;
      if (line.text !== "") last = this.#at;
    }
    const inner = this.#lines.slice(first, last).find(({ text }) => text !== "")?.indent ?? 0;
    const lines = this.#raw.slice(first, last).map((line) => line.slice(inner));
    const text = style === "|" ? lines.join("\n") : lines.join(" ");
    return text + (chomp === "-" || text === "" ? "" : "\n");
  }

  #skipBlank(): void {
    while (this.#lines[this.#at]?.text === "") this.#at++;
  }
}

function json({ kind, text }: YamlValue): string {
  if (kind === "json") return text;
  if (kind === "string") return JSON.stringify(text);
  if (/^(?:true|false|null)$/i.test(text)) return text.toLowerCase();
  return NUMBER.test(text) || /^[[{]/.test(text) ? text : JSON.stringify(text);
}

function unquoted(text: string): string {
  if (/^'.*'$/.test(text)) return text.slice(1, -1).replaceAll("''", "'");
  if (!/^".*"$/.test(text)) return text;
  try {
    return JSON.parse(text) as string;
  } catch {
    return text.slice(1, -1);
  }
}
