// The `wasm` backend: Frond's own code generation. The whole program, loops included, becomes one WebAssembly module
// with 128-bit vectors. Nothing has to be installed; runs in Node and in every current browser.

import type { Backend } from "../api.ts";
import type { Target } from "../codegen/code.ts";
import { mostThreads } from "../codegen/team.ts";
import { compileUnrolled } from "../unrolled.ts";
import { WasmExecutable } from "./executable.ts";
import { mayShare } from "./team.ts";
import { Tuning } from "./tuning.ts";

export const target: Target = { lanes: 4, registers: 16 };

/** One where memory cannot be shared. */
const threadsFor = (wanted = 1): number =>
  mayShare() ? Math.max(1, Math.min(Math.floor(wanted), mostThreads)) : 1;

/** A module whose only function gives a vector of zeros. */
const simdModule = Uint8Array.of(
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11,
); // biome-ignore format: bytes

/** The backend with tiles as `tuning` chooses them. */
export const wasmWith = (tuning: Tuning): Backend => ({
  name: "wasm",
  doc: "the compiler's own WebAssembly: one SIMD module for the whole program; float32, runs everywhere",
  async probe() {
    if (typeof WebAssembly === "object" && WebAssembly.validate(simdModule)) {
      return { available: true, detail: "128-bit SIMD" };
    }
    return {
      available: false,
      reason: "this engine has no WebAssembly with 128-bit vectors, or the page forbids WebAssembly",
      remedy: "use a newer engine, allow 'wasm-unsafe-eval' in the page's script-src, or use the backend cpu",
    };
  },
  compile: async (program, options = {}) => {
    const tile = await tuning.tile();
    const executable = await compileUnrolled(program, options, scheduled =>
      WasmExecutable.make(scheduled, {
        target,
        tile,
        threads: threadsFor(options.threads),
        profile: options.profile ?? false,
      }),
    );
    return options.profile === true ? executable : tuning.watch(executable);
  },
});

export const wasm: Backend = wasmWith(new Tuning(target));
