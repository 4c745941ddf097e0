// The openai npm package, with its own tool runner.
import { readFileSync } from "node:fs";
import OpenAI from "openai";

const { BASE_URL, MODEL, PROMPT } = process.env;
const client = new OpenAI({ baseURL: BASE_URL, apiKey: "none", maxRetries: 0 });
const runner = client.chat.completions.runTools({
  model: MODEL,
  stream: true,
  stream_options: { include_usage: true },
  messages: [{ role: "user", content: PROMPT }],
  tools: [{
    type: "function",
    function: {
      name: "read_file",
      description: "Read a file",
      parameters: { type: "object", properties: { path: { type: "string" } }, required: ["path"] },
      parse: JSON.parse,
      function: ({ path }) => readFileSync(path, "utf8"),
    },
  }],
});
console.log(await runner.finalContent());
