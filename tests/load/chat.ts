/** A chat request with all that Callmend reads in one, and where such requests go. */
import { tools } from "../bench/streams.ts";

const call = { id: "call_1", type: "function", function: { name: "write_file", arguments: '{"path": "a"}' } };

/** A chat request with all that is read in one. */
export const CHAT = {
  model: "native/m",
  stream: true,
  n: 1,
  temperature: 0.5,
  max_tokens: 100,
  stop: ["x"],
  stream_options: { include_usage: true },
  tool_choice: "auto",
  parallel_tool_calls: true,
  response_format: { type: "text" },
  metadata: { a: "b" },
  user: "u",
  tools,
  messages: [
    { role: "system", content: "Be brief." },
    {
      role: "user",
      content: [{ type: "text", text: "Hi" }, { type: "image_url", image_url: { url: "data:," } }],
    },
    { role: "assistant", content: null, tool_calls: [call], reasoning_content: "I think." },
    { role: "tool", tool_call_id: "call_1", content: "done" },
    { role: "user", content: "Go on. <tool_call>" },
  ],
};

/** Models that ways and fixes go by. */
export const MODELS = [
  "native/m",
  "bridge/m",
  "fallback/m",
  "m",
  "gemini-2.5-pro",
  "claude-4",
  "deepseek-v3",
  "mistral",
  "gpt-5-codex",
];
export const PATHS = [
  "/v1/chat/completions",
  "/chat/completions",
  "/v1/chat/completions/",
  "/v1/responses",
  "/v1/embeddings",
  "/x",
];
