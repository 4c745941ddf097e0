/** Every command of the program, in the order of `--help`, one file each. */
import type { MakeCommand } from "./command.ts";
import { makeCapture } from "./capture.ts";
import { makeCompletions } from "./completions.ts";
import { makeConfig } from "./config.ts";
import { makeConvert } from "./convert.ts";
import { makeDebug } from "./debug.ts";
import { makeDemo } from "./demo.ts";
import { makeDialects } from "./dialects.ts";
import { makeDoctor } from "./doctor.ts";
import { makeFixes } from "./fixes.ts";
import { makeHealthcheck } from "./healthcheck.ts";
import { makeOpencode } from "./opencode.ts";
import { makeReplay } from "./replay.ts";
import { makeServe } from "./serve.ts";
import { makeService } from "./service.ts";
import { makeVersion } from "./version.ts";

/** The first one runs when none is named. */
export const commands: readonly MakeCommand[] = [
  makeServe,
  makeConfig,
  makeConvert,
  makeDoctor,
  makeDemo,
  makeDialects,
  makeFixes,
  makeOpencode,
  makeDebug,
  makeCapture,
  makeReplay,
  makeHealthcheck,
  makeService,
  makeCompletions,
  makeVersion,
];
