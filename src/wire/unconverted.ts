/** Notices markup that went out as text: a call that was missed, in a dialect that nobody has described yet. */
import type { Tool } from "../parse/dialect.ts";
import { isObject } from "./call_piece.ts";
import type { Report } from "./problem.ts";
import type { Stage } from "./stage.ts";

/** What tags and special tokens around calls have been called so far; names of attributes keep prose and HTML out. */
const TAG = new RegExp(
  String.raw`<[/|｜\\]{0,2}(?:[\w.-]{1,24}[:|])?(?:` +
    String
      .raw`tool[_▁ -]?(?:calls?|uses?|request|code|name|sep|args)|function[_▁ -]?calls?|function=[\w.:-]|` +
    String.raw`invoke name=|parameter[= ][\w"']|action[_▁]start|new_tool|execute_tool|call:\w)|` +
    String.raw`\[\[?/?(?:TOOL_CALLS?|TOOL_REQUEST|TOOL_USE|FUNCTION_CALLS?|CALL)\]`,
  "i",
);

/** A call as one JSON object. */
const OBJECT =
  /\{\s*"(?:name|tool|function|tool_name|action)"\s*:\s*"([^"\n]{1,64})"\s*,\s*"(?:arguments|parameters|args|input|params|tool_input|action_input)"\s*:/;

/** Characters without which neither can be. */
const SUSPICIOUS = /[<[{]/;

/** Characters that open or close code, besides. */
const SPECIAL = /[<[{`~\n]/;

/** The longest of what may stand across the end of a chunk. */
const CARRY = 160;

/** Reports once, for one answer; text in code is left alone. */
export function unconverted(tools: readonly Tool[], problem: Report): Stage {
  const names = new Set(tools.map(({ name }) => name));
  const texts = new Map<number, Text>();
  let told = false;

  const look = (plain: string): void => {
    const found = told || !SUSPICIOUS.test(plain) ? null : TAG.exec(plain) ?? objectIn(plain);
    if (found === null) return;
    told = true;
    problem("markup-left", plain.slice(found.index, found.index + 120));
  };
  const objectIn = (text: string): RegExpExecArray | null => {
    const found = OBJECT.exec(text);
    return found !== null && names.has(found[1]!) ? found : null;
  };

  const text = (choice: number, content: string): void => {
    if (told) return;
    let text = texts.get(choice);
    if (text === undefined) texts.set(choice, text = new Text());
    text.push(content, look);
  };

  return {
    text,
    chunk(item) {
      const { choices } = item.chunk;
      if (told || !Array.isArray(choices)) return [item];
      for (const choice of choices) {
        const content = isObject(choice) && isObject(choice.delta) ? choice.delta.content : undefined;
        if (typeof content === "string" && content !== "") text(choice.index ?? 0, content);
      }
      return [item];
    },
    end: () => [],
  };
}

/** The text of one choice, as far as it has not been looked at, without what stands in code. */
class Text {
  #plain = "";
  #code = ""; // the backticks or tildes that opened the code that is open
  #run = ""; // backticks or tildes at the end of what has come

  /** More of it; `look` is given what has come together outside of code. */
  push(text: string, look: (plain: string) => void): void {
    if (this.#plain === "" && this.#run === "" && !SPECIAL.test(text)) return; // the usual case
    const all = this.#run + text;
    this.#run = /(?:`+|~+)$/.exec(all)?.[0] ?? "";
    for (const part of all.slice(0, all.length - this.#run.length).split(/(`+|~{3,}|\n)/)) {
      if (/^(?:`+|~{3,})$/.test(part)) this.#mark(part, look);
      else if (part === "\n" && this.#code.length < 3) this.#code = ""; // inline code ends with its line
      else if (this.#code === "") this.#plain += part;
    }
    look(this.#plain);
    // Only what may go on in the next chunk is kept.
    const from = this.#plain.slice(-CARRY).search(SUSPICIOUS);
    this.#plain = from === -1 ? "" : this.#plain.slice(-CARRY).slice(from);
  }

  #mark(run: string, look: (plain: string) => void): void {
    if (this.#code === "") this.#code = run;
    else if (run[0] === this.#code[0] && run.length >= this.#code.length) this.#code = "";
    if (this.#code === "") return;
    look(this.#plain);
    this.#plain = ""; // what stands before code does not go on behind it
  }
}
