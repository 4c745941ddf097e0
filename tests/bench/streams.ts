/** Recorded-looking streams for the benchmarks: the same call or prose as each dialect writes it, cut like tokens. */

/** One benchmark's stream. */
export interface Sample {
  readonly name: string;
  /** The text that the model writes; undefined for native calls. */
  readonly text: string;
  readonly native?: boolean;
  /** Whether calls come out of it. */
  readonly calls: boolean;
}

const D = "｜DSML｜";
const PROSE =
  "The function reads the file, checks each line against the pattern, and returns what it found; if " +
  "a < b it stops early. See `parse()` for details. ";

/** The text of a file of about `size` characters, with quotes and line breaks as code has them. */
export function fileOf(size: number): string {
  const line = 'export const value = compute("input", { depth: 3, limit: items.length }); // keep in step\n';
  return line.repeat(Math.ceil(size / line.length)).slice(0, size);
}

const file = fileOf(2000);
const args = { path: "src/value.ts", content: file };

export const samples: readonly Sample[] = [
  { name: "prose", text: PROSE.repeat(14), calls: false },
  { name: "hermes", text: hermes(file), calls: true },
  {
    name: "dsml",
    text:
      `<${D}tool_calls>\n<${D}invoke name="write_file">\n<${D}parameter name="path" string="true">${args.path}</${D}parameter>\n` +
      `<${D}parameter name="content" string="true">${file}</${D}parameter>\n</${D}invoke>\n</${D}tool_calls>`,
    calls: true,
  },
  {
    name: "qwen3-coder",
    text:
      `<tool_call>\n<function=write_file>\n<parameter=path>\n${args.path}\n</parameter>\n<parameter=content>\n${file}\n</parameter>\n</function>\n</tool_call>`,
    calls: true,
  },
  { name: "native", text: JSON.stringify(args), native: true, calls: true },
];

/** A Hermes call that writes `content`. */
export function hermes(content: string): string {
  return `<tool_call>\n${
    JSON.stringify({ name: "write_file", arguments: { path: "src/value.ts", content } })
  }\n</tool_call>`;
}

/** The events of a sample, `size` characters a chunk. */
export function eventsOf(sample: Sample, size = 4): string[] {
  const chunk = (delta: unknown, finish: string | null = null) =>
    `data: ${
      JSON.stringify({
        id: "chatcmpl-bench",
        object: "chat.completion.chunk",
        created: 1,
        model: "bench",
        choices: [{ index: 0, delta, finish_reason: finish }],
      })
    }\n\n`;
  const events = [chunk({ role: "assistant", content: "" })];
  if (sample.native) {
    const start = {
      index: 0,
      id: "call_1",
      type: "function",
      function: { name: "write_file", arguments: "" },
    };
    events.push(chunk({ tool_calls: [start] }));
  }
  for (let at = 0; at < sample.text.length; at += size) {
    const text = sample.text.slice(at, at + size);
    events.push(
      chunk(
        sample.native ? { tool_calls: [{ index: 0, function: { arguments: text } }] } : { content: text },
      ),
    );
  }
  events.push(chunk({}, sample.native ? "tool_calls" : "stop"), "data: [DONE]\n\n");
  return events;
}

/** The tools of a request that `samples` answer. */
export const tools = [{
  type: "function",
  function: {
    name: "write_file",
    parameters: {
      type: "object",
      properties: { path: { type: "string" }, content: { type: "string" } },
      required: ["path", "content"],
    },
  },
}];
