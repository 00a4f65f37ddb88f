// The backend `native`: a program as one graph of TensorFlow's C library, by way of tfjs-node, run by one call per step.
// Where the library is not installed, the probe says so; `frond setup native` installs it.
//
// Threads are TensorFlow's, for all that a process does with it (settings.ts): one, as everywhere, unless somebody wants
// more before the library is loaded, which the probe does already. Unrolling by a factor changes nothing: a turn of a
// loop costs no more than its operations do.

import type { Backend } from "../api.ts";
import { unavailable } from "../misuse.ts";
import { compileUnrolled } from "../unrolled.ts";
import { NativeExecutable } from "./executable.ts";
import { loadTfjsNode } from "./load.ts";
import { checkThreads, setThreads, threadsOf } from "./settings.ts";

export const native: Backend = {
  name: "native",
  doc: "TensorFlow's C library by way of tfjs-node, one graph for the whole program; float32, in Node",
  async probe() {
    const found = await load();
    if (!found.available) return found;
    return { available: true, detail: `${found.detail}, threads: ${threadsOf(process.env)}` };
  },
  async compile(program, options = {}) {
    const found = await load(options.threads);
    if (!found.available) throw unavailable(native.name, found);
    checkThreads(process.env, options.threads);
    return compileUnrolled(program, options, scheduled => new NativeExecutable(found.binding, scheduled));
  },
};

let loading: ReturnType<typeof loadTfjsNode> | null = null;

/** Tried again as long as it fails. */
async function load(threads?: number): ReturnType<typeof loadTfjsNode> {
  if (loading === null) setThreads(process.env, threads);
  loading ??= loadTfjsNode();
  const found = await loading;
  if (!found.available) loading = null;
  return found;
}
