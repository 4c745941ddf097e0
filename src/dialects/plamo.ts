/** PLaMo 3's named markers. */
import type { Dialect } from "../parse/dialect.ts";
import { maybe, shape, space } from "../parse/marker.ts";
import { namedCalls, type NamedGrammar } from "./named_json.ts";

// PLaMo 3 (PFN), all in one line, with P for `:plamo|>`:
//   <|plamo:begin_tool_requests P <|plamo:begin_tool_request P
//     <|plamo:begin_tool_name P get_weather <|plamo:end_tool_name P
//     <|plamo:begin_tool_arguments P <|plamo:constrain|>json<|plamo:msg|> {"city": "Paris", "days": 3}
//     <|plamo:end_tool_arguments P
//   <|plamo:end_tool_request P <|plamo:end_tool_requests P
// Elsewhere: vLLM plamo3.
const mark = (name: string): string => `<|plamo:${name}:plamo|>`;
const SECTION = mark("begin_tool_requests");
const CALL = shape(mark("begin_tool_request"), space, mark("begin_tool_name"));

const GRAMMAR: NamedGrammar = {
  blockStart: [SECTION],
  blockEnd: [mark("end_tool_requests")],
  callStart: [CALL],
  callEnd: [
    shape(mark("end_tool_arguments"), space, mark("end_tool_request")),
    mark("end_tool_request"),
  ],
  separator: [
    shape(
      mark("end_tool_name"),
      space,
      mark("begin_tool_arguments"),
      space,
      maybe("<|plamo:constrain|>json"),
      space,
      "<|plamo:msg|>",
    ),
    shape(mark("end_tool_name"), space, mark("begin_tool_arguments")),
  ],
  separated: "required",
};

export const plamo: Dialect = {
  id: "plamo",
  aka: ["plamo3"],
  models: "PLaMo 3",
  opens: [{ marker: SECTION, form: "wrapped" }, { marker: CALL, form: "recovered" }],

  *block(scan, out, hit) {
    return yield* namedCalls(scan, out, GRAMMAR, hit);
  },
};
