/** Streams whose events are odd: what stands in them, and where they stand. */
import { deep, oddJson, oddValue } from "./odd.ts";
import { below, pick, type Random } from "./random.ts";

/** A stream's events with the JSON in some of them changed. */
export function oddEvents(text: string, random: Random): string {
  const part = pick(random, [0.02, 0.1, 0.3]);
  return text.split("\n\n").map((event) => {
    if (random() > 0.2 || !event.startsWith("data: {")) return event;
    try {
      return `data: ${oddJson(JSON.parse(event.slice(6)), random, part)}`;
    } catch {
      return event;
    }
  }).join("\n\n");
}

/** Events that do not stand where or as they should. */
export function oddOrder(text: string, random: Random): string {
  const events = text.split("\n\n").slice(0, -1);
  for (let times = 1 + below(random, 4); times > 0; times--) {
    const at = below(random, events.length + 1);
    const odd = pick(random, [
      "data: [DONE]",
      "data: null",
      "data: []",
      "data: 1",
      'data: ""',
      "data:",
      "data",
      ": x",
      "event: error\ndata: x",
      "event: error\ndata: {}",
      "id: 1",
      "retry: 0",
      `data: ${oddValue(random)}`,
      'data: {"error": {"message": {}, "code": "599"}}',
      'data: {"error": "x"}',
      'data: {"choices": null}',
      'data: {"choices": [null, 1, {}]}',
      'data: {"choices":[{"index":-1,"delta":null}]}',
      'data: {"choices":[{"index":1e9,"delta":{"content":"x"}}]}',
      'data: {"choices":[{"index":"0","delta":{"tool_calls":{"a":1}}}]}',
      'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":-5,"function":{"name":7,"arguments":[1]}}]}}]}',
      'data: {"choices":[{"index":0,"delta":{"content":[{"type":"text","text":"x"}, 5]}}]}',
      'data: {"choices":[{"index":0,"message":{"content":5},"finish_reason":{}}]}',
      'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":1e308,"id":{},"function":null}]}}]}',
      'data: {"usage":{"prompt_tokens":"x","completion_tokens":-1e999}}',
      'data: {"id":null,"model":[],"created":"x","choices":[{"delta":{"role":5,"content":"\\ud800"}}]}',
      "data: {",
      "data: {}\ndata: {}",
      "\r\r\n\r",
      "\ufeff",
      `data: {"choices":[{"delta":${deep(pick(random, [500, 5_000, 20_000]), random() < 0.5)}}]}`,
    ]);
    if (random() < 0.7) events.splice(at, 0, odd);
    else if (events.length > 1) {
      events.splice(below(random, events.length), 1, ...(random() < 0.5 ? [] : [pick(random, events)]));
    }
  }
  return `${events.join("\n\n")}\n\n`;
}
