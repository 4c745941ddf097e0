/** `callmend convert`: what a model wrote goes in, the OpenAI message or stream goes out. The tool for bug reports. */
import { readFileSync } from "node:fs";
import process from "node:process";
import * as z from "zod";
import { bridges } from "../bridge/mod.ts";
import { dialects } from "../dialects/mod.ts";
import { repair } from "../repair.ts";
import type { RepairConfig } from "../repair_config.ts";
import { type ExchangeReport, onEnd } from "../wire/watcher.ts";
import type { Json } from "../wire/openai.ts";
import { BAD_USAGE, command, type MakeCommand } from "./command.ts";

/** What the command is asked for. */
interface Options {
  readonly tools: string;
  readonly stream?: boolean;
  readonly chunk: string;
  readonly dialects?: string;
  readonly bridgeProtocol?: string;
  readonly reasoningText?: boolean;
  readonly arguments: string;
  readonly reasoning: string;
}

export const makeConvert: MakeCommand = (context) =>
  command("convert", "turn raw model text into the OpenAI message it means; problems go to stderr", [
    "callmend convert --tools tools.json < raw.txt",
    "callmend convert --tools request.json --stream --chunk 3 raw.txt",
  ])
    .argument("[file]", "the raw text (default: standard input)")
    .requiredOption("--tools <file>", "JSON: a list of tools, or a request that holds one")
    .option("--stream", "print the stream of chunks instead of the message")
    .option("--chunk <characters>", "how the text is cut before it is converted, with --stream", "4")
    .option("--dialects <ids>", `only these, by comma: ${dialects.map(({ id }) => id).join(", ")}`)
    .option(
      "--bridge-protocol <name>",
      `the model was taught this: ${bridges.map(({ id }) => id).join(", ")}`,
    )
    .option("--reasoning-text", "the text came as reasoning_content, not as content")
    .option("--arguments <stream|whole>", "whether arguments go out as they arrive", "stream")
    .option(
      "--reasoning <split|keep|open>",
      "move reasoning tags to reasoning_content, keep them, or take them for opened by the prompt",
      "split",
    )
    .action(async (file: string | undefined, options: Options) => {
      try {
        const { output, problems } = await convert(await readText(file), readTools(options.tools), options);
        context.print(output.trimEnd());
        for (const { code, detail } of problems) context.log(`${code}: ${detail}`);
      } catch (error) {
        if (!(error instanceof UsageError)) throw error;
        context.log(error.message);
        context.exit(BAD_USAGE);
      }
    });

/** The command was given something that cannot be used. */
class UsageError extends Error {}

/** Converts by way of the pipeline itself: an upstream that says `text` stands behind it. */
async function convert(
  text: string,
  tools: readonly Json[],
  options: Options,
): Promise<{ output: string; problems: ExchangeReport["problems"] }> {
  const { stream = false } = options;
  const size = oneOf("--chunk", options.chunk, /^[1-9]\d{0,6}$/, "a whole number from 1");
  const config: Partial<RepairConfig> = {
    arguments: oneOf("--arguments", options.arguments, /^(stream|whole)$/, "stream or whole") as "stream",
    reasoning: oneOf(
      "--reasoning",
      options.reasoning,
      /^(split|keep|open)$/,
      "split, keep or open",
    ) as "split",
    ...(options.dialects === undefined
      ? {}
      : { dialects: [{ models: "*", dialects: readDialects(options.dialects) }] }),
    ...(options.bridgeProtocol === undefined
      ? {}
      : { mode: "bridge", bridgeProtocol: readBridge(options.bridgeProtocol) }),
  };
  const field = options.reasoningText ? "reasoning_content" : "content";
  const answer = stream ? sse(text, field, Number(size)) : JSON.stringify(completion(text, field));
  const type = stream ? "text/event-stream" : "application/json";
  const next = () => Promise.resolve(new Response(answer, { headers: { "content-type": type } }));
  let problems: ExchangeReport["problems"] = [];
  const fetch = repair(next, config, onEnd((exchange) => problems = exchange.problems));
  const body = JSON.stringify({ model: "raw", stream, messages: [], tools });
  const response = await fetch(new Request("http://callmend/v1/chat/completions", { method: "POST", body }));
  const output = await response.text();
  if (stream || !response.ok) return { output, problems };
  const [choice] = (JSON.parse(output) as { choices: Json[] }).choices;
  return {
    output: JSON.stringify(
      { message: choice?.["message"], finish_reason: choice?.["finish_reason"] },
      null,
      2,
    ),
    problems,
  };
}

const ENVELOPE = { id: "chatcmpl-convert", created: 0, model: "raw" };

function completion(text: string, field: string): Json {
  const message = { role: "assistant", content: null, [field]: text };
  return { ...ENVELOPE, object: "chat.completion", choices: [{ index: 0, message, finish_reason: "stop" }] };
}

function sse(text: string, field: string, size: number): string {
  const characters = [...text];
  const deltas: Json[] = [{ role: "assistant", content: "" }];
  for (let at = 0; at < characters.length; at += size) {
    deltas.push({ [field]: characters.slice(at, at + size).join("") });
  }
  const chunk = (delta: Json, finish_reason: string | null): string =>
    `data: ${
      JSON.stringify({
        ...ENVELOPE,
        object: "chat.completion.chunk",
        choices: [{ index: 0, delta, finish_reason }],
      })
    }\n\n`;
  return deltas.map((delta) => chunk(delta, null)).join("") + chunk({}, "stop") + "data: [DONE]\n\n";
}

const ToolFile = z.union([
  z.array(z.looseObject({ function: z.looseObject({ name: z.string() }) })),
  z.array(z.looseObject({ name: z.string() })),
]);

function readTools(path: string): Json[] {
  let json: unknown;
  try {
    json = JSON.parse(read(path));
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`Cannot read --tools ${path}: ${(error as Error).message}`);
  }
  const list = typeof json === "object" && json !== null && "tools" in json ? json.tools : json;
  const tools = ToolFile.safeParse(list);
  if (!tools.success) {
    throw new UsageError(
      `Cannot use --tools ${path}: it must hold a list of tools ([{"type": "function", "function": {"name", "parameters"}}] ` +
        `or [{"name", "parameters"}]), or a request with such a list under "tools"`,
    );
  }
  return tools.data.map((tool: Json) => "function" in tool ? tool : { type: "function", function: tool });
}

function readDialects(list: string): string[] {
  const ids = list.split(",").map((id) => id.trim());
  const unknown = ids.find((id) => !dialects.some((dialect) => dialect.id === id));
  if (unknown === undefined) return ids;
  throw new UsageError(
    `Cannot use --dialects ${list}: there is no ${unknown}; allowed: ${
      dialects.map(({ id }) => id).join(", ")
    }`,
  );
}

function readBridge(name: string): RepairConfig["bridgeProtocol"] {
  const names = bridges.map(({ id }) => id);
  return oneOf(
    "--bridge-protocol",
    name,
    new RegExp(`^(${names.join("|")})$`),
    names.join(", "),
  ) as "markers";
}

function oneOf(flag: string, value: string, allowed: RegExp, means: string): string {
  if (!allowed.test(value)) throw new UsageError(`Cannot use ${flag} ${value}: allowed: ${means}`);
  return value;
}

async function readText(file: string | undefined): Promise<string> {
  if (file !== undefined) return read(file);
  const parts: Uint8Array[] = [];
  for await (const part of process.stdin) parts.push(part as Uint8Array);
  return new TextDecoder().decode(Buffer.concat(parts));
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError(`Cannot read ${path}: ${(error as Error).message}`);
  }
}
