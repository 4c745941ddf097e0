/** `callmend demo`: a model server without a model, the proxy in front of it, and what comes out of each. */
import { Option } from "commander";
import { listen } from "../listen.ts";
import { readConfig } from "../config.ts";
import { settings } from "../settings/settings.ts";
import { command, type Context, type MakeCommand } from "./command.ts";
import { type DemoCall, demoCall, type DemoModel, demoModels, demoUpstream } from "./demo_upstream.ts";
import { start, stopOnSignal } from "./run_server.ts";
import { tried } from "./load_config.ts";

export const makeDemo: MakeCommand = (context) =>
  command(
    "demo",
    "run the proxy in front of a built-in model server, and show what the commonest dialects become",
    [
      "callmend demo --once",
      "callmend demo --port 9000",
    ],
  )
    .option("--once", "stop when all have been shown; exit code 1 if one was not converted")
    .addOption(
      new Option("--port <number>", `${settings.port.means} (default: 8787, or a free one with --once)`),
    )
    .action(({ once = false, port }: { once?: boolean; port?: string }) => demo(once, port, context));

const tools = [{
  type: "function",
  function: {
    name: "get_weather",
    description: "The weather of the coming days.",
    parameters: {
      type: "object",
      properties: { city: { type: "string" }, days: { type: "integer" } },
      required: ["city", "days"],
    },
  },
}];

const question = { tools, messages: [{ role: "user", content: "What will the weather be in Paris?" }] };

async function demo(once: boolean, port: string | undefined, context: Context): Promise<void> {
  const models = listen({ host: "127.0.0.1", port: 0 }, (request) => demoUpstream(request));
  // The demo shows the defaults, whatever the environment holds; the model that has to be taught is bridged.
  const flags = {
    upstreamOrigin: `http://127.0.0.1:${models.port}`,
    port: port ?? (once ? "0" : undefined),
    logLevel: "warn", // what went well is shown here
    bridgeModels: demoModels.filter(({ taught }) => taught).map(({ id }) => id).join(),
  };
  const config = tried(() => readConfig(flags), context);
  let begun = false; // from then on, `--once` is about what the models wrote
  const log = (line: string) => {
    if (!begun || !once) context.log(line);
  };
  const running = config && start(config, { ...context, log });
  begun = true;
  if (config === undefined || running === undefined) return;

  context.print(
    `Model server: http://127.0.0.1:${models.port}   Callmend in front of it: ${running.address}`,
  );
  const failed: string[] = [];
  for (const model of demoModels) {
    if (!await show(model, running.address, context)) failed.push(model.id);
  }
  const count = demoModels.length - failed.length;
  context.print(`\n${count} of ${demoModels.length} models: what they wrote became tool_calls.`);
  if (failed.length > 0) context.print(`Not converted: ${failed.join(", ")}`);
  if (once) {
    await running.drain();
    return context.exit(failed.length === 0 ? 0 : 1);
  }

  stopOnSignal(running, context);
  context.print(`\nStill running; any client can use ${running.address}/v1 with one of these models. Try:\n`);
  context.print(`curl -N ${running.address}/v1/chat/completions -H 'content-type: application/json' \\`);
  context.print(`  -d '${JSON.stringify({ model: demoModels[0]?.id, stream: true, ...question })}'`);
}

/** Asks one model through the proxy and shows both sides; true when the call arrived as it was meant. */
async function show(model: DemoModel, address: string, context: Context): Promise<boolean> {
  const meant = demoCall(question)!;
  const response = await fetch(`${address}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: model.id, stream: true, ...question }),
  });
  const { content, calls, finish } = await assembled(response);
  context.print(`\n── ${model.id}`);
  const wrote = (model.taught ?? model.write)?.(meant).trim() ?? "(tool_calls of the protocol itself)";
  context.print(`   the model wrote   ${wrote.replaceAll("\n", `\n${" ".repeat(21)}`)}`);
  context.print(`   the client gets   tool_calls ${JSON.stringify(calls)}`);
  if (content.trim() !== "") context.print(`                     content ${JSON.stringify(content)}`);
  context.print(`                     finish_reason ${JSON.stringify(finish)}`);
  return finish === "tool_calls" && content.trim() === "" &&
    JSON.stringify(calls) === JSON.stringify([meant]);
}

interface Delta {
  readonly content?: string | null;
  readonly tool_calls?: readonly { index: number; function?: { name?: string; arguments?: string } }[];
}

/** Puts a streamed answer together, as a client does. */
async function assembled(response: Response) {
  let content = "";
  let finish: string | undefined;
  const calls: { name: string; text: string }[] = [];
  for (const event of (await response.text()).split("\n\n")) {
    if (!event.startsWith("data: {")) continue;
    const [choice] = (JSON.parse(event.slice(6)).choices ?? []) as {
      delta?: Delta;
      finish_reason?: string;
    }[];
    content += choice?.delta?.content ?? "";
    finish = choice?.finish_reason ?? finish;
    for (const piece of choice?.delta?.tool_calls ?? []) {
      const call = calls[piece.index] ??= { name: "", text: "" };
      call.name += piece.function?.name ?? "";
      call.text += piece.function?.arguments ?? "";
    }
  }
  return {
    content,
    finish,
    calls: calls.map(({ name, text }): DemoCall => ({ name, arguments: parsed(text) })),
  };
}

function parsed(text: string): DemoCall["arguments"] {
  try {
    return JSON.parse(text);
  } catch {
    return { unreadable: text }; // shown as it is
  }
}
