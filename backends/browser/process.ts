// How the browser and the process hang together: what keeps the process alive, what signals do to it, and what is to be
// gone when it is.

import type { ChildProcess } from "node:child_process";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The process stays until what this returns is called. */
export function hold(): () => void {
  const day = 86_400_000;
  const timer = setInterval(() => {}, day);
  return () => clearInterval(timer);
}

/** Runs `start`; the process does not stay for the children that it starts of the program `path`, which it returns. */
export async function withoutHolding<T>(
  path: string,
  start: () => Promise<T>,
): Promise<{ readonly started: T; readonly children: readonly ChildProcess[] }> {
  const all: ChildProcess[] = [];
  const note = (message: unknown): void => void all.push((message as { process: ChildProcess }).process);
  subscribe("child_process", note);
  try {
    const started = await start();
    const children = all.filter(({ spawnfile }) => spawnfile === path);
    for (const child of children) {
      child.unref();
      // Sockets all of them, though they are typed as what can be written to or read from.
      for (const stream of child.stdio) (stream as { unref?: () => void } | null)?.unref?.();
    }
    return { started, children };
  } finally {
    unsubscribe("child_process", note);
  }
}

const signals = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;
type Signal = keyof typeof signals;
const signalNames = Object.keys(signals) as Signal[];

let users = 0;

function end(signal: NodeJS.Signals): void {
  // The code is what shells make of a signal.
  if (process.listenerCount(signal) === 1) process.exit(128 + signals[signal as Signal]);
}

/**
 * Until what this returns is called: signals end the process by way of its `exit` handlers, which end the browser and
 * remove its files; a signal alone would leave them out. Where the program itself listens, it is the program's affair.
 */
export function exitOnSignals(): () => void {
  users += 1;
  // First of all: a listener that is there for one time counts as long as it has not been called.
  if (users === 1) for (const signal of signalNames) process.prependListener(signal, end);
  let done = false;
  return () => {
    if (done) return;
    done = true;
    users -= 1;
    if (users === 0) for (const signal of signalNames) process.off(signal, end);
  };
}

export interface TemporaryFolder {
  readonly path: string;
  /** From now on, the process's `exit` handlers so far run before the folder is removed. */
  removeLast(): void;
  remove(): void;
}

/** A folder that goes with the process at the latest. */
export function temporaryFolder(): TemporaryFolder {
  const path = mkdtempSync(join(tmpdir(), "frond-"));
  const remove = (): void => {
    process.off("exit", remove);
    try {
      rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 });
    } catch {
      // Somebody still writes there; the system clears it away.
    }
  };
  process.on("exit", remove);
  const removeLast = (): void => void process.off("exit", remove).on("exit", remove);
  return { path, removeLast, remove };
}
