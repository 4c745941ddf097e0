/** A model server whose model knows no tools but what a request teaches it in words: it reads, edits and runs. */
import { isResult, readInstructions, type Taught, textOf } from "../../src/cli/demo_taught.ts";
import type { Json } from "../../src/wire/openai.ts";

/** What happened at the upstream. */
export interface Seen {
  /** The requests that taught tools. */
  readonly bodies: Json[];
  /** What the model answered to each of them. */
  readonly answers: string[];
  /** What went wrong, in words. */
  readonly faults: string[];
}

/** Makes the server's handler. Requests with native tools are refused, as by vLLM without its flags. */
export function taughtModel(file: string, seen: Seen): (request: Request) => Promise<Response> {
  return async (request) => {
    const body = await request.json() as Json;
    if (body.tools !== undefined) {
      const message =
        '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set';
      return Response.json({ object: "error", message, type: "BadRequestError", code: 400 }, { status: 400 });
    }
    const messages = body.messages as Json[];
    const taught = readInstructions(messages);
    let text = "A title";
    if (taught !== undefined) {
      text = nextStep(taught, messages, file);
      seen.bodies.push(body);
      seen.answers.push(text);
      if (text.startsWith("FAULT")) seen.faults.push(text);
    }
    return stream(text, body.stream_options !== undefined);
  };
}

/** What the model does next: it knows from the conversation alone how far it has come. */
function nextStep(taught: Taught, messages: readonly Json[], file: string): string {
  const results = messages.filter(isResult).map(textOf);
  const last = results.at(-1) ?? "";
  switch (results.length) {
    case 0:
      return call(taught, "I will read the notes.", /^read/, { file: /path/i }, { file });
    case 1: {
      const secret = /secret word is (\w+)/.exec(last)?.[1];
      if (secret === undefined) return `FAULT: no secret word in ${last}`;
      const values = {
        file,
        old: `The secret word is ${secret}.`,
        fresh: `The secret word is "<${secret}>" & \\n it's 😀.`,
      };
      return call(
        taught,
        "Now I change it.",
        /^edit/,
        { file: /path/i, old: /^old/i, fresh: /^new/i },
        values,
      );
    }
    case 2:
      return call(taught, "Now I look at it.", /^(?:bash|shell)/, {
        command: /command/i,
        description: /descr/i,
      }, {
        command: `cat '${file}'`,
        description: "Shows the notes",
      });
    default:
      return taught.final(`Done. It says: ${/secret word is .*/.exec(last)?.[0] ?? `FAULT: ${last}`}`);
  }
}

/** A call of the tool that fits, its arguments named as its schema names them. */
function call(
  taught: Taught,
  text: string,
  tool: RegExp,
  parameters: { readonly [key: string]: RegExp },
  values: { readonly [key: string]: string },
): string {
  const found = taught.tools.find(({ name }) => tool.test(name));
  if (found === undefined) return `FAULT: no tool like ${tool} was taught`;
  const names = Object.keys(found.parameters.properties as Json);
  const given = Object.entries(parameters).flatMap(([key, pattern]) => {
    const name = names.find((each) => pattern.test(each));
    return name === undefined ? [] : [[name, values[key]]];
  });
  return taught.call(text, { name: found.name, arguments: Object.fromEntries(given) });
}

/** Streams a text in small pieces, behind a little reasoning. */
function stream(text: string, usage: boolean): Response {
  const head = { id: "chatcmpl-taught", object: "chat.completion.chunk", created: 1, model: "taught" };
  const chunk = (delta: Json, finish_reason: string | null = null) =>
    `data: ${JSON.stringify({ ...head, choices: [{ index: 0, delta, finish_reason }] })}\n\n`;
  const pieces = [...text].map((_, at, all) => at % 4 === 0 ? all.slice(at, at + 4).join("") : "").filter(
    Boolean,
  );
  const events = [
    chunk({ role: "assistant", content: "" }),
    chunk({ reasoning_content: "What did they teach me?" }),
    ...pieces.map((content) => chunk({ content })),
    chunk({}, "stop"),
    ...(usage
      ? [
        `data: ${
          JSON.stringify({
            ...head,
            choices: [],
            usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
          })
        }\n\n`,
      ]
      : []),
    "data: [DONE]\n\n",
  ];
  const bytes = events.map((event) => new TextEncoder().encode(event));
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const next = bytes.shift();
      if (next === undefined) controller.close();
      else controller.enqueue(next);
    },
  });
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
}
