/** Bytes over a socket as they are, and what comes back. */
import net from "node:net";

/** What came back. */
export interface RawReply {
  readonly text: string;
  /** The status of the first answer; 0 when none came. */
  readonly status: number;
  /** The other side closed the connection. */
  readonly closed: boolean;
}

/** Sends bytes and reads until the connection is closed, an answer is there and `patienceMs` have gone, or so. */
export function sendRaw(port: number, bytes: Uint8Array | string, patienceMs: number): Promise<RawReply> {
  return new Promise((resolve) => {
    let text = "";
    let done = false;
    const finish = (closed: boolean) => {
      if (done) return;
      done = true;
      clearTimeout(timer);
      socket.destroy();
      resolve({ text, status: Number(/^HTTP\/1\.[01] (\d{3})/.exec(text)?.[1] ?? 0), closed });
    };
    const timer = setTimeout(() => finish(false), patienceMs);
    const socket = net.connect(port, "127.0.0.1", () => socket.write(bytes));
    socket.on("data", (more) => text += more.toString("latin1"))
      .on("end", () => finish(true)).on("error", () => finish(true)).on("close", () => finish(true));
  });
}

/** Runs `count` tasks, `lanes` at a time. */
export async function inLanes(
  count: number,
  lanes: number,
  task: (n: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  await Promise.all(Array.from({ length: lanes }, async () => {
    while (next < count) await task(next++);
  }));
}
