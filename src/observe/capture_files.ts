/** Captures as files, written when an exchange is over. */
import { join } from "node:path";
import type { Capture } from "./capture.ts";
import { PrivateFiles } from "./private_files.ts";

/** Writes each exchange into a folder. */
export interface CaptureFiles {
  write(capture: Capture): void;
  /** Resolves when all has been written. */
  settled(): Promise<void>;
}

/** `tell` is told once when the folder cannot be written in. */
export function captureFiles(folder: string, tell: (line: string) => void): CaptureFiles {
  const files = new PrivateFiles(tell, "captures");
  return {
    write(capture) {
      const file = files.create(join(folder, fileName(capture)));
      file.write(`${JSON.stringify(capture)}\n`);
      file.close();
    },
    settled: () => files.settled(),
  };
}

/** Names sort by time. */
function fileName({ time, id }: Capture): string {
  return `${time.replace(/\D/g, "").slice(0, 17)}-${id}.json`;
}
