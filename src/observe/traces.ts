/** OpenTelemetry: a span for each exchange, inside the one that the runtime opens for its request. */
import { version } from "../version.ts";
import type { Watch } from "../wire/watcher.ts";

/**
 * Looks on at the exchanges with one upstream. Deno itself opens and sends spans when `OTEL_DENO` is set, for requests that
 * come in and go out; its own end before a stream does, so this one is another. The names of attributes are those of
 * OpenTelemetry's conventions for generative AI, as far as there are any (opentelemetry.io/docs/specs/semconv/gen-ai).
 */
export async function createTraces(): Promise<(upstream: string) => Watch> {
  const { trace } = await import("@opentelemetry/api");
  const tracer = trace.getTracer("callmend", version);
  return (upstream) => ({ id, model, tools, stream }) => {
    const attributes = {
      "gen_ai.operation.name": "chat",
      "gen_ai.request.model": model,
      "callmend.exchange.id": id,
      "callmend.upstream": upstream,
      "callmend.stream": stream,
      "callmend.tools": tools,
    };
    const span = tracer.startSpan(`chat ${model}`, { attributes });
    return {
      problem: (code) => void span.addEvent("callmend.problem", { "callmend.problem.code": code }),
      fixed: (fix) => void span.addEvent("callmend.fix", { "callmend.fix.id": fix }),
      ended({ mode, status, outcome, finish, calls, dialects, fixes, usage, times }) {
        span.setAttributes({
          "http.response.status_code": status,
          "callmend.mode": mode,
          "callmend.outcome": outcome,
          "callmend.calls": calls,
          "callmend.dialects": [...dialects],
          "callmend.fixes": [...fixes],
          "callmend.added_ms": times.addedMs,
          ...(finish !== undefined && { "gen_ai.response.finish_reasons": [finish] }),
          ...(usage?.prompt !== undefined && { "gen_ai.usage.input_tokens": usage.prompt }),
          ...(usage?.completion !== undefined && { "gen_ai.usage.output_tokens": usage.completion }),
        });
        span.end();
      },
    };
  };
}
