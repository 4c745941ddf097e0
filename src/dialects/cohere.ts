/** Cohere's actions, and what else its models wrap. */
import type { Call, Dialect, Out } from "../parse/dialect.ts";
import { jsonValue } from "../parse/json.ts";
import { either, shape, space } from "../parse/marker.ts";
import type { Scanner, Step } from "../parse/scanner.ts";
import { verbatim } from "../parse/sinks.ts";
import { elementCalls, type ElementGrammar } from "./elements.ts";
import { jsonCalls } from "./json_calls.ts";
import { acceptBehindSpace, dropMarker } from "./said.ts";
import { opensObject } from "./token_json.ts";

// Command-R, R7B, Command A:
//   <|START_THINKING|>plan<|END_THINKING|><|START_ACTION|>[
//       {"tool_call_id": "0", "tool_name": "get_weather", "parameters": {"city": "Paris", "days": 3}}
//   ]<|END_ACTION|>
// An answer stands in <|START_RESPONSE|>…<|END_RESPONSE|> or <|START_TEXT|>…<|END_TEXT|>; `directly_answer` is a
// tool that stands for "no call". Elsewhere: vLLM cohere_command3, llama.cpp "Command R7B".
const ACTION = "<|START_ACTION|>";
const ANSWER = shape("<|", either("START", "END"), "_", either("RESPONSE", "TEXT"), "|>");
const NO_CALL = "directly_answer";

export const cohere: Dialect = {
  id: "cohere",
  aka: ["cohere_command3", "command_r7b"],
  models: "Command-R, Command-R+, R7B, Command A",
  opens: [{ marker: ACTION, form: "wrapped" }, { marker: ANSWER, form: "wrapped" }],

  *block(scan, out, hit) {
    return hit.text === ACTION ? yield* actions(scan, out, "<|END_ACTION|>") : dropMarker(out);
  },
};

// Command-R and R+ of 2024:
//   Action: ```json
//   [{"tool_name": "get_weather", "parameters": {"city": "Paris", "days": 3}}]
//   ```
export const commandR: Dialect = {
  id: "command-r",
  aka: ["command_r", "command_r_plus"],
  models: "Command-R and R+ of 2024",
  opens: [{ marker: "Action:", form: "bare", where: "line" }],

  *block(scan, out) {
    yield* scan.skipSpace();
    return (yield* scan.accept("```json", "```")) !== undefined && (yield* actions(scan, out, "```"));
  },
};

/** Reads actions, and their closer; without it the JSON has closed all the same. */
function* actions(scan: Scanner, out: Out, closer: string): Step<boolean> {
  let answered = false;
  const others: Out = {
    knows: (name) => out.knows(name),
    text: (text) => out.text(text),
    say: (field, text) => out.say(field, text),
    problem: (code, detail) => out.problem(code, detail),
    call(name, id) {
      if (name !== NO_CALL || out.knows(name)) return out.call(name, id);
      answered = true;
      return noCall;
    },
  };
  if (!(yield* opensObject(scan)) || !(yield* jsonCalls(scan, others))) return false;
  yield* acceptBehindSpace(scan, closer);
  if (!answered) return true;
  out.problem("special-token", NO_CALL);
  return dropMarker(out);
}

/** A call that is none. */
const noCall: Call = {
  parameters: [],
  required: [],
  allowsText: () => true,
  tree: () => {},
  parameter: () => () => {},
  *json(scan) {
    return (yield* jsonValue(scan, () => {})) === "complete";
  },
  jsonText: () => true,
  identify: () => {},
  abandon: () => true,
  end: () => true,
};

// Cohere's XML (2026):
//   <cofl:tool_calls>
//   <cofl:tool_call id="0" name="get_weather">
//   <cofl:tool_param name="city" string="true">Paris</cofl:tool_param>
//   <cofl:tool_param name="days" string="false">3</cofl:tool_param>
//   </cofl:tool_call>
//   </cofl:tool_calls>
// Elsewhere: xgrammar cohere.
const WHITE = either(" ", "\n", "\t", "\r");
const BLOCK = shape("<", space, "cofl:tool_calls", space, ">");
const CALL = shape("<", space, "cofl:tool_call", WHITE);

const GRAMMAR: ElementGrammar = {
  tags: [{
    call: [CALL],
    callEnd: [shape("</", space, "cofl:tool_call", space, ">")],
    parameter: [shape("<", space, "cofl:tool_param", WHITE)],
    parameterEnd: [shape("</", space, "cofl:tool_param", space, ">")],
  }],
  blockStart: [BLOCK],
  blockEnd: [shape("</", space, "cofl:tool_calls", space, ">")],
  wrap: verbatim,
};

export const cofl: Dialect = {
  id: "cofl",
  aka: ["cohere"],
  models: "Command models of 2026",
  opens: [{ marker: BLOCK, shown: "<cofl:tool_calls>", form: "wrapped" }, {
    marker: CALL,
    form: "recovered",
  }],

  *block(scan, out, hit, { form }) {
    return yield* elementCalls(scan, out, GRAMMAR, form === "recovered" ? hit : undefined);
  },
};
