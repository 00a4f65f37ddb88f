// The backend `native`: a program as one graph of TensorFlow's C library, by way of tfjs-node, run by one call per step.
// Where the library is not installed, the probe says so; `frond setup native` installs it.
//
// Threads are TensorFlow's, for all that a process does with it: it makes them when the library is loaded, which the
// probe does already. So it is one, as everywhere, unless TF_NUM_INTRAOP_THREADS (of one operation) and
// TF_NUM_INTEROP_THREADS (for operations at the same time) say otherwise: those of a recurrent step are too small for
// more. `CompileOptions.threads` counts only where nobody has probed. Unrolling by a factor changes nothing: a turn of
// a loop costs no more than its operations do.

import { FrondError } from "../../compiler/diagnostics/error.ts";
import { report } from "../../compiler/diagnostics/report.ts";
import type { Backend } from "../api.ts";
import { compileUnrolled } from "../unrolled.ts";
import { NativeExecutable } from "./executable.ts";
import { loadTfjsNode } from "./load.ts";

export const native: Backend = {
  name: "native",
  doc: "TensorFlow's C library by way of tfjs-node, one graph for the whole program; float32, in Node",
  async probe() {
    const threads = limitThreads(process.env);
    const found = await loadTfjsNode();
    if (!found.available) return found;
    return { available: true, detail: `${found.detail}, threads: ${threads}` };
  },
  async compile(program, options = {}) {
    limitThreads(process.env, options.threads);
    const found = await loadTfjsNode();
    if (!found.available) {
      const { reason, remedy } = found;
      throw new FrondError([report("F0902", { name: native.name, reason }, null, { help: [remedy] })]);
    }
    return compileUnrolled(program, options, scheduled => new NativeExecutable(found.binding, scheduled));
  },
};

/** TensorFlow reads these once, when its library is loaded. */
function limitThreads(env: NodeJS.ProcessEnv, threads = 1): string {
  env.TF_NUM_INTRAOP_THREADS ??= String(threads);
  env.TF_NUM_INTEROP_THREADS ??= String(threads);
  return env.TF_NUM_INTRAOP_THREADS;
}
