// The `cpu` backend: tfjs-core with its cpu backend in plain JavaScript, and Frond's own kernels registered there.
// Runs wherever JavaScript runs.

import type { Backend } from "../api.ts";
import { notLoaded } from "../misuse.ts";
import { compileUnrolled } from "../unrolled.ts";
import { Device } from "./device.ts";
import { TfjsExecutable } from "./executable.ts";
import { kernels } from "./kernels.ts";

/** Loop nests are generated as source text; pages may forbid that. */
function mayGenerate(): boolean {
  try {
    return new Function("return true")() === true;
  } catch {
    return false;
  }
}

export const cpu: Backend = {
  name: "cpu",
  doc: "JavaScript by way of tfjs-core's cpu backend, with Frond's kernels; float32, runs everywhere",
  async probe() {
    if (!mayGenerate()) {
      return {
        available: false,
        reason: "this page's content security policy forbids generated code",
        remedy: "allow 'unsafe-eval' in its script-src, or use the backend reference",
      };
    }
    try {
      const { version_core: version } = await import("@tensorflow/tfjs-core");
      await import("@tensorflow/tfjs-backend-cpu");
      return { available: true, detail: `tfjs-core ${version}` };
    } catch (error) {
      return notLoaded(error, ["@tensorflow/tfjs-core", "@tensorflow/tfjs-backend-cpu"]);
    }
  },
  async compile(program, options = {}) {
    const device = await Device.openCpu(kernels);
    return compileUnrolled(program, options, scheduled => new TfjsExecutable(device, scheduled));
  },
};
