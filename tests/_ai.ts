/** The AI SDK, with the types of what the tests use: checking its own breaks Deno 2.9's checker ("recursion limit exceeded"). */

interface Options {
  readonly model: unknown;
  readonly prompt: string;
  readonly maxRetries: number;
  readonly stopWhen: unknown;
  readonly tools: { readonly [name: string]: unknown };
}

interface Ai {
  readonly generateText: (options: Options) => Promise<{ text: string; steps: readonly unknown[] }>;
  readonly streamText: (options: Options & { onError(event: { error: unknown }): void }) => {
    readonly textStream: AsyncIterable<string>;
    readonly steps: Promise<readonly unknown[]>;
  };
  readonly tool: <Input>(definition: {
    readonly inputSchema: { parse(value: unknown): Input };
    readonly execute: (input: Input) => Promise<string>;
  }) => unknown;
  readonly isStepCount: (count: number) => unknown;
}

const name: string = "ai"; // a name that the checker does not follow
export const { generateText, streamText, tool, isStepCount } = await import(name) as Ai;
