/** Calls as JSON objects between special tokens, a row a model (family E). */
import type { Dialect, Opener } from "../parse/dialect.ts";
import { type Marker, maybe, shape, space } from "../parse/marker.ts";
import type { Scanner, Step } from "../parse/scanner.ts";
import { jsonCalls } from "./json_calls.ts";
import { acceptBehindSpace } from "./said.ts";

/** One way to mark the objects. */
interface Row {
  readonly id: string;
  readonly aka: readonly string[];
  readonly models: string;
  readonly opens: readonly Marker[];
  /** What has to follow the opener. */
  readonly head?: Marker;
  /** What closes the block; without any, the JSON does. */
  readonly closers: readonly Marker[];
}

const ROWS: readonly Row[] = [
  {
    // <|action_start|><|plugin|>{"name": "get_weather", "parameters": {"city": "Paris", "days": 3}}<|action_end|>
    // Detokenizers put white space between the tokens. vLLM internlm and intern_s1, SGLang interns1.
    id: "internlm",
    aka: ["internlm2", "intern_s1", "interns1"],
    models: "InternLM2, InternLM2.5, Intern-S1",
    opens: ["<|action_start|>"],
    head: "<|plugin|>",
    closers: ["<|action_end|>"],
  },
  {
    // <|message_sep|>
    //
    // function call<|role_sep|>
    // {"name": "get_weather", "arguments": {"city": "Paris", "days": 3}}
    // GigaChat 3.1: <|function_call|>{…}. GigaChat 3.5 writes DSML. Elsewhere: vLLM and SGLang gigachat3.
    id: "gigachat",
    aka: ["gigachat3", "gigachat31"],
    models: "GigaChat 3 and 3.1",
    opens: [
      shape("<|message_sep|>", space, "function call", maybe(" "), "<|role_sep|>"),
      "function call<|role_sep|>",
      "<|function_call|>",
    ],
    closers: [],
  },
  {
    // <|tool_call_start|>[{"name": "get_weather", "arguments": {"city": "Paris", "days": 3}}]<|tool_call_end|>
    // LFM2 has the same markers, around Python. Elsewhere: vLLM openpangu.
    id: "pangu",
    aka: ["openpangu"],
    models: "openPangu; LFM2 at times",
    opens: ["<|tool_call_start|>"],
    closers: ["<|tool_call_end|>"],
  },
];

export const tokenJson: readonly Dialect[] = ROWS.map((row): Dialect => ({
  id: row.id,
  aka: row.aka,
  models: row.models,
  opens: row.opens.map((marker): Opener => ({ marker, form: "wrapped" })),

  *block(scan, out) {
    yield* scan.skipSpace();
    if (row.head !== undefined && !(yield* scan.accept(row.head))) return false;
    if (!(yield* opensObject(scan)) || !(yield* jsonCalls(scan, out))) return false;
    if (row.closers.length === 0) return true;
    while (yield* acceptBehindSpace(scan, "}")) out.problem("arguments-repaired", "a closing brace too many");
    yield* acceptBehindSpace(scan, ...row.closers); // without it the JSON has closed all the same
    return true;
  },
}));

/** An object comes next, or a list of them; not Python, and not prose in brackets. */
export function* opensObject(scan: Scanner): Step<boolean> {
  const behind = scan.mark();
  yield* scan.skipSpace();
  if (yield* scan.accept("[")) yield* scan.skipSpace();
  const found = (yield* scan.peek()) === "{";
  scan.rewind(behind);
  return found;
}
