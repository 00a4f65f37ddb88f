// Runs other programs while native is set up: quietly, with a limit of time, and all of them end at Ctrl-C.

import { execFile } from "node:child_process";

/** A program with the arguments that belong to it: `node npm-cli.js`. */
export interface Program {
  readonly file: string;
  readonly first: readonly string[];
}

export interface RunOptions {
  readonly cwd?: string;
  /** Beside our own. */
  readonly env?: Readonly<Record<string, string>>;
  /** It is ended then; half an hour when left out. */
  readonly minutes?: number;
}

export interface Ran {
  readonly ok: boolean;
  readonly out: string;
  readonly err: string;
  /** There is no such program. */
  readonly missing: boolean;
  /** What ended it, where it did not end by itself. */
  readonly signal: string | null;
}

/** Rejects only when we are to stop. */
export type Run = (program: Program, args: readonly string[], options?: RunOptions) => Promise<Ran>;

export const runner =
  (stop: AbortSignal): Run =>
  ({ file, first }, args, { cwd, env = {}, minutes = 30 } = {}) =>
    new Promise((resolve, reject) => {
      const options = {
        ...(cwd === undefined ? {} : { cwd }),
        env: { ...process.env, ...env },
        timeout: minutes * 60_000,
        maxBuffer: 2 ** 26,
        windowsHide: true,
        // Newer Nodes refuse to start npm.cmd without one.
        shell: file.endsWith(".cmd"),
      };
      // Called when the program is gone, and all that it has started: nobody writes any more.
      const child = execFile(file, [...first, ...args], options, (error, out, err) => {
        stop.removeEventListener("abort", end);
        if (stop.aborted) reject(stop.reason);
        else {
          const missing = error?.code === "ENOENT";
          resolve({ ok: error === null, out, err, missing, signal: error?.signal ?? null });
        }
      });
      const end = (): void => void child.kill();
      stop.addEventListener("abort", end);
      if (stop.aborted) end();
    });
