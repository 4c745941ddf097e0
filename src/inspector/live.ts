/** Changes of the list as they happen, as server-sent events. */
import type { CaptureChange, Captures } from "../observe/captures.ts";
import { encodeEvent } from "../wire/sse_event.ts";

/** Changes are told together, at most so often: ten times a second. */
const BATCH_MS = 100;

/** A comment goes out this often, so that nothing on the way takes the connection for dead. */
const HEARTBEAT_MS = 15_000;

/** A stream of `{"changes": […]}`, each exchange at its latest; it ends when `signal` says so. */
export function liveChanges(
  captures: Captures,
  signal?: AbortSignal,
  heartbeatMs = HEARTBEAT_MS,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let stop = (): void => {};
  return new ReadableStream({
    start(controller) {
      const waiting = new Map<string, CaptureChange>();
      let batch: ReturnType<typeof setTimeout> | undefined;
      const send = (text: string) => controller.enqueue(encoder.encode(text));
      const flush = () => {
        batch = undefined;
        // A client that reads too slowly gets the latest of each exchange once it has caught up.
        if ((controller.desiredSize ?? 0) < -100) return void (batch = setTimeout(flush, BATCH_MS));
        send(encodeEvent(JSON.stringify({ changes: [...waiting.values()] })));
        waiting.clear();
      };
      const unfollow = captures.follow((change) => {
        waiting.set(change.kind === "gone" ? change.id : change.summary.id, change);
        batch ??= setTimeout(flush, BATCH_MS);
      });
      const heartbeat = setInterval(() => send(": still here\n\n"), heartbeatMs);
      const end = () => {
        stop();
        controller.close();
      };
      stop = () => {
        unfollow();
        clearTimeout(batch);
        clearInterval(heartbeat);
        signal?.removeEventListener("abort", end);
      };
      send(`retry: 1000\n${encodeEvent(JSON.stringify({ changes: [] }))}`);
      if (signal?.aborted) end();
      else signal?.addEventListener("abort", end);
    },
    cancel: () => stop(),
  });
}
