/** Commands that answer on standard output. */

import { execFile } from "node:child_process";

/** Bytes of output that are kept; a picture of a large program has some hundred thousand. */
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

export interface Answer {
  readonly ok: boolean;
  readonly output: string;
  readonly errors: string;
}

/** Run a program to its end. Rejects if it cannot be started. */
export function run(program: string, args: readonly string[], cwd: string, stop?: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const signal = stop === undefined ? {} : { signal: stop };
    const options = { cwd, maxBuffer: OUTPUT_BYTES_MAX, encoding: "utf8", ...signal } as const;
    execFile(program, args, options, (error, output, errors) => {
      if (error !== null && typeof error.code === "string") {
        reject(error);
      } else {
        resolve({ ok: error === null, output, errors });
      }
    });
  });
}
