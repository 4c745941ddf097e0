/** The markers around calls that are written as Python. */
import type { Dialect } from "../parse/dialect.ts";

export interface PythonicRow extends Pick<Dialect, "id" | "aka" | "models"> {
  readonly opener: string;
  /** What closes the block; it may be missing. */
  readonly closer: string;
}

export const PYTHONIC_ROWS: readonly PythonicRow[] = [
  {
    // <|python_start|>[get_weather(city="Paris", days=3)]<|python_end|>
    id: "llama4-pythonic",
    aka: ["llama4_pythonic"],
    models: "Llama 4",
    opener: "<|python_start|>",
    closer: "<|python_end|>",
  },
  {
    // <function_calls>
    // get_weather(city="Paris", days=3)
    // </function_calls>
    // The wrapper is that of invoke.ts too: what comes first in it is `<` there, and a name here.
    id: "olmo3",
    aka: ["olmo3"],
    models: "Olmo 3",
    opener: "<function_calls>",
    closer: "</function_calls>",
  },
  {
    // <|tool_call_start|>[get_weather(city="Paris", days=3)]<|tool_call_end|>
    // JSON in the list now and then, as openPangu always writes it.
    id: "lfm2",
    aka: ["lfm2"],
    models: "LFM2, LFM2.5",
    opener: "<|tool_call_start|>",
    closer: "<|tool_call_end|>",
  },
];

/** What ends a block of calls. */
export const BLOCK_ENDS: readonly string[] = [...PYTHONIC_ROWS.map(({ closer }) => closer), "```"];
