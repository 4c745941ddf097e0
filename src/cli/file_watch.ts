/** Tells when the text of a file has changed, by looking at it: that works on every kind of mount, and when it is replaced. */
import { readFile, stat } from "node:fs/promises";

/** How often a file is looked at, in milliseconds. */
const POLL_MS = 1000;

/** A text that has just changed may still be in the middle of being written: it has to stay for as long as this. */
const SETTLED_MS = 50;

export interface FileWatch {
  /** Looks at once, and says what the text is even if it has not changed. */
  look(): Promise<void>;
  stop(): void;
}

/** What is told of a file. */
export interface FileWatcher {
  changed(text: string): void | Promise<void>;
  /** The file cannot be read; told once, until it can be read again. */
  gone(problem: string): void;
}

/** Watches the file at `path`, whose text was `text` when it was read last. */
export function watchFile(path: string, text: string, watcher: FileWatcher): FileWatch {
  let [known, mark] = [text, ""]; // the text that was told last, and what the file looked like then from outside
  let missing = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let running = Promise.resolve();

  const read = async (asked: boolean) => {
    try {
      const before = await markOf(path);
      if (!asked && !missing && before === mark) return;
      const now = await settledText(path);
      const changed = now !== known;
      [known, missing] = [now, false];
      // A file may change twice within the grain of its time stamp: while it is fresh, its text is compared each time.
      mark = Date.now() - Number(before.split(" ")[0]) > 2 * POLL_MS ? before : "";
      if (changed || asked) await watcher.changed(now);
    } catch (error) {
      if (!missing || asked) watcher.gone((error as Error).message);
      missing = true;
    }
  };
  const look = (asked: boolean) => running = running.then(() => read(asked));
  const poll = () => {
    timer = setTimeout(() => void look(false).then(() => timer !== undefined && poll()), POLL_MS);
  };
  poll();
  return {
    look: () => look(true),
    stop() {
      clearTimeout(timer);
      timer = undefined;
    },
  };
}

/** What tells one state of a file from another without reading it. */
async function markOf(path: string): Promise<string> {
  const { mtimeMs, ctimeMs, size, ino } = await stat(path);
  return [Math.max(mtimeMs, ctimeMs), size, ino].join(" ");
}

async function settledText(path: string): Promise<string> {
  for (let text = await readFile(path, "utf8");;) {
    await new Promise((resolve) => setTimeout(resolve, SETTLED_MS));
    const again = await readFile(path, "utf8");
    if (again === text) return text;
    text = again;
  }
}
