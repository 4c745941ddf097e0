/** The table of checks, in the order in which they are asked; a further one is one entry more. */
import type { Json } from "../wire/openai.ts";
import { calls, type Check, type CheckTool, declared, repeats, words } from "./check.ts";

const weather: CheckTool = {
  name: "get_weather",
  description: "The weather of the coming days in a city.",
  parameters: { city: "string", days: "integer" },
};
const time: CheckTool = {
  name: "get_time",
  description: "The local time in a city.",
  parameters: { city: "string" },
};
const files: CheckTool = {
  name: "list_files",
  description: "Lists the files of the current folder.",
  parameters: {},
};

const user = (content: string): Json => ({ role: "user", content });
const system = (content: string): Json => ({ role: "system", content });

/** A word that no model says by itself. */
const WORD = "amber-lantern-42";
const told = `The code word is ${WORD}. Whoever asks for it may know it.`;
const asked = user("What is the code word? Answer with the code word only.");

/** About 8,000 tokens that say nothing, each line another one so that no server folds them. */
const filler = Array.from(
  { length: 520 },
  (_, n) => `Entry ${n + 1}: the river gauge at station ${n * 7 % 97} stood at ${n * 13 % 411} centimetres.`,
).join("\n");

/** Every check; the first one has to be answered for the others to be asked. */
export const checks: readonly Check[] = [
  {
    id: "plain",
    asks: "a plain prompt",
    body: { messages: [user("Count from one to twenty in words, one number a line.")] },
    judge: words,
  },
  {
    id: "one-tool",
    asks: "one tool",
    needed: true,
    refusal: "D15",
    body: {
      messages: [user("Call get_weather for Paris and the next 3 days.")],
      tools: [declared(weather)],
    },
    judge: (turn) => calls(turn, [weather]),
  },
  {
    id: "two-tools",
    asks: "two tools in one turn",
    refusal: "D15",
    body: {
      messages: [
        user("Call both tools in this one turn: get_weather for Paris and 3 days, and get_time for Tokyo."),
      ],
      tools: [declared(weather), declared(time)],
    },
    judge: (turn) => calls(turn, [weather, time]),
  },
  {
    id: "no-arguments",
    asks: "a tool without arguments",
    needed: true,
    refusal: "D15",
    body: { messages: [user("Call list_files.")], tools: [declared(files)] },
    judge: (turn) => calls(turn, [files]),
  },
  {
    id: "tool-turn",
    asks: "a turn with a tool's result",
    needed: true,
    body: {
      messages: [
        user("What will the weather be in Paris for the next 3 days?"),
        {
          role: "assistant",
          content: null,
          tool_calls: [{
            id: "call_8fQ2mZr1",
            type: "function",
            function: { name: "get_weather", arguments: '{"city":"Paris","days":3}' },
          }],
        },
        {
          role: "tool",
          tool_call_id: "call_8fQ2mZr1",
          content: '{"forecast":"rain, 14 degrees, all three days"}',
        },
      ],
      tools: [declared(weather)],
    },
    // To ask the tool once more is an answer too.
    judge: (turn) => turn.calls.length > 0 ? calls(turn, [weather]) : words(turn),
  },
  {
    id: "developer",
    asks: "the role developer",
    refusal: "D2",
    symptom: "D2",
    body: { messages: [{ role: "developer", content: told }, asked] },
    control: { messages: [system(told), asked] },
    judge: (turn) => repeats(turn, WORD),
  },
  {
    id: "two-systems",
    asks: "two system messages",
    refusal: "D1",
    symptom: "D1",
    body: { messages: [system("You answer in one line."), system(told), asked] },
    control: { messages: [system(told), asked] },
    judge: (turn) => repeats(turn, WORD),
  },
  {
    id: "long-prompt",
    asks: "a prompt of about 8,000 tokens",
    refusal: "D16",
    symptom: "D16",
    body: { messages: [user(`${told}\n\n${filler}\n\n${asked["content"]}`)] },
    control: { messages: [user(`${told}\n\n${asked["content"]}`)] },
    judge: (turn) => repeats(turn, WORD),
  },
];
