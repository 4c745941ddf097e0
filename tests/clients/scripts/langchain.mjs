// LangChain's ChatOpenAI.
import { readFileSync } from "node:fs";
import { HumanMessage } from "@langchain/core/messages";
import { tool } from "@langchain/core/tools";
import { ChatOpenAI } from "@langchain/openai";
import { z } from "zod";

const { BASE_URL, MODEL, PROMPT } = process.env;
const read = tool(({ path }) => readFileSync(path, "utf8"), {
  name: "read_file",
  description: "Read a file",
  schema: z.object({ path: z.string() }),
});
const options = { model: MODEL, apiKey: "none", maxRetries: 0, configuration: { baseURL: BASE_URL } };
const model = new ChatOpenAI(options).bindTools([read]);
const messages = [new HumanMessage(PROMPT)];
for (let step = 0; step < 6; step++) {
  let reply;
  for await (const chunk of await model.stream(messages)) reply = reply ? reply.concat(chunk) : chunk;
  messages.push(reply);
  if (!reply.tool_calls?.length) {
    console.log(reply.text);
    break;
  }
  for (const call of reply.tool_calls) messages.push(await read.invoke(call));
}
