/** Files that only their owner can read, written one after the other; what cannot be written is told once, and lost. */
import { constants } from "node:fs";
import { type FileHandle, mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";

/** A file that is being written. */
export interface PrivateFile {
  write(bytes: Uint8Array | string): void;
  close(): void;
}

/** Not there on Windows, where links need rights of their own. */
const NO_FOLLOW = constants.O_NOFOLLOW ?? 0;

/** More than this waits for no slow disk: it is lost. */
const MOST_WAITING = 64 * 1024 * 1024;

export class PrivateFiles {
  #last: Promise<void> = Promise.resolve();
  #waiting = 0; // how much is to be written, in bytes or characters
  readonly #told = new Set<string>(); // the folders of which it was told that they cannot be written in
  readonly #tell: (line: string) => void;

  readonly #what: string;

  /** `what` the files are, as it stands in what is told. */
  constructor(tell: (line: string) => void, what = "debug logs") {
    this.#tell = tell;
    this.#what = what;
  }

  /** Adds a line to a file that may be there already. */
  append(path: string, line: string): void {
    const flags = constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY | NO_FOLLOW;
    this.#queue(path, line.length, async () => {
      const handle = await opened(path, flags);
      try {
        const { mode } = await handle.stat();
        const isFile = (mode & constants.S_IFMT) === constants.S_IFREG; // /dev/stderr is to stay as it is
        if (isFile && (mode & 0o077) !== 0) await handle.chmod(0o600); // fails when it is somebody else's
        await handle.appendFile(line);
      } finally {
        await handle.close();
      }
    });
  }

  /** Makes a new file. */
  create(path: string): PrivateFile {
    let handle: FileHandle | undefined;
    let failed = false;
    const flags = constants.O_EXCL | constants.O_CREAT | constants.O_WRONLY | NO_FOLLOW;
    const attempt = (size: number, what: () => Promise<void>) =>
      this.#queue(path, size, async () => {
        if (failed) return;
        try {
          await what();
        } catch (error) {
          failed = true;
          throw error;
        }
      });
    attempt(0, async () => {
      handle = await opened(path, flags);
    });
    return {
      write: (bytes) => attempt(bytes.length, async () => void await handle?.appendFile(bytes)),
      close: () => this.#queue(path, 0, async () => await handle?.close()),
    };
  }

  /** Resolves when all that was asked for so far has been written. */
  async settled(): Promise<void> {
    await this.#last;
  }

  #queue(path: string, size: number, what: () => Promise<void>): void {
    if (this.#waiting + size > MOST_WAITING) return this.#report(path, "the disk is too slow");
    this.#waiting += size;
    this.#last = this.#last.then(what).catch((error: unknown) => {
      this.#report(path, error instanceof Error ? error.message : String(error));
    }).finally(() => this.#waiting -= size);
  }

  #report(path: string, why: string): void {
    const folder = dirname(path);
    if (this.#told.has(folder)) return;
    this.#told.add(folder);
    this.#tell(`Cannot write ${this.#what} in ${folder}: ${why}`);
  }
}

async function opened(path: string, flags: number): Promise<FileHandle> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  return await open(path, flags, 0o600);
}
