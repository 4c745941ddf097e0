/** The events of OpenAI's Responses API, one by one, as the chunks of a chat completion. */
import { isObject } from "../wire/call_piece.ts";
import type { Delta, Json } from "../wire/openai.ts";
import { encodeEvent, type SseEvent } from "../wire/sse_event.ts";
import { textOr } from "./body.ts";
import { envelopeOf, errorOf, finishOf, partsOf, reasoningOf, toCall, toUsage } from "./responses_answer.ts";

/** How much of one item of the output has gone out. */
interface Sent {
  readonly call: number | undefined; // the index of the call that it is
  text: string; // its text, its arguments, its reasoning
}

export class ResponsesStream {
  readonly #usage: boolean;
  readonly #items = new Map<unknown, Sent>(); // by the item's place in the output
  #envelope: Json = {};
  #begun = false; // the role has gone out
  #calls = 0;
  #summary: unknown; // the part of the reasoning that came last
  #over = false;

  /** `usage`: the client asked for a chunk with token counts. */
  constructor(usage: boolean) {
    this.#usage = usage;
  }

  /** What goes out for one event. */
  take({ raw, data, name }: SseEvent): string {
    if (data === undefined) return raw;
    if (this.#over || data.trim() === "[DONE]") return "";
    let event: unknown;
    try {
      event = JSON.parse(data);
    } catch {
      return raw;
    }
    if (!isObject(event)) return raw;
    return this.#event(textOr(event.type, name ?? ""), event) ?? raw;
  }

  #event(type: string, event: Json): string | undefined {
    const { response } = event;
    if (isObject(response)) this.#envelope = { ...this.#envelope, ...envelopeOf(response) };
    const place = event.output_index ?? event.item_id ?? (isObject(event.item) ? event.item.id : undefined);
    const text = textOr(event.delta, "");
    switch (type) {
      case "response.output_text.delta":
        return this.#grown(place, text, { content: text });
      case "response.refusal.delta":
        return this.#grown(place, text, { refusal: text });
      case "response.reasoning_summary_text.delta":
      case "response.reasoning_text.delta":
        return this.#reasoning(place, event, text);
      case "response.function_call_arguments.delta": {
        const call = this.#items.get(place)?.call;
        return call === undefined ? "" : this.#grown(place, text, arguments_(call, text));
      }
      case "response.output_item.added":
        return isObject(event.item) ? this.#added(place, event.item) : "";
      case "response.output_item.done":
        return isObject(event.item) ? this.#done(place, event.item) : "";
      case "response.completed":
      case "response.incomplete":
      case "response.done":
        return this.#end(isObject(response) ? response : {});
      case "response.failed":
      case "response.cancelled":
      case "response.error":
      case "error":
        return this.#fail(event);
      default:
        // Servers that know only part of this protocol end with an error of another shape.
        if (type === "" && isObject(event.error)) return this.#fail(event);
        return isObject(response) ? this.#begin() : type === "" ? undefined : "";
    }
  }

  #begin(): string {
    if (this.#begun) return "";
    return this.#chunk({});
  }

  #chunk(delta: Delta, finish: string | null = null): string {
    const role: Delta = this.#begun ? {} : { role: "assistant" };
    this.#begun = true;
    return this.#write([{ index: 0, delta: { ...role, ...delta }, finish_reason: finish }]);
  }

  #write(choices: readonly Json[], more: Json = {}): string {
    const { id, created, model, ...rest } = this.#envelope;
    const chunk = { id, object: "chat.completion.chunk", created, model, ...rest, choices, ...more };
    return encodeEvent(JSON.stringify(chunk));
  }

  #grown(place: unknown, text: string, delta: Delta): string {
    const sent = this.#items.get(place) ?? { call: undefined, text: "" };
    sent.text += text;
    this.#items.set(place, sent);
    return text === "" ? "" : this.#chunk(delta);
  }

  #reasoning(place: unknown, event: Json, text: string): string {
    const part = `${place} ${event.summary_index ?? event.content_index}`;
    const apart = this.#summary !== undefined && this.#summary !== part ? "\n\n" : "";
    this.#summary = part;
    return this.#grown(place, text, { reasoning_content: apart + text });
  }

  #added(place: unknown, item: Json): string {
    if (item.type !== "function_call" || this.#items.has(place)) return this.#begin();
    const call = toCall(item)!;
    const index = this.#calls++;
    this.#items.set(place, { call: index, text: textOr(item.arguments, "") });
    return this.#chunk({ tool_calls: [{ index, ...call }] });
  }

  /** An item is whole: what of it has not come in pieces. */
  #done(place: unknown, item: Json): string {
    const sent = this.#items.get(place);
    if (item.type === "function_call" && sent?.call !== undefined) {
      const rest = restOf(textOr(item.arguments, ""), sent.text);
      return rest === "" ? "" : this.#grown(place, rest, arguments_(sent.call, rest));
    }
    if (sent !== undefined) return "";
    this.#items.set(place, { call: undefined, text: "" });
    const call = toCall(item);
    if (call !== undefined) return this.#chunk({ tool_calls: [{ index: this.#calls++, ...call }] });
    if (item.type === "reasoning") {
      const text = reasoningOf(item);
      return text === "" ? "" : this.#chunk({ reasoning_content: text });
    }
    if (item.type !== "message") return "";
    return partsOf(item.content).map((part) => {
      const [key, text] = part.type === "refusal" ? ["refusal", part.refusal] : ["content", part.text];
      return textOr(text, "") === "" ? "" : this.#chunk({ [key as string]: text });
    }).join("");
  }

  #end(response: Json): string {
    const error = errorOf(response);
    if (error !== undefined) return this.#fail({ error });
    const rest = partsOf(response.output).map((item, place) =>
      this.#has(place, item) ? "" : this.#done(place, item)
    );
    const usage = this.#usage ? toUsage(response.usage) : undefined;
    const last = this.#chunk({}, finishOf(response, this.#calls > 0));
    this.#over = true;
    const counts = usage === undefined ? "" : this.#write([], { usage });
    return rest.join("") + last + counts + encodeEvent("[DONE]");
  }

  /** Whether an item has gone out, under its place or, from servers that do not count them, under its id. */
  #has(place: number, item: Json): boolean {
    const sent = this.#items.get(place);
    if (sent?.call !== undefined) return restOf(textOr(item.arguments, ""), sent.text) === "";
    return sent !== undefined || this.#items.has(item.id) ||
      (this.#items.has(undefined) && item.type === "message");
  }

  #fail(event: Json): string {
    this.#over = true;
    const response = isObject(event.response) ? errorOf(event.response) : undefined;
    const { type: _, sequence_number: __, response: ___, ...flat } = event;
    const error = response ?? (isObject(event.error) ? event.error : flat);
    return encodeEvent(JSON.stringify({ error }));
  }
}

function arguments_(index: number, text: string): Delta {
  return { tool_calls: [{ index, function: { arguments: text } }] };
}

/** What of `whole` has not been sent. */
function restOf(whole: string, sent: string): string {
  return whole.startsWith(sent) ? whole.slice(sent.length) : "";
}
