/** Looks on while a body passes. */

/**
 * The same response; `piece` is told of each piece of its body as it is taken, and `end` once of how it ended: "whole",
 * "cancelled" by its reader, or the error that broke it.
 */
export function tapped(
  response: Response,
  piece: (bytes: Uint8Array) => void,
  end: (how: string) => void,
): Response {
  const { status, statusText, headers, body } = response;
  if (body === null) {
    end("whole");
    return response;
  }
  const reader = body.getReader();
  let over = false;
  const ended = (how: string) => {
    if (over) return;
    over = true;
    end(how);
  };
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (done) {
          ended("whole");
          return controller.close();
        }
        piece(value);
        controller.enqueue(value);
      } catch (error) {
        ended(`broken: ${error}`);
        controller.error(error);
      }
    },
    cancel(reason) {
      ended("cancelled");
      return reader.cancel(reason);
    },
  }, { highWaterMark: 0 });
  return new Response(stream, { status, statusText, headers });
}
