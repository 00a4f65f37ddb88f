// How many threads TensorFlow has. It reads that once, when its library is loaded, for all that a process does with it;
// nothing that tfjs-node passes on to it says otherwise afterwards. So it is said before, and told where it is too late.
// Stands apart from index.ts so that it can be called without loading anything.

import { FrondError } from "../../compiler/diagnostics/error.ts";
import { report } from "../../compiler/diagnostics/report.ts";

/** Of one operation. */
const inside = "TF_NUM_INTRAOP_THREADS";
/** For operations at the same time: those of a recurrent step are too small for it, so it is no more than the other. */
const between = "TF_NUM_INTEROP_THREADS";

let wanted = 1;
/** Those that the environment does not say. */
let own: readonly string[] | null = null;

/** What `native` is to have in this process; to be called before it is used, or asked whether it is there. */
export function wantThreads(threads: number): void {
  wanted = threads;
}

/** To be called as long as the library is not loaded. */
export function setThreads(env: NodeJS.ProcessEnv, threads = wanted): void {
  own ??= [inside, between].filter(name => env[name] === undefined);
  for (const name of own) env[name] = String(threads);
}

export const threadsOf = (env: NodeJS.ProcessEnv): string => env[inside] ?? "1";

/** Refuses a number that the library was not loaded with, where it was Frond that chose. */
export function checkThreads(env: NodeJS.ProcessEnv, asked: number | undefined): void {
  const has = threadsOf(env);
  const isOwn = own?.includes(inside) === true;
  if (!isOwn || asked === undefined || has === String(asked)) return;
  const help = [`start another process, or set ${inside} before the first use of \`native\``];
  throw new FrondError([report("F0950", { has, asked }, null, { help })]);
}
