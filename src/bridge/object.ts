/** The protocol `object`: each answer is one JSON object. */
import type { Dialect } from "../parse/dialect.ts";
import { type Bridge, lines, type PastCall } from "./bridge.ts";
import { callText } from "./past_call.ts";
import { THOUGHT_START, TURN_START, turnObject } from "./turn_object.ts";

// As NanoProxy's object bridge teaches it:
//   {"v":1,"mode":"tool","message":"","tool_calls":[{"name": "read", "arguments": {"filePath": "src/app.js"}}]}
//   {"v":1,"mode":"final","message":"Your answer here.","tool_calls":[]}
//   {"v":1,"mode":"clarify","message":"Your question here.","tool_calls":[]}
export const object: Bridge = {
  id: "object",

  teach: (example, several) =>
    lines(
      "Answer with nothing but one JSON object. No text before or behind it, no code fence. To call tools:",
      "",
      turnText("tool", "", [example]),
      several && "",
      several && "Calls that do not depend on each other may stand in one answer:",
      several && "",
      several && turnText("tool", "", [example, example]),
      "",
      "When no tool is needed any more:",
      "",
      turnText("final", "Your answer here.", []),
      "",
      "To ask the user something:",
      "",
      turnText("clarify", "Your question here.", []),
      "",
      "What a tool answers comes to you between <tool_result> and </tool_result>. Never write that yourself.",
    ),

  turn: (text, calls) => turnText("tool", text, calls),

  result: (name, nth) => ({
    before: `<tool_result>\ntool: ${name}${nth === undefined ? "" : ` (call ${nth})`}\n`,
    behind: "\n</tool_result>",
  }),

  dialect: () => dialect,
};

function turnText(mode: string, message: string, calls: readonly PastCall[]): string {
  return `{"v":1,"mode":"${mode}","message":${JSON.stringify(message)},"tool_calls":[${
    calls.map(callText).join(", ")
  }]}`;
}

const dialect: Dialect = {
  id: "bridge-object",
  aka: ["NanoProxy"],
  models: "any model that is taught it",
  opens: [
    { marker: TURN_START, form: "wrapped", where: "turn", answer: true },
    { marker: THOUGHT_START, form: "wrapped", where: "turn", answer: true },
    { marker: TURN_START, form: "wrapped" },
  ],

  *block(scan, out, { text }, { where }) {
    scan.rewind(scan.mark(text)); // the opener is part of the object
    return yield* turnObject(scan, out, where === "turn");
  },
};
