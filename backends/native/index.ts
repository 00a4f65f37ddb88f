// The backend `native`: a program as one graph of TensorFlow's C library, by way of tfjs-node, run by one call per step.
// Where the library is not installed, the probe says so; `frond setup native` installs it.
//
// Threads are TensorFlow's, as many as there are cores, for all that a process does with it: it makes them when the
// library is loaded, which the probe does already. TF_NUM_INTRAOP_THREADS (of one operation) and TF_NUM_INTEROP_THREADS
// (operations at the same time) say otherwise, so `CompileOptions.threads` has no say here, nor has `unroll` by a
// factor: a turn of a loop costs no more than its operations do.

import { availableParallelism } from "node:os";
import { InternalError } from "../../compiler/unreachable.ts";
import type { Backend } from "../api.ts";
import { compileUnrolled } from "../unrolled.ts";
import { NativeExecutable } from "./executable.ts";
import { loadTfjsNode } from "./load.ts";

export const native: Backend = {
  name: "native",
  doc: "TensorFlow's C library by way of tfjs-node, one graph for the whole program; float32, in Node",
  async probe() {
    const found = await loadTfjsNode();
    if (!found.available) return found;
    const threads = process.env.TF_NUM_INTRAOP_THREADS ?? availableParallelism();
    return { available: true, detail: `${found.detail}, threads: ${threads}` };
  },
  async compile(program, options = {}) {
    const found = await loadTfjsNode();
    if (!found.available) throw new InternalError("native", found.reason);
    return compileUnrolled(program, options, scheduled => new NativeExecutable(found.binding, scheduled));
  },
};
