/** One native call, as far as its deltas have come. */
import type { Tool } from "../parse/dialect.ts";
import { ArgumentText } from "./argument_text.ts";
import { type Extra, isObject, none } from "./call_piece.ts";

/** One call, put together from its deltas. */
export interface Call {
  readonly args: ArgumentText;
  upstreamIndex: number | undefined;
  upstreamId: string | undefined;
  heard: string; // the name, as far as it has been heard
  name: string | undefined; // the name as it goes out; not known as long as it may go on
  index: number; // the index it goes out under; -1 before it does
  dropped: boolean; // the text held the same call: it does not go out
  waiting: string[]; // arguments that wait for the name
  extra: Extra; // fields of others that wait with them, such as Gemini's `extra_content`
  said: string; // the arguments as they came, while short: a copy of the whole call is none of its own
  message: number; // which list of deltas named it last
}

export function newCall(
  upstreamIndex: number | undefined,
  message: number,
  barely: (name: string) => boolean,
): Call {
  const call: Call = {
    args: new ArgumentText(() => barely(call.name ?? "")),
    upstreamIndex,
    upstreamId: undefined,
    heard: "",
    name: undefined,
    index: -1,
    dropped: false,
    waiting: [],
    extra: none,
    said: "",
    message,
  };
  return call;
}

/** gpt-oss leaks its header into the name: `read<|channel|>commentary` (vllm-project/vllm#32633). */
export function clean(name: string): string {
  return name.split("<|", 1)[0]!.trim();
}

/** Whether a tool has parameters. */
export function takesAny({ parameters }: Tool): boolean {
  return isObject(parameters?.["properties"]) && Object.keys(parameters["properties"]).length > 0;
}
