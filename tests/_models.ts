/** Model servers for the tests of the doctor: one that does all as it should, and what can be wrong with it. */
import type http from "node:http";
import { isResult, readInstructions, textOf } from "../src/cli/demo_taught.ts";
import type { Json } from "../src/wire/openai.ts";
import { httpUpstream, type TestServer } from "./_servers.ts";

interface Message {
  readonly role: string;
  readonly content: string | null;
}

/** A chat request, as these servers read it. */
export interface Asked {
  readonly model: string;
  readonly stream?: boolean;
  readonly messages: readonly Message[];
  readonly tools?: readonly { readonly function: { readonly name: string } }[];
}

/** A call that the model means. */
export interface Meant {
  readonly name: string;
  readonly arguments: object;
}

/** What is wrong with a server or its model; all of it may be left out. */
export interface Faults {
  readonly models?: readonly string[] | "none";
  /** A refusal: its status and its message. */
  readonly refuse?: (
    asked: Asked,
    request: http.IncomingMessage,
  ) => readonly [status: number, message: string] | undefined;
  /** Calls are written into the text. */
  readonly write?: (call: Meant) => string;
  /** It does not learn from instructions how to call. */
  readonly unteachable?: true;
  /** The model does not call. */
  readonly neverCalls?: true;
  readonly finish?: (finish: string) => string | null;
  /** A stream is answered in JSON. */
  readonly noStream?: true;
  /** Only so many characters of the prompt's end are read. */
  readonly context?: number;
  readonly noDone?: true;
  /** Changes the calls before they go out. */
  readonly calls?: (calls: readonly object[]) => unknown;
  /** The whole stream comes at its end, after so many milliseconds. */
  readonly buffered?: number;
  readonly headers?: { readonly [name: string]: string };
}

const values: { readonly [tool: string]: object } = {
  get_weather: { city: "Paris, France", days: 3 },
  get_time: { city: "Tokyo" },
  list_files: {},
};

/** What a model with common sense says; it can be taught in words how to call, too. */
function say(
  asked: Asked,
  { neverCalls, unteachable, context = Infinity }: Faults,
): string | readonly Meant[] {
  const taught = unteachable ? undefined : readInstructions(asked.messages as unknown as readonly Json[]);
  if (taught !== undefined) {
    const last = asked.messages.at(-1) as unknown as Json;
    const name = taught.tools.map((tool) => tool.name).find((each) => textOf(last).includes(each));
    if (isResult(last) || name === undefined) return taught.final("It will rain.");
    return taught.call("", { name, arguments: values[name] as Json });
  }
  const prompt = asked.messages.map(({ content }) => content ?? "").join("\n").slice(-context);
  const last = asked.messages.at(-1)!;
  if (last.role === "tool") return "It will rain.";
  const wanted = (asked.tools ?? []).map((tool) => tool.function.name).filter((name) =>
    prompt.includes(name)
  );
  if (wanted.length > 0 && !neverCalls) return wanted.map((name) => ({ name, arguments: values[name]! }));
  if (!/What is the code word/.test(prompt)) {
    return "One, two, three, four, five, six, seven, eight, nine, ten.";
  }
  return /code word is ([\w-]+)/.exec(prompt)?.[1] ?? "I was told no code word.";
}

/** Starts a server; `seen` takes the requests. */
export function modelServer(faults: Faults = {}, seen: Asked[] = []): Promise<TestServer> {
  return httpUpstream((request, response) => {
    const json = (status: number, value: object) => {
      response.writeHead(status, { "content-type": "application/json", ...faults.headers });
      response.end(JSON.stringify(value));
    };
    if (request.url === "/v1/models" && faults.models !== "none") {
      const refused = faults.refuse?.({ model: "", messages: [] }, request);
      if (refused) return json(refused[0], { error: { message: refused[1] } });
      return json(200, {
        object: "list",
        data: (faults.models ?? ["m"]).map((id) => ({ id, object: "model" })),
      });
    }
    if (request.method !== "POST") return json(404, { error: { message: "no such path" } });
    let body = "";
    request.on("data", (bytes) => body += bytes).on("end", () => {
      const asked: Asked = JSON.parse(body);
      seen.push(asked);
      const refused = faults.refuse?.(asked, request);
      if (refused) return json(refused[0], { error: { message: refused[1], type: "invalid_request_error" } });
      answer(asked, faults, response, json);
    });
  });
}

function answer(
  asked: Asked,
  faults: Faults,
  response: http.ServerResponse,
  json: (status: number, value: object) => void,
): void {
  const said = say(asked, faults);
  const asText = typeof said === "string" ? said : faults.write && said.map(faults.write).join("\n");
  const finish = asText === undefined ? "tool_calls" : "stop";
  const finish_reason = faults.finish ? faults.finish(finish) : finish;
  const meant = asText === undefined && typeof said !== "string" ? said : [];
  const whole = meant.map((call, index) => ({
    index,
    id: `call_${asked.messages.length}_${index}`,
    type: "function",
    function: { name: call.name, arguments: JSON.stringify(call.arguments) },
  }));
  const tool_calls = whole.length > 0 ? faults.calls?.(whole) ?? whole : undefined;
  const head = { id: "chatcmpl-1", created: 1, model: asked.model };
  const usage = { prompt_tokens: 20, completion_tokens: 5, total_tokens: 25 };
  if (!asked.stream || faults.noStream) {
    const message = { role: "assistant", content: asText ?? null, ...(tool_calls ? { tool_calls } : {}) };
    return json(200, {
      ...head,
      object: "chat.completion",
      choices: [{ index: 0, message, finish_reason }],
      usage,
    });
  }
  const deltas: object[] = [
    { role: "assistant", content: "" },
    ...(asText?.match(/[^]{1,6}/g) ?? []).map((content) => ({ content })),
    ...(tool_calls ? [{ tool_calls }] : []),
  ];
  const event = (delta: object, finish_reason: string | null) =>
    `data: ${
      JSON.stringify({
        ...head,
        object: "chat.completion.chunk",
        choices: [{ index: 0, delta, finish_reason }],
      })
    }\n\n`;
  const events = [...deltas.map((delta) => event(delta, null)), event({}, finish_reason)];
  response.writeHead(200, { "content-type": "text/event-stream" });
  if (faults.buffered === undefined) { for (const each of events) response.write(each); }
  const rest = faults.noDone ? "" : "data: [DONE]\n\n";
  if (faults.buffered === undefined) return void response.end(rest);
  setTimeout(() => response.end(events.join("") + rest), faults.buffered);
}
