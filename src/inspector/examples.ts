/** Texts to start the playground with, as models write them. */

export interface Example {
  readonly name: string;
  readonly text: string;
  /** JSON: a list of tools. */
  readonly tools: string;
}

const tool = (
  name: string,
  properties: { readonly [name: string]: string },
  required: readonly string[],
) => ({
  type: "function",
  function: {
    name,
    parameters: {
      type: "object",
      properties: Object.fromEntries(Object.entries(properties).map(([name, type]) => [name, { type }])),
      required,
    },
  },
});

const tools = JSON.stringify(
  [
    tool("get_weather", { city: "string", days: "integer" }, ["city"]),
    tool("write_file", { path: "string", content: "string" }, ["path", "content"]),
  ],
  null,
  2,
);

export const examples: readonly Example[] = [
  {
    name: "DeepSeek: two calls in DSML, after a sentence",
    tools,
    text: "I will look at both cities.\n\n<｜DSML｜function_calls>\n" +
      '<｜DSML｜invoke name="get_weather">\n<｜DSML｜parameter name="city" string="true">Paris</｜DSML｜parameter>\n' +
      '<｜DSML｜parameter name="days" string="false">3</｜DSML｜parameter>\n</｜DSML｜invoke>\n' +
      '<｜DSML｜invoke name="get_weather">\n<｜DSML｜parameter name="city" string="true">Rome</｜DSML｜parameter>\n' +
      "</｜DSML｜invoke>\n</｜DSML｜function_calls>",
  },
  {
    name: "Qwen: reasoning, a draft in it, then the call",
    tools,
    text: "<think>\nThe user wants the weather. Perhaps:\n" +
      '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Lyon"}}\n</tool_call>\nNo, they said Paris.\n</think>\n\n' +
      '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Paris", "days": "2"}}\n</tool_call>',
  },
  {
    name: "GLM: a file in key and value pairs",
    tools,
    text:
      "<tool_call>write_file\n<arg_key>path</arg_key>\n<arg_value>src/hello.ts</arg_value>\n<arg_key>content</arg_key>\n" +
      "<arg_value>/** Says hello. */\nexport function hello(name: string): string {\n  return `Hello, ${name}!`;\n}\n\n" +
      'console.log(hello("world"));\n</arg_value>\n</tool_call>',
  },
  {
    name: "Qwen3-Coder: the opener forgotten, the name a little off",
    tools,
    text:
      "Let me check.\n<function=getWeather>\n<parameter=city>\nParis\n</parameter>\n</function>\n</tool_call>",
  },
  {
    name: "Kimi: section tokens, and a token that leaked",
    tools,
    text:
      "Looking it up.<|tool_calls_section_begin|><|tool_call_begin|>functions.get_weather:0<|tool_call_argument_begin|>" +
      '{"city": "Paris"}<|tool_call_end|><|tool_calls_section_end|><|im_end|>',
  },
  {
    name: "Not a call: markup in an explanation",
    tools,
    text: "A Hermes model writes its calls like this:\n\n```xml\n" +
      '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Paris"}}\n</tool_call>\n```\n\n' +
      "The tag `<tool_call>` opens one call.",
  },
  {
    name: "Cut off in the middle of a file",
    tools,
    text:
      '<tool_call>\n{"name": "write_file", "arguments": {"path": "notes.md", "content": "# Notes\\n\\nThis file stops in the mid',
  },
];
